// The client's side of the handshake (RFC 8446 §2, appendix A.1), one function per state.
#pragma once

#include <memory>

#include "tls/handshake.h"

namespace quoll::tls {

/// Puts out the ClientHello and returns the machine that waits for the ServerHello. `context` outlives it. A usage error for
/// a configuration that cannot work.
[[nodiscard]] Result<std::unique_ptr<Handshake>> start_client_handshake(HandshakeContext& context,
                                                                        std::shared_ptr<const ClientConfig> config,
                                                                        ClientOptions options, UnixTime now);

/// Over an established session: a NewSessionTicket (body) becomes a ClientTicket. Alerts for bad ones; empty for a ticket
/// that is to be thrown away (lifetime 0) or is larger than kTicketSizeMax.
struct TicketContext {
  const crypto::Provider& provider;
  Mode mode;
  const Established& established;
  std::string_view server_name, application_protocol;
  UnixTime authenticated_until;
  Bytes transport_parameters;
  bool server_verified = false;
};
[[nodiscard]] Result<std::optional<ClientTicket>> accept_ticket(const TicketContext& context, Bytes body, UnixTime now);

}  // namespace quoll::tls
