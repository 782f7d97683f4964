// SystemCalls: what a socket asks of the kernel, as an object, so that a test can stand between the two and fail what a
// device, a kernel or an operator's limit may fail.
//
// This header also tells which of the kernels we are compiled for: QUOLL_UDP_PORTABLE leaves out all that POSIX does not
// have, as on a system other than Linux.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <cstddef>
#include <span>

namespace quoll::udp {

#if defined(__linux__) && !defined(QUOLL_UDP_PORTABLE)
inline constexpr bool kLinux = true;
using Message = mmsghdr;
#else
inline constexpr bool kLinux = false;
struct Message {
  msghdr msg_hdr;
  unsigned msg_len;
};
#endif

/// Each gives -1 with errno as the system call does. None waits.
class SystemCalls {
 public:
  virtual ~SystemCalls() = default;
  virtual ssize_t send(int fd, const msghdr& message) = 0;
  virtual ssize_t receive(int fd, msghdr& message) = 0;
  /// How many messages went or came. With an error after the first one, the number so far.
  virtual int send_many(int fd, std::span<Message> messages) = 0;
  virtual int receive_many(int fd, std::span<Message> messages) = 0;
  virtual int set_option(int fd, int level, int name, const void* value, socklen_t size) = 0;

  /// The kernel itself.
  static SystemCalls& kernel();
};

}  // namespace quoll::udp
