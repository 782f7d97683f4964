// SocketAddress::parse and IpAddress::parse of any text: what is accepted prints, and what was printed parses to the
// same address and prints the same again.
#include "base/address.h"
#include "base/check.h"

using namespace quoll;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = as_text(Bytes(data, size));
  if (const auto address = SocketAddress::parse(text)) {
    const std::string printed = address->to_string();
    QUOLL_CHECK(SocketAddress::parse(printed) == address);
    QUOLL_CHECK(IpAddress::parse(address->ip.to_string()) == address->ip);
  }
  if (const auto ip = IpAddress::parse(text)) {
    QUOLL_CHECK(IpAddress::parse(ip->to_string()) == ip);
    QUOLL_CHECK(ip->octets().size() == (ip->family() == IpAddress::Family::ipv4 ? 4 : 16));
    QUOLL_CHECK(!SocketAddress::parse(text) || ip->family() == IpAddress::Family::ipv6);
  }
  return 0;
}
