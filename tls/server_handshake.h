// The server's side of the handshake (RFC 8446 §2, appendix A.2), one function per state.
#pragma once

#include <memory>

#include "tls/handshake.h"

namespace quoll::tls {

class ServerHandshake : public Handshake {
 public:
  /// QUIC: ours, when ServerOptions had none; a usage error when nobody waits for them.
  [[nodiscard]] virtual Result<void> set_transport_parameters(std::vector<uint8_t> encoded, UnixTime now) = 0;
};

/// The machine that waits for a ClientHello. `context` outlives it. A usage error for a configuration that cannot work.
[[nodiscard]] Result<std::unique_ptr<ServerHandshake>> start_server_handshake(
    HandshakeContext& context, std::shared_ptr<const ServerConfig> config, ServerOptions options);

/// Over an established session: writes a NewSessionTicket to the outbox; nothing when it would be of no use: the client
/// does not take tickets, its certificate is too large for one, or it proved who it is too long ago. A usage error
/// without ticket keys.
struct TicketIssue {
  const ServerConfig& config;
  const Established& established;
  std::string_view server_name, application_protocol;
  Bytes resumption_context;
  Bytes early_data_context;
  Bytes client_certificate;  // DER leaf of an authenticated client, or empty
  UnixTime authenticated;    // of the full handshake
  uint64_t number;           // counts the tickets of this session: the nonce (RFC 8446 §4.6.1: unique)
};
[[nodiscard]] Result<void> issue_ticket(const TicketIssue& issue, Rng& rng, Outbox& out, UnixTime now);

}  // namespace quoll::tls
