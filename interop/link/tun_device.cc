#include "interop/link/tun_device.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <thread>

#include "interop/link/netlink.h"

namespace quoll::link {
namespace {

// The kernel's own queue, before packets come to ours: only as long as this process is late.
constexpr int kKernelQueue = 5000;

std::unexpected<Error> system_error(const char* reason) {
  return std::unexpected(Error{.domain = ErrorDomain::system, .code = static_cast<uint64_t>(errno), .reason = reason});
}

/// A descriptor that closes itself.
struct Descriptor {
  int fd = -1;
  explicit Descriptor(int opened) : fd(opened) {}
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
};

ifreq request_for(const std::string& name) {
  ifreq request{};
  std::memcpy(request.ifr_name, name.data(), std::min(name.size(), sizeof request.ifr_name - 1));
  return request;
}

bool bring_up(int socket, const std::string& name) {
  ifreq request = request_for(name);
  if (::ioctl(socket, SIOCGIFFLAGS, &request) != 0) return false;
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
  return ::ioctl(socket, SIOCSIFFLAGS, &request) == 0;
}

Result<void> configure(const std::string& name, std::span<const InterfaceAddress> addresses) {
  const Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (socket.fd < 0) return system_error("cannot open a socket");
  ifreq request = request_for(name);
  request.ifr_mtu = TunDevice::kMtu;
  if (::ioctl(socket.fd, SIOCSIFMTU, &request) != 0) return system_error("cannot set the device's MTU");
  request = request_for(name);
  request.ifr_qlen = kKernelQueue;
  if (::ioctl(socket.fd, SIOCSIFTXQLEN, &request) != 0) return system_error("cannot set the device's queue length");
  request = request_for(name);
  if (::ioctl(socket.fd, SIOCGIFINDEX, &request) != 0) return system_error("cannot find the device");
  Result<Netlink> netlink = Netlink::open();
  if (!netlink) return std::unexpected(netlink.error());
  const int index = request.ifr_ifindex;
  // Without link-local addresses there are no router solicitations, which would take places in the queue. A kernel without
  // IPv6 knows no such mode; then an IPv6 address will fail below.
  (void)netlink->suppress_link_local(index);
  if (!bring_up(socket.fd, name)) return system_error("cannot bring the device up");
  if (!bring_up(socket.fd, "lo")) return system_error("cannot bring the loopback device up");
  bool has_route[2] = {};
  for (const InterfaceAddress& address : addresses) {
    if (const Result<void> added = netlink->add_address(index, address); !added) return added;
    bool& routed = has_route[address.address.family() == IpAddress::Family::ipv6];
    if (routed) continue;
    routed = true;
    if (const Result<void> added = netlink->add_default_route(index, address.address.family()); !added) return added;
  }
  return {};
}

struct Opened {
  int fd;
  std::unique_ptr<ArrivalStamps> stamps;
};

/// In the calling thread's network namespace. A device belongs to the namespace in which it was opened.
Result<Opened> open_here(const std::string& name, std::span<const InterfaceAddress> addresses) {
  const int fd = ::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return system_error("cannot open /dev/net/tun");
  ifreq request = request_for(name);
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  Result<void> done;
  if (::ioctl(fd, TUNSETIFF, &request) != 0) done = system_error("cannot make the TUN device");
  if (done) done = configure(name, addresses);
  if (!done) {
    ::close(fd);
    return std::unexpected(done.error());
  }
  return Opened{.fd = fd, .stamps = ArrivalStamps::open(static_cast<int>(::if_nametoindex(name.c_str())))};
}

}  // namespace

Result<TunDevice> TunDevice::create(const std::string& network_namespace, const std::string& name,
                                    std::span<const InterfaceAddress> addresses) {
  Result<Opened> opened;
  // Only a thread enters the namespace, and ends there.
  std::thread([&] {
    const Descriptor entry(::open(network_namespace.c_str(), O_RDONLY | O_CLOEXEC));
    if (entry.fd < 0) {
      opened = system_error("cannot open the network namespace");
    } else if (::setns(entry.fd, CLONE_NEWNET) != 0) {
      opened = system_error("cannot enter the network namespace");
    } else {
      opened = open_here(name, addresses);
    }
  }).join();
  if (!opened) return std::unexpected(opened.error());
  return TunDevice(opened->fd, std::move(opened->stamps));
}

TunDevice::~TunDevice() {
  if (fd_ >= 0) ::close(fd_);
}

Result<size_t> TunDevice::read(MutBytes into) {
  for (;;) {
    const ssize_t size = ::read(fd_, into.data(), into.size());
    if (size >= 0) return static_cast<size_t>(size);
    if (errno == EINTR) continue;
    if (errno == EAGAIN) return size_t{0};
    return system_error("cannot read from the TUN device");
  }
}

bool TunDevice::write(Bytes packet) {
  for (;;) {
    const ssize_t size = ::write(fd_, packet.data(), packet.size());
    if (size < 0 && errno == EINTR) continue;
    return size == static_cast<ssize_t>(packet.size());
  }
}

}  // namespace quoll::link
