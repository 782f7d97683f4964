#include "quic/endpoint/connection_table.h"

#include <array>
#include <utility>

#include "base/shrink.h"

namespace quoll::quic {
namespace {

crypto::SipHash random_siphash(Rng& rng) {
  std::array<uint8_t, crypto::SipHash::kKeySize> key;
  rng.fill(key);
  return crypto::SipHash(key);
}

}  // namespace

ConnectionTable::ConnectionTable(Rng& rng, size_t limit) : siphash_(random_siphash(rng)), limit_(limit) {}

RouteKey ConnectionTable::hash(Kind kind, Bytes first, Bytes second, Bytes third) const {
  // The first part alone varies in size, and the total tells it: different routes give different messages.
  std::array<uint8_t, 1 + kConnectionIdSizeMax + 2 * SocketAddress::kKeySize> message;
  QUOLL_DCHECK(1 + first.size() + second.size() + third.size() <= message.size());
  uint8_t* end = message.data();
  *end++ = static_cast<uint8_t>(kind);
  for (const Bytes part : {first, second, third}) {
    copy_bytes(end, part);
    end += part.size();
  }
  const uint64_t value = siphash_(Bytes(message.data(), end));
  return RouteKey{value == 0 ? 1 : value};  // 0 marks free places
}

RouteKey ConnectionTable::by_id(Bytes id) const {
  return id.size() > kConnectionIdSizeMax ? RouteKey{0} : hash(Kind::id, id);
}

RouteKey ConnectionTable::by_initial(Bytes id, const SocketAddress& client) const {
  return id.size() > kConnectionIdSizeMax ? RouteKey{0} : hash(Kind::initial, id, client.key());
}

RouteKey ConnectionTable::by_address(const Path& path) const {
  return hash(Kind::address, path.local.key(), path.remote.key());
}

RouteKey ConnectionTable::by_token(Bytes token) const {
  QUOLL_DCHECK(token.size() == kStatelessResetTokenSize);
  return hash(Kind::token, token);
}

size_t ConnectionTable::place_of(uint64_t hash) const {
  size_t place = static_cast<size_t>(hash) & mask();
  while (entries_[place].hash != 0 && entries_[place].hash != hash) place = (place + 1) & mask();
  return place;
}

std::optional<ConnectionHandle> ConnectionTable::find(RouteKey key) const {
  if (entries_.empty() || key == RouteKey{0}) return {};
  const Entry& entry = entries_[place_of(static_cast<uint64_t>(key))];
  if (entry.hash == 0) return {};
  return entry.connection;
}

bool ConnectionTable::add(RouteKey key, ConnectionHandle connection) {
  const auto value = static_cast<uint64_t>(key);
  if (value == 0) return false;
  if (const auto present = find(key)) return *present == connection;
  if (size_ >= limit_) return false;
  // At most three quarters full, so that probes stay short.
  if (4 * (size_ + 1) > 3 * entries_.size()) resize(entries_.empty() ? kCapacityMin : 2 * entries_.size());
  entries_[place_of(value)] = {value, connection};
  size_++;
  return true;
}

void ConnectionTable::remove(RouteKey key) {
  if (!contains(key)) return;
  size_t free = place_of(static_cast<uint64_t>(key));
  // Entries behind the gap move into it unless that would put them before their own place.
  for (size_t at = (free + 1) & mask(); entries_[at].hash != 0; at = (at + 1) & mask()) {
    const size_t wanted = static_cast<size_t>(entries_[at].hash) & mask();
    if (((at - wanted) & mask()) < ((at - free) & mask())) continue;
    entries_[free] = entries_[at];
    free = at;
  }
  entries_[free] = {};
  size_--;
  if (size_ == 0) {
    release(entries_);
  } else if (entries_.size() > kCapacityMin && 8 * size_ < entries_.size()) {
    resize(entries_.size() / 2);
  }
}

void ConnectionTable::resize(size_t capacity) {
  const std::vector<Entry> old = std::exchange(entries_, std::vector<Entry>(capacity));
  for (const Entry& entry : old) {
    if (entry.hash != 0) entries_[place_of(entry.hash)] = entry;
  }
}

void ConnectionTable::check_invariants() const {
  size_t used = 0;
  for (size_t i = 0; i < entries_.size(); i++) {
    if (entries_[i].hash == 0) continue;
    used++;
    QUOLL_CHECK(place_of(entries_[i].hash) == i);
  }
  QUOLL_CHECK(used == size_ && size_ <= limit_);
  QUOLL_CHECK(entries_.empty() || 4 * size_ <= 3 * entries_.size());
}

}  // namespace quoll::quic
