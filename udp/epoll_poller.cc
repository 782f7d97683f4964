#include "udp/poller.h"

#if defined(__linux__) && !defined(QUOLL_UDP_PORTABLE)

#include <linux/time_types.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>

namespace quoll::udp {

namespace {

/// Descriptors told at a time; the others follow with the next call.
constexpr size_t kEventsMax = 128;

class EpollPoller final : public Poller {
 public:
  explicit EpollPoller(int fd) : fd_(fd) {}
  EpollPoller(const EpollPoller&) = delete;
  EpollPoller& operator=(const EpollPoller&) = delete;
  ~EpollPoller() override { close(fd_); }

  bool watch(int fd, bool readable, bool writable, bool known) override {
    epoll_event event{};
    event.events = (readable ? uint32_t{EPOLLIN} : 0) | (writable ? uint32_t{EPOLLOUT} : 0);
    event.data.fd = fd;
    if (epoll_ctl(fd_, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) == 0) return true;
    // Its number was closed without forget(), and is another file's now.
    return known && errno == ENOENT && epoll_ctl(fd_, EPOLL_CTL_ADD, fd, &event) == 0;
  }

  void forget(int fd) override { (void)epoll_ctl(fd_, EPOLL_CTL_DEL, fd, nullptr); }

  std::span<const Ready> wait(Duration timeout) override {
    const int count = wait_for_events(timeout);
    for (int i = 0; i < count; i++) {
      const uint32_t events = events_[static_cast<size_t>(i)].events;
      const bool failed = events & (EPOLLERR | EPOLLHUP);
      ready_[static_cast<size_t>(i)] = {.fd = events_[static_cast<size_t>(i)].data.fd,
                                        .readable = failed || (events & EPOLLIN),
                                        .writable = failed || (events & EPOLLOUT)};
    }
    return std::span(ready_).first(static_cast<size_t>(std::max(count, 0)));
  }

 private:
  int wait_for_events(Duration timeout) {
    const int max = static_cast<int>(events_.size());
    if (timeout.is_infinite()) return epoll_wait(fd_, events_.data(), max, -1);
#if defined(SYS_epoll_pwait2)
    if (has_pwait2_ && !timeout.is_zero()) {
      const __kernel_timespec time = {.tv_sec = timeout.as_nanoseconds() / 1'000'000'000,
                                      .tv_nsec = timeout.as_nanoseconds() % 1'000'000'000};
      const long count = syscall(SYS_epoll_pwait2, fd_, events_.data(), max, &time, nullptr, size_t{0});
      if (count >= 0 || errno == EINTR) return static_cast<int>(count);
      has_pwait2_ = false;  // Linux before 5.11, or a sandbox
    }
#endif
    const int64_t milliseconds = (timeout + Duration::nanoseconds(999'999)).as_milliseconds();
    return epoll_wait(fd_, events_.data(), max, static_cast<int>(std::min<int64_t>(milliseconds, INT32_MAX)));
  }

  int fd_;
  bool has_pwait2_ = true;
  std::array<epoll_event, kEventsMax> events_;
  std::array<Ready, kEventsMax> ready_;
};

}  // namespace

std::unique_ptr<Poller> make_epoll_poller() {
  const int fd = epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) return nullptr;
  return std::make_unique<EpollPoller>(fd);
}

}  // namespace quoll::udp

#else

#include <cerrno>

namespace quoll::udp {

std::unique_ptr<Poller> make_epoll_poller() {
  errno = ENOSYS;
  return nullptr;
}

}  // namespace quoll::udp

#endif
