// SocketAddress to and from the system's sockaddr. Elsewhere in the project nobody sees one.
//
// IPv4 addresses that an IPv6 socket knows as ::ffff:a.b.c.d (RFC 4291 §2.5.5.2) are plain IPv4 addresses to us.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <optional>

#include "base/address.h"

namespace quoll::udp {

union Sockaddr {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
};

/// Writes `address` for a socket of `family` (AF_INET or AF_INET6) and gives the size; 0 when the family cannot have it.
/// No IP address means the wildcard.
socklen_t to_sockaddr(const SocketAddress& address, int family, Sockaddr& out);
/// No IP address when the family is neither.
SocketAddress from_sockaddr(const Sockaddr& address);
/// The same for an address from another system call, such as getaddrinfo's.
SocketAddress from_sockaddr(const sockaddr* address, socklen_t size);

IpAddress from_in_addr(const in_addr& address);
IpAddress from_in6_addr(const in6_addr& address, uint32_t scope);
in_addr to_in_addr(const IpAddress& v4);
/// IPv4 addresses are mapped.
in6_addr to_in6_addr(const IpAddress& address);

bool is_wildcard(const IpAddress& address);

}  // namespace quoll::udp
