#include "udp/sockaddr.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace quoll::udp {

namespace {
constexpr std::array<uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/// RFC 4007 §6: only these mean nothing without their interface; the kernel tells one for others too.
bool is_link_local(const in6_addr& address) {
  return address.s6_addr[0] == 0xfe && (address.s6_addr[1] & 0xc0) == 0x80;
}
}  // namespace

in_addr to_in_addr(const IpAddress& v4) {
  in_addr out{};
  if (v4.family() == IpAddress::Family::ipv4) std::memcpy(&out, v4.octets().data(), sizeof out);
  return out;
}

in6_addr to_in6_addr(const IpAddress& address) {
  in6_addr out{};
  switch (address.family()) {
    case IpAddress::Family::none:
      break;
    case IpAddress::Family::ipv4:
      copy_bytes(out.s6_addr, kMappedPrefix);
      copy_bytes(out.s6_addr + kMappedPrefix.size(), address.octets());
      break;
    case IpAddress::Family::ipv6:
      copy_bytes(out.s6_addr, address.octets());
      break;
  }
  return out;
}

IpAddress from_in_addr(const in_addr& address) {
  std::array<uint8_t, 4> octets;
  std::memcpy(octets.data(), &address, sizeof octets);
  return IpAddress::v4(octets);
}

IpAddress from_in6_addr(const in6_addr& address, uint32_t scope) {
  if (std::memcmp(address.s6_addr, kMappedPrefix.data(), kMappedPrefix.size()) == 0) {
    std::array<uint8_t, 4> octets;
    std::memcpy(octets.data(), address.s6_addr + kMappedPrefix.size(), sizeof octets);
    return IpAddress::v4(octets);
  }
  std::array<uint8_t, 16> octets;
  std::memcpy(octets.data(), address.s6_addr, sizeof octets);
  return IpAddress::v6(octets, is_link_local(address) ? scope : 0);
}

socklen_t to_sockaddr(const SocketAddress& address, int family, Sockaddr& out) {
  if (family == AF_INET) {
    if (address.ip.family() == IpAddress::Family::ipv6) return 0;
    out.v4 = {};
    out.v4.sin_family = AF_INET;
    out.v4.sin_port = htons(address.port);
    out.v4.sin_addr = to_in_addr(address.ip);
    return sizeof out.v4;
  }
  out.v6 = {};
  out.v6.sin6_family = AF_INET6;
  out.v6.sin6_port = htons(address.port);
  out.v6.sin6_addr = to_in6_addr(address.ip);
  out.v6.sin6_scope_id = address.ip.scope();
  return sizeof out.v6;
}

SocketAddress from_sockaddr(const Sockaddr& address) {
  if (address.any.sa_family == AF_INET) return {from_in_addr(address.v4.sin_addr), ntohs(address.v4.sin_port)};
  if (address.any.sa_family == AF_INET6) {
    return {from_in6_addr(address.v6.sin6_addr, address.v6.sin6_scope_id), ntohs(address.v6.sin6_port)};
  }
  return {};
}

SocketAddress from_sockaddr(const sockaddr* address, socklen_t size) {
  Sockaddr copy{};
  std::memcpy(static_cast<void*>(&copy), address, std::min<size_t>(size, sizeof copy));
  const bool whole = (copy.any.sa_family == AF_INET && size >= sizeof copy.v4) ||
                     (copy.any.sa_family == AF_INET6 && size >= sizeof copy.v6);
  return whole ? from_sockaddr(copy) : SocketAddress{};
}

bool is_wildcard(const IpAddress& address) {
  return std::ranges::all_of(address.octets(), [](uint8_t octet) { return octet == 0; });
}

}  // namespace quoll::udp
