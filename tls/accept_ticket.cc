#include "tls/alert.h"
#include "tls/cipher_suite.h"
#include "tls/client_handshake.h"

namespace quoll::tls {

Result<std::optional<ClientTicket>> accept_ticket(const TicketContext& context, Bytes body, UnixTime now) {
  const Result<NewSessionTicket> message = parse_new_session_ticket(body);
  if (!message) return std::unexpected(message.error());
  // RFC 8446 §4.6.1: servers must not say more than seven days.
  if (message->lifetime_seconds > kTicketLifetimeMax) {
    return abort_with(Alert::illegal_parameter, "a ticket that lives longer than seven days");
  }
  // RFC 9001 §4.6.1: over QUIC only this value.
  if (context.mode == Mode::quic && message->max_early_data_size.value_or(0xffffffff) != 0xffffffff) {
    return quic_protocol_violation("a ticket with a limit on early data, over QUIC");
  }
  // RFC 8446 §4.6.1: a ticket to be thrown away at once. So is one whose server's certificate has expired meanwhile.
  if (message->lifetime_seconds == 0 || context.authenticated_until < now) return std::nullopt;
  // No fault of the server's, but it could not be offered.
  if (message->ticket.size() > kTicketSizeMax) return std::nullopt;

  const CipherSuite suite = context.established.cipher_suite;
  ClientTicket ticket;
  ticket.server_name = context.server_name;
  ticket.application_protocol = context.application_protocol;
  ticket.cipher_suite = suite;
  ticket.psk = resumption_psk(hash_of(context.provider, suite), context.established.resumption_master, message->nonce);
  ticket.ticket.assign(message->ticket.begin(), message->ticket.end());
  ticket.lifetime_seconds = message->lifetime_seconds;
  ticket.age_add = message->age_add;
  // RFC 9001 §4.6.3: 0-RTT over QUIC wants the transport parameters that were remembered.
  const bool allows_early_data = context.mode == Mode::stream || !context.transport_parameters.empty();
  ticket.max_early_data_size = allows_early_data ? message->max_early_data_size.value_or(0) : 0;
  ticket.received = now;
  ticket.authenticated_until = context.authenticated_until;
  ticket.server_verified = context.server_verified;
  ticket.transport_parameters.assign(context.transport_parameters.begin(), context.transport_parameters.end());
  return ticket;
}

}  // namespace quoll::tls
