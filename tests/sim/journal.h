// Journal: the last few thousand things that happened, kept small and put into words only when a scenario fails; and
// what the referee counts of the network: when datagrams were delivered and when they were lost.
#pragma once

#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include "tests/sim/datagram.h"

namespace quoll::sim {

/// Towards whom a datagram goes.
enum class Direction : uint8_t { to_server, to_client };
constexpr size_t index_of(Direction direction) { return static_cast<size_t>(direction); }
constexpr Direction reverse(Direction direction) {
  return direction == Direction::to_server ? Direction::to_client : Direction::to_server;
}

class Journal {
 public:
  static constexpr size_t kCapacity = 6'000;

  /// Something about a datagram; `what` is static text.
  void datagram(Instant now, Direction direction, const char* what, const Datagram& datagram);
  /// Anything else.
  void note(Instant now, std::string text);

  /// A datagram as it was sent arrived at the host, or was lost on the way there.
  void count_delivery(Instant now, Direction direction) { deliveries_[index_of(direction)].push_back(now); }
  void count_loss(Instant now, Direction direction) { losses_[index_of(direction)].push_back(now); }
  /// In (after, until].
  size_t deliveries(Direction direction, Instant after, Instant until) const {
    return count(deliveries_[index_of(direction)], after, until);
  }
  size_t losses(Direction direction, Instant after, Instant until) const {
    return count(losses_[index_of(direction)], after, until);
  }
  size_t losses(Instant after, Instant until) const {
    return losses(Direction::to_server, after, until) + losses(Direction::to_client, after, until);
  }

  void write(std::FILE* file) const;

 private:
  struct Entry {
    Instant when;
    Direction direction = Direction::to_server;
    const char* what = nullptr;  // null: text
    uint64_t id = 0;
    uint32_t size = 0;
    uint16_t source_port = 0, destination_port = 0;
    Ecn ecn = Ecn::not_ect;
    Origin origin = Origin::sent;
    bool intact = true;
    std::array<uint8_t, 6> start{};
    std::string text{};
  };
  static size_t count(const std::vector<Instant>& times, Instant after, Instant until);
  void add(Entry entry);

  std::vector<Entry> entries_;  // a ring once it is full
  size_t next_ = 0;
  std::array<std::vector<Instant>, 2> deliveries_;
  std::array<std::vector<Instant>, 2> losses_;
};

/// What the first bytes say a packet is: "Initial v1", "1-RTT", "Retry v2", ...
std::string packet_name(Bytes start);

}  // namespace quoll::sim
