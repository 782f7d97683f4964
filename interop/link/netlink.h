// Netlink: addresses and default routes of a device, by the kernel's rtnetlink, in the network namespace of the thread that
// opened it.
#pragma once

#include <span>
#include <utility>

#include "base/result.h"
#include "interop/link/units.h"

namespace quoll::link {

class Netlink {
 public:
  [[nodiscard]] static Result<Netlink> open();
  Netlink(Netlink&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Netlink& operator=(Netlink&&) = delete;
  ~Netlink();

  /// The address can be used at once: nobody else on the link is asked whether he has it.
  [[nodiscard]] Result<void> add_address(int device, const InterfaceAddress& address);
  [[nodiscard]] Result<void> add_default_route(int device, IpAddress::Family family);
  /// The device gets no IPv6 link-local address when it comes up.
  [[nodiscard]] Result<void> suppress_link_local(int device);

 private:
  class Message;
  explicit Netlink(int fd) : fd_(fd) {}
  Result<void> request(const Message& message, const char* reason);

  int fd_;
};

}  // namespace quoll::link
