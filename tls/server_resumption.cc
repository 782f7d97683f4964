#include "tls/server_resumption.h"

#include <algorithm>

#include "tls/alert.h"
#include "tls/cipher_suite.h"
#include "tls/server_negotiation.h"

namespace quoll::tls {
namespace {

/// Whether the times in the ticket still let it be used.
bool is_alive(const ServerTicket& ticket, UnixTime now) {
  const Duration lifetime = Duration::seconds(std::min(ticket.lifetime_seconds, kTicketLifetimeMax));
  if (now - ticket.issued > lifetime || ticket.issued - now > kTicketClockSkewMax) return false;
  // RFC 8446 §4.6.1: resumption after resumption does not live on for ever.
  return now - ticket.authenticated <= Duration::seconds(kTicketLifetimeMax);
}

/// Whether what the ticket says of the client satisfies the policy; fills in the certificate. The trust in it is that of
/// the full handshake: a path cannot be built again from the leaf alone.
bool satisfies(const ClientPolicy& policy, ServerPsk& psk, UnixTime now) {
  const Bytes der = psk.ticket ? Bytes(psk.ticket->client_certificate) : Bytes();
  if (der.empty()) return policy.authentication != ClientAuthentication::required;
  if (policy.authentication == ClientAuthentication::none) return false;
  Result<x509::Certificate> leaf = x509::Certificate::parse(der);
  if (!leaf || now < leaf->not_before || leaf->not_after < now) return false;
  psk.client_certificate = std::move(*leaf);
  return true;
}

std::optional<ServerPsk> from_ticket(const PskQuery& query, ServerTicket ticket, UnixTime now) {
  // RFC 8446 §4.6.1: only with a suite of the same hash as the original connection's.
  if (!is_supported(ticket.cipher_suite)) return {};
  const crypto::HashAlgorithm& hash = hash_of(query.provider, query.cipher_suite);
  if (hash_of(query.provider, ticket.cipher_suite).id != hash.id || ticket.psk.size() != hash.digest_size) return {};
  if (ticket.server_name != query.server_name || !is_alive(ticket, now)) return {};
  // RFC 9369 §5: a ticket of another version of QUIC is not accepted; more generally, one of another context.
  if (!std::ranges::equal(ticket.resumption_context, query.resumption_context)) return {};
  ServerPsk psk{.kind = PskKind::resumption, .key = ticket.psk, .cipher_suite = query.cipher_suite};
  psk.ticket = std::move(ticket);
  if (!satisfies(query.policy, psk, now)) return {};
  return psk;
}

/// RFC 8446 §4.2.11: external PSKs influence the choice of the suite, as long as it is free.
std::optional<CipherSuite> suite_for(const PskQuery& query, crypto::HashId hash) {
  if (hash_of(query.provider, query.cipher_suite).id == hash) return query.cipher_suite;
  if (query.is_retried) return {};
  return choose_cipher_suite(query.provider, query.hello.cipher_suites, query.config.preferences.cipher_suites, hash);
}

std::optional<ServerPsk> from_external(const PskQuery& query, const ExternalPsk& external, UnixTime now) {
  // A key that was never filled in: the key schedule would take zeros for it, which everybody knows.
  if (external.key.size() == 0) return {};
  const std::optional<CipherSuite> suite = suite_for(query, external.hash);
  if (!suite) return {};
  ServerPsk psk{.kind = PskKind::external, .key = external.key, .cipher_suite = *suite};
  if (!satisfies(query.policy, psk, now)) return {};
  return psk;
}

std::optional<ServerPsk> from_identity(const PskQuery& query, Bytes identity, UnixTime now) {
  if (query.config.ticket_keys) {
    std::optional<ServerTicket> ticket = query.config.ticket_keys->open(identity, now);
    if (ticket) return from_ticket(query, std::move(*ticket), now);
  }
  if (query.config.find_external_psk) {
    if (const ExternalPsk* external = query.config.find_external_psk(identity)) {
      return from_external(query, *external, now);
    }
  }
  return {};
}

/// RFC 8446 §8.3: whether the ClientHello was made about now, going by the age that the client gives its ticket.
bool is_fresh(const ServerTicket& ticket, uint32_t obfuscated_age, Duration window, UnixTime now) {
  const Duration claimed = Duration::milliseconds(uint32_t{obfuscated_age - ticket.age_add});
  return (now - ticket.issued - claimed).absolute() <= window;
}

/// Whether a client with this ticket keeps to what the configuration allows now.
bool allows_early_data(const ServerConfig& config, Mode mode, const ServerTicket& ticket) {
  if (!config.anti_replay || ticket.max_early_data_size == 0) return false;
  // RFC 9001 §4.6.1: over QUIC the size is a mark. It also tells a ticket of QUIC from one of TCP.
  if (mode == Mode::quic) return ticket.max_early_data_size == kQuicEarlyDataMark;
  return ticket.max_early_data_size <= config.max_early_data_size;
}

}  // namespace

std::optional<ServerPsk> find_psk(const PskQuery& query, UnixTime now) {
  // RFC 8446 §4.2.9: no mode that the client does not list.
  if (!query.hello.pre_shared_key || !accepts_psk_dhe_ke(query.hello)) return {};
  const PskOffer& offer = *query.hello.pre_shared_key;
  const size_t tried = std::min(offer.count, kPskIdentitiesTriedMax);
  for (size_t i = 0; i < tried; i++) {
    // RFC 8446 §4.2.11: identities that are not known are ignored.
    if (std::optional<ServerPsk> psk = from_identity(query, offer.identity(i).identity, now)) {
      psk->index = static_cast<uint16_t>(i);
      return psk;
    }
  }
  return {};
}

Result<void> check_binder(const KeySchedule& schedule, PskKind kind, Bytes truncated_hash, Bytes binder) {
  const Digest expected = finished_mac(schedule.hash(), schedule.binder_key(kind), truncated_hash);
  // RFC 8446 §4.2.11: a binder that does not hold ends the handshake.
  if (crypto::ct::equal(expected, binder)) return {};
  return abort_with(Alert::decrypt_error, "the PSK's binder is wrong");
}

bool accept_early_data(const EarlyDataQuery& query, UnixTime now) {
  const ServerPsk& psk = query.psk;
  // RFC 8446 §4.2.10: under the first PSK alone. External ones have no values of an earlier connection to go by.
  if (!query.hello.early_data || psk.index != 0 || !psk.ticket) return false;
  const ServerTicket& ticket = *psk.ticket;
  if (!allows_early_data(query.config, query.mode, ticket)) return false;
  // RFC 8446 §4.2.10: the same suite and protocol as then. RFC 9001 §4.6.3: and the same transport and application.
  if (ticket.cipher_suite != query.cipher_suite || ticket.application_protocol != query.application_protocol)
    return false;
  if (!std::ranges::equal(ticket.early_data_context, query.early_data_context)) return false;
  const uint32_t obfuscated_age = query.hello.pre_shared_key->identity(0).obfuscated_ticket_age;
  AntiReplay& anti_replay = *query.config.anti_replay;
  // RFC 8446 §8.2, §8.3: fresh, and seen for the first time, by a binder that was checked.
  return is_fresh(ticket, obfuscated_age, anti_replay.window(), now) &&
         anti_replay.admit(query.hello.pre_shared_key->binder(0), now);
}

}  // namespace quoll::tls
