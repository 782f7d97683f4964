// A datagram on its way through the simulated network, with what only the simulator knows of it.
#pragma once

#include <cstdint>
#include <vector>

#include "base/net.h"

namespace quoll::sim {

/// How a datagram came to be: what the referee may hold against an endpoint depends on it.
enum class Origin : uint8_t { sent, duplicated, replayed, forged };

struct Datagram {
  SocketAddress source;
  SocketAddress destination;
  Ecn ecn = Ecn::not_ect;
  std::vector<uint8_t> bytes;

  uint64_t id = 0;                // as numbered when it was sent; copies keep it
  Instant sent;                   // when the sender put it on the wire
  SocketAddress original_source;  // before any NAT
  Origin origin = Origin::sent;
  bool intact = true;  // the bytes are as they were sent
};

}  // namespace quoll::sim
