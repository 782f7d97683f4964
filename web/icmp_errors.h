// What ICMP says of datagrams that a client's socket has sent: that nobody listens there. Linux tells it where it was
// asked to; elsewhere nothing is told.
//
// It is a hint and no more (RFC 9000 §14.2.1, RFC 8085 §5.2): who can guess a port can forge it, so it moves on an
// attempt to connect, and never touches a connection that is established.
#pragma once

#include <functional>

#include "base/address.h"
#include "udp/socket.h"

namespace quoll::web {

/// Asks the kernel to keep such messages for the socket.
void want_icmp_errors(const udp::Socket& socket);
/// Takes those that have arrived; `refused` gets the address that a datagram was for.
void take_icmp_errors(const udp::Socket& socket, const std::function<void(const SocketAddress&)>& refused);

}  // namespace quoll::web
