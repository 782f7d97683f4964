// ClientHandshake: the client's states (RFC 8446 appendix A.1), one function for each message that can come.
//
//     client_handshake.cc      start, and which message is legal in which state
//     client_server_hello.cc   ServerHello and HelloRetryRequest, up to the handshake secrets
//     client_flight.cc         the server's protected flight, and the client's answer to it
//
// Each function checks, then adds the message to the transcript, then acts.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tls/client_offer.h"
#include "tls/config.h"
#include "tls/handshake.h"

namespace quoll::tls {

class ClientHandshake final : public Handshake {
 public:
  ClientHandshake(HandshakeContext& context, std::shared_ptr<const ClientConfig> config, ClientOffer offer);

  /// Puts out the first ClientHello, and the secret for early data if that is offered.
  [[nodiscard]] Result<void> start(UnixTime now);

  std::optional<Level> due() const override;
  [[nodiscard]] Result<void> on_message(const HandshakeMessage& message, UnixTime now) override;
  std::optional<Established>& established() override { return established_; }

 private:
  enum class State : uint8_t {
    server_hello,
    encrypted_extensions,
    certificate_or_request,
    certificate,
    certificate_verify,
    finished,
    done,
  };
  enum class EarlyData : uint8_t { none, offered, rejected, accepted };

  // client_server_hello.cc
  Result<void> on_server_hello(const HandshakeMessage& message, UnixTime now);
  Result<void> on_hello_retry_request(const ServerHello& retry, const HandshakeMessage& message, UnixTime now);
  Result<void> choose_psk(const ServerHello& hello);
  Result<void> check_key_share(const ServerHello& hello) const;
  void enter_handshake(const ServerHello& hello, Bytes shared_secret);
  void reject_early_data();
  bool is_first_psk_chosen() const { return chosen_psk_ == 0; }

  // client_flight.cc
  Result<void> on_encrypted_extensions(const HandshakeMessage& message);
  Result<void> check_extensions(const EncryptedExtensions& extensions) const;
  Result<void> check_protocol(std::optional<Bytes> protocol) const;
  Result<void> check_early_data(const EncryptedExtensions& extensions) const;
  void decide_early_data(bool accepted);
  Result<void> on_certificate_request(const HandshakeMessage& message);
  Result<void> on_certificate(const HandshakeMessage& message, UnixTime now);
  Result<void> on_certificate_verify(const HandshakeMessage& message);
  Result<void> on_finished(const HandshakeMessage& message);
  Result<void> send_flight();
  Result<void> send_certificate();
  void send_finished();
  void finish(const Digest& server_finished_hash);

  /// Sends a message at a level and adds it to the transcript.
  template <class WriteFunction>
  void send(Level level, WriteFunction write) {
    transcript_.add(context_.out.message(level, write));
  }
  void put_secret(Level level, Direction direction, const Digest& secret) {
    context_.out.put(TrafficSecret{level, direction, context_.negotiated.cipher_suite, secret});
  }
  void log(std::string_view label, Bytes secret) const { log_secret(context_.key_log, label, random_, secret); }
  /// The transcript's hash.
  const crypto::HashAlgorithm& hash() const { return schedule_->hash(); }

  HandshakeContext& context_;
  std::shared_ptr<const ClientConfig> config_;
  State state_ = State::server_hello;
  Transcript transcript_;
  Random random_;
  std::optional<Established> established_;

  // Until the ServerHello.
  std::optional<ClientOffer> offer_;
  std::optional<CipherSuite> retry_suite_;  // after a HelloRetryRequest
  std::optional<NamedGroup> retry_group_;

  // From the ServerHello on.
  std::optional<KeySchedule> schedule_;
  Digest client_handshake_traffic_, server_handshake_traffic_;
  std::optional<uint16_t> chosen_psk_;
  bool resumes_ticket_ = false;
  UnixTime authenticated_until_;  // of the ticket, or of the server's certificate
  bool sent_server_name_ = false;

  EarlyData early_data_ = EarlyData::none;
  CipherSuite early_suite_{};  // of the ticket
  std::string early_protocol_;

  // The server asked for a certificate.
  struct Request {
    std::shared_ptr<const Identity> identity;  // null: none fits
    SignatureScheme scheme{};
    bool wants_ocsp = false;
  };
  std::optional<Request> request_;
  std::vector<uint8_t> peer_transport_parameters_;
};

}  // namespace quoll::tls
