// What passes between the core and whatever owns the socket: datagrams with their path and ECN mark.
//
// Both directions carry trains: datagrams of the same path, mark and size one after the other in one piece of memory,
// as GRO delivers and GSO takes them. The last datagram of a train may be shorter.
#pragma once

#include <cstdint>

#include "base/address.h"
#include "base/bytes.h"
#include "base/slice.h"
#include "base/time.h"

namespace quoll {

/// The two ends of a path, RFC 9000 §9. `local` has no IP address where the caller lets the kernel choose.
struct Path {
  SocketAddress local;
  SocketAddress remote;

  friend constexpr bool operator==(const Path&, const Path&) = default;
};

/// The ECN field of the IP header, RFC 3168 §5.
enum class Ecn : uint8_t { not_ect = 0, ect1 = 1, ect0 = 2, ce = 3 };

/// A datagram or a train that arrived. Packets are opened in place, so the core takes the memory over.
struct Received {
  Path path;
  Ecn ecn = Ecn::not_ect;
  Buffer data;
  uint16_t segment_size = 0;  // size of each datagram but the last of a train; 0 when there is only one
};

/// A datagram or a train to send.
struct Transmit {
  Path path;
  Ecn ecn = Ecn::not_ect;
  Bytes bytes;                // in the memory that the caller lent
  uint16_t segment_size = 0;  // as above
  Instant departure;          // not to leave before (pacing); a caller that cannot hold it back sends it at once
};

}  // namespace quoll
