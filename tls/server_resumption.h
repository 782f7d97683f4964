// PSKs on a server (RFC 8446 §4.2.10, §4.2.11, §8): which of the offered identities is used, whether its binder holds,
// and whether early data under it is accepted. Tickets of ours and external PSKs; psk_dhe_ke only.
//
// A ticket is used only for the server name that it was issued for, although RFC 8446 §4.2.11 lets servers be laxer:
// identities, client policies and what 0-RTT may mean all hang on the name. Nor is it used where the server's resumption
// context is another one, such as another version of QUIC (RFC 9369 §5). A ticket that is refused is no error, a full
// handshake follows; only a wrong binder ends the handshake.
#pragma once

#include <optional>
#include <string_view>

#include "tls/config.h"
#include "tls/key_schedule.h"
#include "tls/messages.h"

namespace quoll::tls {

/// How far in the future a ticket may have been issued: servers that share ticket keys do not share a clock.
inline constexpr Duration kTicketClockSkewMax = Duration::seconds(60);

/// NewSessionTicket's max_early_data_size over QUIC: a mark, not a size (RFC 9001 §4.6.1).
inline constexpr uint32_t kQuicEarlyDataMark = 0xffffffff;

/// The PSK that a server uses.
struct ServerPsk {
  uint16_t index = 0;  // of the identity in the offer
  PskKind kind = PskKind::resumption;
  crypto::Digest key;
  CipherSuite cipher_suite{};                                // to be selected with it: of the key's hash
  std::optional<ServerTicket> ticket = {};                   // what was sealed in it; empty for an external PSK
  std::optional<x509::Certificate> client_certificate = {};  // the ticket's, parsed
};

struct PskQuery {
  const crypto::Provider& provider;
  const ServerConfig& config;
  const ClientHello& hello;
  std::string_view server_name;  // as requested_server_name() gives it
  const ClientPolicy& policy;    // for this name
  Bytes resumption_context;      // this server's
  CipherSuite cipher_suite{};    // selected if no PSK is used
  bool is_retried = false;       // a HelloRetryRequest has named the suite already
};

/// The first usable identity among the first kPskIdentitiesTriedMax. Its binder is not checked yet.
std::optional<ServerPsk> find_psk(const PskQuery& query, UnixTime now);

/// Checks the binder of the PSK that `schedule` was made with. `truncated_hash` is the transcript's up to and without the
/// binders (RFC 8446 §4.2.11.2). decrypt_error when it does not hold.
[[nodiscard]] Result<void> check_binder(const KeySchedule& schedule, PskKind kind, Bytes truncated_hash, Bytes binder);

struct EarlyDataQuery {
  const ServerConfig& config;
  Mode mode;
  const ClientHello& hello;
  const ServerPsk& psk;  // its binder holds
  CipherSuite cipher_suite{};
  std::string_view application_protocol;
  Bytes early_data_context;  // this server's
};

/// Whether the early data that the hello announces is accepted. Anti-replay is asked last and only if all else holds:
/// asking admits.
bool accept_early_data(const EarlyDataQuery& query, UnixTime now);

}  // namespace quoll::tls
