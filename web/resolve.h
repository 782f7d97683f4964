// Addresses of a host: an address literal, or what the system's resolver says (RFC 6724 orders them).
#pragma once

#include <string>
#include <vector>

#include "base/address.h"

namespace quoll::web {

/// Addresses of one server that are tried at most: DNS may name any number.
inline constexpr size_t kAddressesMax = 16;

struct Resolved {
  std::vector<IpAddress> addresses;
  std::string failure;  // one line, when there is none
};

/// Blocks while the resolver asks. Families take turns (RFC 8305 §4), the resolver's first one first.
Resolved resolve(const std::string& host, bool ipv4, bool ipv6);

}  // namespace quoll::web
