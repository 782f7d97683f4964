#include "udp/socket.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <utility>

#include "udp/socket_state.h"

#if defined(__linux__)
#include <linux/net_tstamp.h>
#endif

namespace quoll::udp {

namespace {

std::unexpected<Error> failed(const char* call) {
  return std::unexpected(Error{.domain = ErrorDomain::system, .code = static_cast<uint64_t>(errno), .reason = call});
}

int open_socket(int family) {
#if defined(SOCK_NONBLOCK) && defined(SOCK_CLOEXEC)
  return socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
#else
  const int fd = socket(family, SOCK_DGRAM, IPPROTO_UDP);
  if (fd >= 0) {
    (void)fcntl(fd, F_SETFL, O_NONBLOCK);
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
  return fd;
#endif
}

/// UDP_SEGMENT can be asked for where the kernel knows it; devices that cannot do it in hardware have it done by the
/// kernel.
bool knows_segmentation([[maybe_unused]] int fd) {
#if defined(UDP_SEGMENT)
  int value = 0;
  socklen_t size = sizeof value;
  return kLinux && getsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &value, &size) == 0;
#else
  return false;
#endif
}

}  // namespace

Socket::State::~State() {
  if (fd >= 0) close(fd);
}

bool Socket::State::set(int level, int name, int value) {
  return system->set_option(fd, level, name, &value, sizeof value) == 0;
}

Result<void> Socket::State::open(const SocketAddress& address, const SocketOptions& options) {
  system = options.system ? options.system : &SystemCalls::kernel();
  family = address.ip.family() == IpAddress::Family::ipv6 ? AF_INET6 : AF_INET;
  wildcard = is_wildcard(address.ip);
  batches = kLinux && options.batches;
  fd = open_socket(family);
  if (fd < 0) return failed("socket");
  // An address of one kind only is not meant for both.
  if (family == AF_INET6 && !set(IPPROTO_IPV6, IPV6_V6ONLY, !(options.dual_stack && wildcard))) {
    return failed("setsockopt(IPV6_V6ONLY)");
  }
  if (options.reuse_port && !set(SOL_SOCKET, SO_REUSEPORT, 1)) return failed("setsockopt(SO_REUSEPORT)");
  ask_for_marks_and_addresses();
  if (options.dont_fragment) forbid_fragments();
  size_buffers(options);
  departures = options.departures && ask_for_departures();
  segmentation_offload = options.segmentation_offload && knows_segmentation(fd);
#if defined(UDP_GRO)
  receive_offload = kLinux && options.receive_offload && set(IPPROTO_UDP, UDP_GRO, 1);
#endif
  Sockaddr name;
  const socklen_t size = to_sockaddr(address, family, name);
  if (::bind(fd, &name.any, size) != 0) return failed("bind");
  socklen_t name_size = sizeof name;
  if (getsockname(fd, &name.any, &name_size) != 0) return failed("getsockname");
  local = from_sockaddr(name);
  return {};
}

/// A system that cannot tell a mark or an address is done without it: the mark is then none, the address unknown.
void Socket::State::ask_for_marks_and_addresses() {
  const bool ipv4 = family == AF_INET || wildcard;  // IPv4 datagrams on an IPv6 socket come with these
  if (family == AF_INET6) {
    (void)set(IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
    if (wildcard) (void)set(IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
  }
#if defined(IP_RECVTOS)
  if (ipv4) (void)set(IPPROTO_IP, IP_RECVTOS, 1);
#endif
#if defined(IP_PKTINFO)
  if (ipv4 && wildcard) (void)set(IPPROTO_IP, IP_PKTINFO, 1);
#elif defined(IP_RECVDSTADDR)
  if (ipv4 && wildcard) (void)set(IPPROTO_IP, IP_RECVDSTADDR, 1);
#endif
}

/// PROBE rather than DO: it sets the bit too, and leaves path MTUs that ICMP told out, since anybody can send ICMP; QUIC
/// finds the MTU by itself (RFC 9000 §14.3).
void Socket::State::forbid_fragments() {
#if defined(IP_MTU_DISCOVER) && defined(IP_PMTUDISC_PROBE)
  if (family == AF_INET || wildcard) {
    if (!set(IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE)) (void)set(IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
  }
  if (family == AF_INET6 && !set(IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE)) {
    (void)set(IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DO);
  }
#else
#if defined(IP_DONTFRAG)
  if (family == AF_INET || wildcard) (void)set(IPPROTO_IP, IP_DONTFRAG, 1);
#endif
#if defined(IPV6_DONTFRAG)
  if (family == AF_INET6) (void)set(IPPROTO_IPV6, IPV6_DONTFRAG, 1);
#endif
#endif
}

/// The clock is that of udp::now().
bool Socket::State::ask_for_departures() {
#if defined(SO_TXTIME)
  const sock_txtime clock = {.clockid = CLOCK_MONOTONIC, .flags = 0};
  return kLinux && system->set_option(fd, SOL_SOCKET, SO_TXTIME, &clock, sizeof clock) == 0;
#else
  return false;
#endif
}

/// Gives what the kernel granted. Linux counts its own overhead in and tells double of what is granted; it takes more
/// than its limit from who may administrate the network.
size_t Socket::State::enlarge(int name, int force_name, size_t wanted) {
  const int value = static_cast<int>(std::min<size_t>(wanted, INT32_MAX / 2));
  (void)set(SOL_SOCKET, name, value);
  const auto granted = [&] {
    int size = 0;
    socklen_t length = sizeof size;
    if (getsockopt(fd, SOL_SOCKET, name, &size, &length) != 0) return size_t{0};
    return static_cast<size_t>(kLinux ? size / 2 : size);
  };
  if (granted() < wanted && force_name != 0) (void)set(SOL_SOCKET, force_name, value);
  return granted();
}

void Socket::State::size_buffers(const SocketOptions& options) {
#if defined(SO_RCVBUFFORCE) && defined(SO_SNDBUFFORCE)
  constexpr int kForceReceive = SO_RCVBUFFORCE, kForceSend = SO_SNDBUFFORCE;
#else
  constexpr int kForceReceive = 0, kForceSend = 0;
#endif
  const size_t receive = enlarge(SO_RCVBUF, kForceReceive, options.receive_buffer);
  const size_t send = enlarge(SO_SNDBUF, kForceSend, options.send_buffer);
  const bool receive_capped = receive < options.receive_buffer, send_capped = send < options.send_buffer;
  if (!receive_capped && !send_capped) return;
  std::string granted, remedy;
  const auto add = [&](const char* which, const char* variable, size_t size, size_t wanted) {
    granted += (granted.empty() ? "" : ", ") + std::string(which) + " " + std::to_string(size) + " of " +
               std::to_string(wanted) + " bytes";
    remedy += " net.core." + std::string(variable) + "=" + std::to_string(wanted);
  };
  if (receive_capped) add("receive", "rmem_max", receive, options.receive_buffer);
  if (send_capped) add("send", "wmem_max", send, options.send_buffer);
  cap_notice = "UDP buffers are smaller than wanted (" + granted + "), which costs speed" +
               (kLinux ? "; to raise the limit: sysctl -w" + remedy : "");
}

Socket::Socket(std::unique_ptr<State> state) : state_(std::move(state)) {}
Socket::Socket(Socket&&) noexcept = default;
Socket& Socket::operator=(Socket&&) noexcept = default;
Socket::~Socket() = default;

Result<Socket> Socket::bind(const SocketAddress& address, const SocketOptions& options) {
  auto state = std::make_unique<State>();
  if (Result<void> opened = state->open(address, options); !opened) return std::unexpected(opened.error());
  return Socket(std::move(state));
}

Result<Socket> Socket::bind_for(const SocketAddress& remote, const SocketOptions& options) {
  const bool is_ipv6 = remote.ip.family() == IpAddress::Family::ipv6;
  return bind({.ip = is_ipv6 ? IpAddress::v6({}) : IpAddress::v4({}), .port = 0}, options);
}

int Socket::fd() const { return state_->fd; }
const SocketAddress& Socket::local_address() const { return state_->local; }

Path Socket::path_to(const SocketAddress& remote) const {
  const SocketAddress& local = state_->local;
  return {.local = {state_->wildcard ? IpAddress() : local.ip, local.port}, .remote = remote};
}

const std::string& Socket::cap_notice() const { return state_->cap_notice; }
bool Socket::segmentation_offload() const { return state_->segmentation_offload; }
bool Socket::receive_offload() const { return state_->receive_offload; }
bool Socket::departures() const { return state_->departures; }
const SocketStatistics& Socket::statistics() const { return state_->statistics; }

}  // namespace quoll::udp
