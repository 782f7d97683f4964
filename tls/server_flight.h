// The messages that a server writes in its handshake (RFC 8446 §4.1.3, §4.1.4, §4.3, §4.4): from what was chosen to bytes
// that are sent and in the transcript. What is chosen, and when keys change, is the state machine's business.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tls/config.h"
#include "tls/handshake.h"
#include "tls/server_negotiation.h"
#include "tls/server_resumption.h"

namespace quoll::tls {

/// What the server has settled on. It owns all that it took from the ClientHello, which is gone when the flight is written.
struct ServerParameters {
  Random client_random{};
  std::vector<uint8_t> session_id;
  CipherSuite cipher_suite{};
  GroupChoice group;
  std::vector<uint8_t> client_share;
  std::optional<ServerPsk> psk;
  ChosenIdentity identity;  // null with a PSK
  std::string server_name;
  std::string application_protocol;
  const ClientPolicy* client_policy = nullptr;
  bool wants_ocsp_response = false;
  bool early_data_offered = false;
  bool early_data_accepted = false;
  bool takes_tickets = false;

  bool requests_certificate() const {
    // RFC 8446 §4.3.2: no CertificateRequest when a PSK authenticates.
    return !psk && client_policy->authentication != ClientAuthentication::none;
  }
};

class ServerFlight {
 public:
  ServerFlight(HandshakeContext& context, const ServerConfig& config, Transcript& transcript)
      : context_(context), config_(config), transcript_(transcript) {}

  void send_hello_retry_request(const ServerParameters& parameters, Bytes cookie);
  void send_server_hello(const ServerParameters& parameters, Bytes server_share);
  /// `transport_parameters`: ours; over a stream empty.
  void send_encrypted_extensions(const ServerParameters& parameters, Bytes transport_parameters);
  void send_certificate_request(const ServerParameters& parameters);
  void send_certificate(const ServerParameters& parameters);
  /// The expensive step. internal_error when the key fails.
  [[nodiscard]] Result<void> send_certificate_verify(const ServerParameters& parameters);
  void send_finished(const crypto::HashAlgorithm& hash, Bytes server_handshake_traffic);

 private:
  /// Sends what `write` writes to a sink, and adds it to the transcript.
  template <class WriteFunction>
  void send(Level level, WriteFunction write) {
    transcript_.add(context_.out.message(level, write));
  }

  HandshakeContext& context_;
  const ServerConfig& config_;
  Transcript& transcript_;
};

}  // namespace quoll::tls
