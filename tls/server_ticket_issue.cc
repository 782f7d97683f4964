// issue_ticket() of tls/server_handshake.h: NewSessionTicket (RFC 8446 §4.6.1).
#include <algorithm>
#include <array>

#include "tls/cipher_suite.h"
#include "tls/grease.h"
#include "tls/server_handshake.h"
#include "tls/server_resumption.h"

namespace quoll::tls {
namespace {

/// What is left of the time for which one full handshake may be resumed, at most as configured; 0: nothing.
uint32_t lifetime_of(const TicketIssue& issue, UnixTime now) {
  const int64_t age = std::max<int64_t>(0, (now - issue.authenticated).as_milliseconds() / 1'000);
  if (age >= kTicketLifetimeMax) return 0;
  return std::min(issue.config.ticket_lifetime_seconds, kTicketLifetimeMax - static_cast<uint32_t>(age));
}

uint32_t early_data_size_of(const ServerConfig& config) {
  if (!config.anti_replay) return 0;
  return config.mode == Mode::quic ? kQuicEarlyDataMark : config.max_early_data_size;
}

}  // namespace

Result<void> issue_ticket(const TicketIssue& issue, Rng& rng, Outbox& out, UnixTime now) {
  const ServerConfig& config = issue.config;
  if (!config.ticket_keys) return usage_error("no keys to make tickets with");
  // RFC 8446 §4.2.9: no tickets that the client's modes do not fit.
  if (!issue.established.takes_tickets) return {};
  const uint32_t lifetime = lifetime_of(issue, now);
  if (lifetime == 0) return {};

  // RFC 8446 §4.6.1: a nonce of its own for each ticket, and so a PSK; and a fresh random age_add.
  std::array<uint8_t, 8> nonce;
  store_be(nonce.data(), issue.number);
  std::array<uint8_t, 4> age_add;
  rng.fill(age_add);
  const ServerTicket ticket{
      .cipher_suite = issue.established.cipher_suite,
      .psk = resumption_psk(hash_of(*config.provider, issue.established.cipher_suite),
                            issue.established.resumption_master, nonce),
      .issued = now,
      .authenticated = issue.authenticated,
      .lifetime_seconds = lifetime,
      .age_add = load_be<uint32_t>(age_add.data()),
      .max_early_data_size = early_data_size_of(config),
      .server_name = std::string(issue.server_name),
      .application_protocol = std::string(issue.application_protocol),
      .resumption_context = {issue.resumption_context.begin(), issue.resumption_context.end()},
      .early_data_context = {issue.early_data_context.begin(), issue.early_data_context.end()},
      .client_certificate = {issue.client_certificate.begin(), issue.client_certificate.end()},
  };
  const std::vector<uint8_t> sealed = config.ticket_keys->seal(ticket, rng, now);
  if (sealed.empty()) return {};

  NewSessionTicket message;
  message.lifetime_seconds = lifetime;
  message.age_add = ticket.age_add;
  message.nonce = nonce;
  message.ticket = sealed;
  if (ticket.max_early_data_size != 0) message.max_early_data_size = ticket.max_early_data_size;
  const RawExtension grease{.type = static_cast<ExtensionType>(draw_grease(rng)), .data = {}};
  const std::span<const RawExtension> extra(&grease, config.grease ? 1 : 0);
  out.message(Level::application, [&](auto& sink) { write_new_session_ticket(sink, message, extra); });
  return {};
}

}  // namespace quoll::tls
