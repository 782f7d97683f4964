#include "interop/link/netlink.h"

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

namespace quoll::link {
namespace {

std::unexpected<Error> system_error(int code, const char* reason) {
  return std::unexpected(Error{.domain = ErrorDomain::system, .code = static_cast<uint64_t>(code), .reason = reason});
}

template <class T>
Bytes raw(const T& value) {
  return {reinterpret_cast<const uint8_t*>(&value), sizeof value};
}

uint8_t number_of(IpAddress::Family family) { return family == IpAddress::Family::ipv4 ? AF_INET : AF_INET6; }

}  // namespace

/// A request: the header, a fixed part, attributes; each begins at a multiple of four.
class Netlink::Message {
 public:
  template <class Fixed>
  Message(uint16_t type, uint16_t flags, const Fixed& fixed) {
    nlmsghdr header{};
    header.nlmsg_type = type;
    header.nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
    append(raw(header));
    append(raw(fixed));
  }

  void add(uint16_t type, Bytes value) {
    rtattr attribute{};
    attribute.rta_len = static_cast<uint16_t>(sizeof attribute + value.size());
    attribute.rta_type = type;
    append(raw(attribute));
    append(value);
  }
  /// An attribute whose value are the attributes added until end_nested(), which is given what this returns.
  size_t begin_nested(uint16_t type) {
    const size_t at = bytes_.size();
    rtattr attribute{};
    attribute.rta_type = type;
    append(raw(attribute));
    return at;
  }
  void end_nested(size_t at) {
    const auto size = static_cast<uint16_t>(bytes_.size() - at);
    std::memcpy(bytes_.data() + at + offsetof(rtattr, rta_len), &size, sizeof size);
  }
  std::vector<uint8_t> finished() const {
    std::vector<uint8_t> bytes = bytes_;
    const auto size = static_cast<uint32_t>(bytes.size());
    std::memcpy(bytes.data() + offsetof(nlmsghdr, nlmsg_len), &size, sizeof size);
    return bytes;
  }

 private:
  void append(Bytes value) {
    bytes_.insert(bytes_.end(), value.begin(), value.end());
    bytes_.resize((bytes_.size() + 3) / 4 * 4);
  }

  std::vector<uint8_t> bytes_;
};

Result<Netlink> Netlink::open() {
  const int fd = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) return system_error(errno, "cannot open a netlink socket");
  return Netlink(fd);
}

Netlink::~Netlink() {
  if (fd_ >= 0) ::close(fd_);
}

Result<void> Netlink::add_address(int device, const InterfaceAddress& address) {
  ifaddrmsg fixed{};
  fixed.ifa_family = number_of(address.address.family());
  fixed.ifa_prefixlen = address.prefix_size;
  fixed.ifa_flags = IFA_F_NODAD;
  fixed.ifa_index = static_cast<uint32_t>(device);
  Message message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, fixed);
  message.add(IFA_LOCAL, address.address.octets());
  message.add(IFA_ADDRESS, address.address.octets());
  return request(message, "cannot add an address");
}

Result<void> Netlink::add_default_route(int device, IpAddress::Family family) {
  rtmsg fixed{};
  fixed.rtm_family = number_of(family);
  fixed.rtm_table = RT_TABLE_MAIN;
  fixed.rtm_protocol = RTPROT_STATIC;
  fixed.rtm_scope = family == IpAddress::Family::ipv4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  fixed.rtm_type = RTN_UNICAST;
  Message message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, fixed);
  message.add(RTA_OIF, raw(device));
  return request(message, "cannot add a default route");
}

Result<void> Netlink::suppress_link_local(int device) {
  ifinfomsg fixed{};
  fixed.ifi_family = AF_UNSPEC;
  fixed.ifi_index = device;
  Message message(RTM_SETLINK, 0, fixed);
  const size_t families = message.begin_nested(IFLA_AF_SPEC);
  const size_t ipv6 = message.begin_nested(AF_INET6);
  const uint8_t mode = IN6_ADDR_GEN_MODE_NONE;
  message.add(IFLA_INET6_ADDR_GEN_MODE, raw(mode));
  message.end_nested(ipv6);
  message.end_nested(families);
  return request(message, "cannot turn link-local addresses off");
}

Result<void> Netlink::request(const Message& message, const char* reason) {
  const std::vector<uint8_t> bytes = message.finished();
  if (::send(fd_, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    return system_error(errno, reason);
  alignas(nlmsghdr) uint8_t answer[4096];
  const ssize_t size = ::recv(fd_, answer, sizeof answer, 0);
  if (size < 0) return system_error(errno, reason);
  nlmsghdr header;
  nlmsgerr status;
  if (static_cast<size_t>(size) < sizeof header + sizeof status) return system_error(EBADMSG, reason);
  std::memcpy(&header, answer, sizeof header);
  std::memcpy(&status, answer + NLMSG_HDRLEN, sizeof status);
  if (header.nlmsg_type != NLMSG_ERROR) return system_error(EBADMSG, reason);
  if (status.error != 0) return system_error(-status.error, reason);
  return {};
}

}  // namespace quoll::link
