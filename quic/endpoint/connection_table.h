// ConnectionTable: which connection a datagram belongs to (RFC 9000 §5.2), by one of four kinds of routes:
//
//   by_id        a connection id that the endpoint issued
//   by_initial   the id that a client chose for its first packets, together with its address: two clients may choose the
//                same one, and nobody can claim an id for other addresses than his own
//   by_address   the addresses of a connection whose ids have no bytes
//   by_token     a peer's stateless reset token, for datagrams that nothing else routes (RFC 9000 §10.3.1)
//
// Open addressing over 64-bit SipHash values under a key of the table's own. The hash stands for the route: nobody
// without the key can make two routes meet (by chance it happens once in 2^24 tables of a million), and tokens are not
// kept as they are (RFC 9000 §10.3.1 asks that looking one up tells nothing about it). A meeting is refused as "taken".
// Memory follows the number of routes both ways: 16 bytes each, at most `limit` of them.
#pragma once

#include <optional>
#include <vector>

#include "base/net.h"
#include "base/rng.h"
#include "crypto/siphash.h"
#include "quic/endpoint/connection_handle.h"
#include "quic/wire/stateless_reset.h"
#include "quic/wire/types.h"

namespace quoll::quic {

/// The hash of a route. What holds routes keeps this to remove them again.
enum class RouteKey : uint64_t {};

class ConnectionTable {
 public:
  /// At most `limit` routes.
  ConnectionTable(Rng& rng, size_t limit);

  // Connection ids on the wire may have up to 255 bytes; none over kConnectionIdSizeMax is in the table.
  RouteKey by_id(Bytes id) const;
  RouteKey by_initial(Bytes id, const SocketAddress& client) const;
  RouteKey by_address(const Path& path) const;
  RouteKey by_token(Bytes token) const;

  /// False, and nothing changed, when the route leads to another connection or the table is full. True as well when it
  /// led there already.
  [[nodiscard]] bool add(RouteKey key, ConnectionHandle connection);
  /// Nothing happens when there is no such route.
  void remove(RouteKey key);
  std::optional<ConnectionHandle> find(RouteKey key) const;
  bool contains(RouteKey key) const { return find(key).has_value(); }

  size_t size() const { return size_; }
  /// Places for routes, used or not.
  size_t capacity() const { return entries_.size(); }
  void check_invariants() const;

 private:
  struct Entry {
    uint64_t hash = 0;  // 0: free
    ConnectionHandle connection{};
  };
  enum class Kind : uint8_t { id, initial, address, token };
  static constexpr size_t kCapacityMin = 16;

  RouteKey hash(Kind kind, Bytes first, Bytes second = {}, Bytes third = {}) const;
  size_t mask() const { return entries_.size() - 1; }
  /// Where the hash is, or the free place where it would go. There is a free place.
  size_t place_of(uint64_t hash) const;
  void resize(size_t capacity);

  crypto::SipHash siphash_;
  size_t limit_;
  size_t size_ = 0;
  std::vector<Entry> entries_;  // a power of two, or none
};

}  // namespace quoll::quic
