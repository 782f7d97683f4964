// Control messages (RFC 3542 §20 and their IPv4 kin): ECN mark, local address, segment size and departure, beside a
// datagram or a train on its way in or out.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <optional>

#include "base/net.h"

namespace quoll::udp {

/// Room for all that is asked for, with what Linux adds for IPv4 on an IPv6 socket (it tells the address twice).
inline constexpr size_t kControlSize = 256;
using ControlBuffer = std::byte[kControlSize];

/// What goes out with a message: zero and "none" leave a piece out.
struct SendControl {
  Ecn ecn = Ecn::not_ect;
  IpAddress source;                       // of the socket's family, or IPv4 on an IPv6 socket
  uint16_t segment_size = 0;              // UDP_SEGMENT
  std::optional<Instant> departure = {};  // SCM_TXTIME, on the monotonic clock
};
/// Fills `buffer`, aligned as a cmsghdr, and points the message to it. `ipv4`: the datagram is one of IPv4.
void write_control(const SendControl& control, bool ipv4, ControlBuffer& buffer, msghdr& message);

struct ReceiveControl {
  Ecn ecn = Ecn::not_ect;
  IpAddress destination;
  uint16_t segment_size = 0;  // UDP_GRO
};
ReceiveControl read_control(msghdr& message);

}  // namespace quoll::udp
