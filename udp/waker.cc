#include "udp/waker.h"

#include <fcntl.h>
#include <unistd.h>

#if defined(__linux__) && !defined(QUOLL_UDP_PORTABLE)
#include <sys/eventfd.h>
#endif

#include <cerrno>
#include <cstdint>

namespace quoll::udp {

Waker::~Waker() {
  if (read_fd_ >= 0) close(read_fd_);
  if (write_fd_ >= 0 && write_fd_ != read_fd_) close(write_fd_);
}

bool Waker::open([[maybe_unused]] Kind kind) {
#if defined(__linux__) && !defined(QUOLL_UDP_PORTABLE)
  if (kind == Kind::best) {
    read_fd_ = write_fd_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return read_fd_ >= 0;
  }
#endif
  int ends[2];
  if (pipe(ends) != 0) return false;
  read_fd_ = ends[0];
  write_fd_ = ends[1];
  for (const int end : ends) {
    if (fcntl(end, F_SETFL, O_NONBLOCK) != 0 || fcntl(end, F_SETFD, FD_CLOEXEC) != 0) return false;
  }
  return true;
}

void Waker::wake() {
  if (awake_.exchange(true)) return;
  const int saved = errno;  // a signal handler's interrupted code may be looking at it
  const uint64_t one = 1;
  (void)!write(write_fd_, &one, sizeof one);  // full: then it is readable
  errno = saved;
}

void Waker::clear() {
  uint64_t drained[8];
  while (read(read_fd_, drained, sizeof drained) == static_cast<ssize_t>(sizeof drained)) continue;
  // A wake() between the two is seen here, and its caller's writes with it: nothing is lost by its not being told again.
  (void)awake_.exchange(false);
}

}  // namespace quoll::udp
