// The server's side of the handshake (RFC 8446 §2, appendix A.2), one function per state.
#pragma once

#include <memory>

#include "tls/handshake.h"

namespace quoll::tls {

/// A client's certificate that is larger (bytes) is not put into tickets, so such a client gets none.
inline constexpr size_t kTicketCertificateSizeMax = 4 * 1024;

/// What tickets carry besides the secrets and Negotiated; the session keeps it for tickets that it sends later.
struct TicketBasis {
  std::vector<uint8_t> early_data_context;
  std::vector<uint8_t> client_certificate;  // DER leaf of an authenticated client, or empty
  UnixTime authenticated;                   // of the full handshake
  uint64_t issued = 0;                      // tickets so far: the number of the next one
};

class ServerHandshake : public Handshake {
 public:
  /// QUIC: ours, when ServerOptions had none; a usage error when nobody waits for them.
  [[nodiscard]] virtual Result<void> set_transport_parameters(std::vector<uint8_t> encoded, UnixTime now) = 0;

  /// Set together with established(); empty when the session must not send tickets: there are no ticket keys, the client
  /// cannot resume in a way that we do, or its certificate is larger than kTicketCertificateSizeMax.
  virtual std::optional<TicketBasis>& ticket_basis() = 0;
};

/// The machine that waits for a ClientHello. `context` outlives it. A usage error for a configuration that cannot work.
[[nodiscard]] Result<std::unique_ptr<ServerHandshake>> start_server_handshake(
    HandshakeContext& context, std::shared_ptr<const ServerConfig> config, ServerOptions options);

/// Over an established session: writes a NewSessionTicket to the outbox; nothing when `authenticated` lies so far back
/// that it would not live for a second. A usage error without ticket keys.
struct TicketIssue {
  const ServerConfig& config;
  const Established& established;
  std::string_view server_name, application_protocol;
  Bytes early_data_context;
  Bytes client_certificate;  // DER leaf of an authenticated client, or empty
  UnixTime authenticated;    // of the full handshake
  uint64_t number;           // counts the tickets of this session: the nonce (RFC 8446 §4.6.1: unique)
};
[[nodiscard]] Result<void> issue_ticket(const TicketIssue& issue, Rng& rng, Outbox& out, UnixTime now);

}  // namespace quoll::tls
