#include "web/resolve.h"

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "udp/sockaddr.h"

namespace quoll::web {
namespace {

using Family = IpAddress::Family;

std::vector<IpAddress> interleaved(const std::vector<IpAddress>& addresses) {
  std::vector<IpAddress> first, second, out;
  for (const IpAddress& address : addresses) {
    (address.family() == addresses.front().family() ? first : second).push_back(address);
  }
  for (size_t i = 0; i < std::max(first.size(), second.size()); i++) {
    if (i < first.size()) out.push_back(first[i]);
    if (i < second.size()) out.push_back(second[i]);
  }
  if (out.size() > kAddressesMax) out.resize(kAddressesMax);
  return out;
}

}  // namespace

Resolved resolve(const std::string& host, bool ipv4, bool ipv6) {
  const auto wanted = [&](const IpAddress& address) { return address.family() == Family::ipv4 ? ipv4 : ipv6; };
  if (const std::optional<IpAddress> literal = IpAddress::parse(host)) {
    if (wanted(*literal)) return {.addresses = {*literal}, .failure = {}};
    return {.addresses = {}, .failure = host + " is an address of the family that is switched off"};
  }
  addrinfo hints{};
  hints.ai_family = ipv4 && ipv6 ? AF_UNSPEC : ipv4 ? AF_INET : AF_INET6;
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* list = nullptr;
  if (const int error = getaddrinfo(host.c_str(), nullptr, &hints, &list); error != 0) {
    return {.addresses = {}, .failure = "cannot resolve " + host + ": " + gai_strerror(error)};
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(list, freeaddrinfo);
  std::vector<IpAddress> addresses;
  for (const addrinfo* entry = list; entry; entry = entry->ai_next) {
    const IpAddress address = udp::from_sockaddr(entry->ai_addr, entry->ai_addrlen).ip;
    if (address.family() == Family::none || !wanted(address)) continue;
    if (std::ranges::find(addresses, address) == addresses.end()) addresses.push_back(address);
  }
  if (addresses.empty()) return {.addresses = {}, .failure = "there is no address for " + host};
  return {.addresses = interleaved(addresses), .failure = {}};
}

}  // namespace quoll::web
