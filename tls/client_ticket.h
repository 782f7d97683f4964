// What a client keeps of a session to resume it: the ticket, its PSK, and what must be remembered for 0-RTT (RFC 8446
// §4.6.1; RFC 9001 §4.6). The encoding is our own, versioned; it holds a secret, so a file of it wants mode 0600.
#pragma once

#include <deque>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unix_time.h"
#include "crypto/hash.h"
#include "tls/codepoints.h"

namespace quoll::tls {

/// RFC 8446 §4.6.1: a client never uses a ticket longer than this, whatever its lifetime says.
inline constexpr uint32_t kTicketLifetimeMax = 604'800;  // seconds

struct ClientTicket {
  std::string server_name;
  std::string application_protocol;  // in 0-RTT, the same must be negotiated again
  CipherSuite cipher_suite{};
  crypto::Digest psk;
  std::vector<uint8_t> ticket;
  uint32_t lifetime_seconds = 0;
  uint32_t age_add = 0;
  uint32_t max_early_data_size = 0;  // 0: no 0-RTT; QUIC has 0xffffffff (RFC 9001 §4.6.1)
  UnixTime received;
  UnixTime authenticated_until;  // notAfter of the server's certificate: resumption does not outlive it
  /// The server proved who it is, by a chain, a pin or to the application: only then does the ticket spare another
  /// connection that asks for it. One that was earned without (PeerVerification::none) resumes only without.
  bool server_verified = false;
  std::vector<uint8_t> transport_parameters;  // the server's of that connection (QUIC), encoded
  std::vector<uint8_t> application_settings;  // the application's, such as HTTP/3 SETTINGS; set by its owner

  /// Whether it may be offered at `now`: it has a lifetime that is not over (nor are seven days), and the server's
  /// certificate is still valid. False as well before `received`: a clock that was set back cannot tell the age.
  bool is_usable(UnixTime now) const;
  /// PskIdentity.obfuscated_ticket_age (RFC 8446 §4.2.11.1).
  uint32_t obfuscated_age(UnixTime now) const;

  /// The caller wipes the encoding. Empty when a field is over its limit (names 255 bytes, the others 65535), a time is
  /// outside of years 0 to 9999, the ticket is empty, or the PSK has not the size of the suite's hash.
  std::vector<uint8_t> encode() const;
  /// crypto::Failure::malformed unless `encoded` is exactly what encode() gives for some ticket.
  [[nodiscard]] static Result<ClientTicket> decode(Bytes encoded);

  friend bool operator==(const ClientTicket&, const ClientTicket&) = default;
};

/// Tickets by server name, each given out once (RFC 8446 appendix C.4: a ticket used twice lets observers link
/// connections). Bounded: of a server, its oldest tickets go first; of servers, the one that got a ticket longest ago.
/// A ticket spares the verification that its first connection did: keep a store for each trust store, set of pins or
/// verifier, and begin a new one when these get stricter. Names are told apart as they are written: lower case, no dot
/// at the end. Not thread-safe.
class ClientTicketStore {
 public:
  explicit ClientTicketStore(size_t servers_max = 256, size_t tickets_per_server_max = 4)
      : servers_max_(servers_max), tickets_per_server_max_(tickets_per_server_max) {}
  ClientTicketStore(const ClientTicketStore&) = delete;
  ClientTicketStore& operator=(const ClientTicketStore&) = delete;

  void put(ClientTicket ticket);
  /// The newest usable ticket for the server, removed from the store; unusable ones are dropped on the way.
  std::optional<ClientTicket> take(std::string_view server_name, UnixTime now);
  size_t size() const { return size_; }

 private:
  struct Server;
  using Servers = std::map<std::string, Server, std::less<>>;
  struct Server {
    std::deque<ClientTicket> tickets;              // newest last, never empty between calls
    std::list<Servers::iterator>::iterator place;  // in order_
  };
  void remove(Servers::iterator server);

  size_t servers_max_, tickets_per_server_max_;
  size_t size_ = 0;
  Servers by_server_;
  std::list<Servers::iterator> order_;  // least recently filled first
};

}  // namespace quoll::tls
