// Outbox: takes transmits from an endpoint and sends them through its sockets; keeps what a full socket did not take.
//
// An endpoint of several sockets (one for each local address) tells by Path::local which one a transmit is for. Small
// transmits are collected, so that those of many connections go out in few calls of the kernel. A transmit whose
// departure lies ahead is given to the kernel at once, which may know what to do about it (SocketOptions::departures).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/net.h"
#include "udp/socket.h"

namespace quoll::udp {

inline constexpr size_t kTransmitSizeMax = 65'535 - 20 - 8;  // a GSO train: what IPv4 carries in one
inline constexpr size_t kTransmitsPerTurnMax = 64;           // then receiving gets its turn

class Outbox {
 public:
  enum class Progress : uint8_t {
    all_sent,  // the endpoint has nothing more
    limit,     // it may have: come back after receiving
    blocked,   // is_blocked()
  };
  template <class Endpoint>
  Progress transmit(Instant now, Endpoint& endpoint, std::span<Socket> sockets);

  /// The socket that has to become writable before transmit() can go on.
  std::optional<size_t> blocked_socket() const { return blocked_; }

 private:
  static constexpr size_t kCollectedMax = 32;
  // A full train is sent before the next one is made, so that one piece of memory stays in the cache.
  static constexpr size_t kScratchSize = 2 * kTransmitSizeMax;

  /// Takes transmits until there are enough for a call. False: the endpoint had nothing more.
  template <class Endpoint>
  bool collect(Instant now, Endpoint& endpoint);
  /// False: a socket was full.
  bool send_collected(std::span<Socket> sockets);

  std::unique_ptr<uint8_t[]> scratch_ = std::make_unique_for_overwrite<uint8_t[]>(kScratchSize);
  size_t used_ = 0;  // of the scratch
  std::array<Transmit, kCollectedMax> collected_;
  size_t first_ = 0, end_ = 0;  // of those that wait
  std::optional<size_t> blocked_;
};

/// The socket for a path: that of its local port and family, else the first.
size_t socket_for(std::span<const Socket> sockets, const Path& path);

template <class Endpoint>
Outbox::Progress Outbox::transmit(Instant now, Endpoint& endpoint, std::span<Socket> sockets) {
  for (size_t taken = 0;;) {
    const size_t before = end_;
    const bool more = collect(now, endpoint);
    taken += end_ - before;
    if (!send_collected(sockets)) return Progress::blocked;
    if (!more) return Progress::all_sent;
    if (taken >= kTransmitsPerTurnMax) return Progress::limit;
  }
}

template <class Endpoint>
bool Outbox::collect(Instant now, Endpoint& endpoint) {
  while (end_ < collected_.size() && kScratchSize - used_ >= kTransmitSizeMax) {
    const std::optional<Transmit> transmit =
        endpoint.poll_transmit(now, MutBytes(scratch_.get() + used_, kTransmitSizeMax));
    if (!transmit) return false;
    collected_[end_++] = *transmit;
    used_ = static_cast<size_t>(transmit->bytes.data() + transmit->bytes.size() - scratch_.get());
  }
  return true;
}

}  // namespace quoll::udp
