// Handshake: the interface between a Session and the state machine of its role, and what the two roles share.
//
// A Session cuts the bytes into messages, checks that each comes at the level where one is due and that none spans a key
// change, and hands it over. The machine adds messages to the transcript, answers through the Outbox, and in the end
// leaves Established behind; then it is freed.
#pragma once

#include <optional>

#include "tls/alert.h"
#include "tls/key_schedule.h"
#include "tls/messages.h"
#include "tls/outbox.h"
#include "tls/transcript.h"

namespace quoll::tls {

/// One message as it came: `whole` is header and body.
struct HandshakeMessage {
  HandshakeType type{};
  Bytes body;
  Bytes whole;
};

/// The secrets that outlive the handshake.
struct Established {
  CipherSuite cipher_suite{};
  Digest exporter_master;
  Digest resumption_master;
  Digest client_application_traffic;  // streams only: KeyUpdate needs them
  Digest server_application_traffic;
  /// Server: when the client last proved who it is with a full handshake. Client: until when the server's certificate
  /// holds. Both are carried over by resumption.
  UnixTime authenticated;
  UnixTime authenticated_until;
  bool takes_tickets = false;                      // server: the client resumes in the mode that we do (psk_dhe_ke)
  std::vector<uint8_t> peer_transport_parameters;  // client over QUIC: tickets remember them
};

/// What both machines are given and work with. The Session owns it and outlives them.
struct HandshakeContext {
  const crypto::Provider& provider;
  Mode mode;
  Rng& rng;
  KeyLog* key_log;
  Outbox out = {};
  Negotiated negotiated = {};
  struct EarlyExporter {
    CipherSuite cipher_suite{};  // of the PSK
    Digest master;
  };
  std::optional<EarlyExporter> early_exporter = {};  // while 0-RTT is offered or accepted
  std::optional<Digest> exporter_master = {};        // as soon as it is known
};

class Handshake {
 public:
  virtual ~Handshake() = default;

  /// Where the next message is due; empty when none is (a server that waits for transport parameters).
  virtual std::optional<Level> due() const = 0;

  /// The message is complete, at the level where it is due.
  [[nodiscard]] virtual Result<void> on_message(const HandshakeMessage& message, UnixTime now) = 0;

  /// Set when the machine has reached its end; HandshakeComplete was put out.
  virtual std::optional<Established>& established() = 0;
};

/// The body of a message whose type is already known to be wrong or not, checked in one place:
/// unexpected_message (RFC 8446 §4).
inline Result<void> expect(const HandshakeMessage& message, HandshakeType type) {
  if (message.type == type) return {};
  return abort_with(Alert::unexpected_message, "a handshake message that is not due");
}

}  // namespace quoll::tls
