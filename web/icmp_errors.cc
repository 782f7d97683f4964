#include "web/icmp_errors.h"

#if defined(__linux__)

#include <linux/errqueue.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include "udp/sockaddr.h"

namespace quoll::web {
namespace {

constexpr int kMessagesMax = 64;  // in one go: the rest is there next time

bool is_refusal(msghdr& message) {
  for (cmsghdr* control = CMSG_FIRSTHDR(&message); control; control = CMSG_NXTHDR(&message, control)) {
    const bool ipv4 = control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_RECVERR;
    const bool ipv6 = control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_RECVERR;
    if (!ipv4 && !ipv6) continue;
    sock_extended_err error{};
    std::memcpy(&error, CMSG_DATA(control), sizeof error);
    const bool from_network = error.ee_origin == SO_EE_ORIGIN_ICMP || error.ee_origin == SO_EE_ORIGIN_ICMP6;
    if (from_network && (error.ee_errno == ECONNREFUSED || error.ee_errno == EHOSTUNREACH ||
                         error.ee_errno == ENETUNREACH || error.ee_errno == EACCES)) {
      return true;
    }
  }
  return false;
}

}  // namespace

void want_icmp_errors(const udp::Socket& socket) {
  const int on = 1;
  if (socket.local_address().ip.family() == IpAddress::Family::ipv6) {
    (void)setsockopt(socket.fd(), IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
  } else {
    (void)setsockopt(socket.fd(), IPPROTO_IP, IP_RECVERR, &on, sizeof on);
  }
}

void take_icmp_errors(const udp::Socket& socket, const std::function<void(const SocketAddress&)>& refused) {
  for (int i = 0; i < kMessagesMax; i++) {
    sockaddr_storage name{};
    alignas(cmsghdr) std::array<uint8_t, 512> control;
    std::array<uint8_t, 64> quoted;
    iovec piece{.iov_base = quoted.data(), .iov_len = quoted.size()};
    msghdr message{};
    message.msg_name = &name;
    message.msg_namelen = sizeof name;
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    if (recvmsg(socket.fd(), &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return;
    if (is_refusal(message)) refused(udp::from_sockaddr(reinterpret_cast<const sockaddr*>(&name), message.msg_namelen));
  }
}

}  // namespace quoll::web

#else

namespace quoll::web {

void want_icmp_errors(const udp::Socket&) {}
void take_icmp_errors(const udp::Socket&, const std::function<void(const SocketAddress&)>&) {}

}  // namespace quoll::web

#endif
