#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <vector>

#include "udp/poller.h"

namespace quoll::udp {

namespace {

class PollPoller final : public Poller {
 public:
  bool watch(int fd, bool readable, bool writable, bool known) override {
    if (fd < 0) {
      errno = EBADF;
      return false;
    }
    pollfd wanted{};
    wanted.fd = fd;
    wanted.events = static_cast<short>((readable ? POLLIN : 0) | (writable ? POLLOUT : 0));
    if (known) {
      *find(fd) = wanted;
    } else {
      watched_.push_back(wanted);
    }
    return true;
  }

  void forget(int fd) override {
    const auto found = find(fd);
    if (found == watched_.end()) return;
    *found = watched_.back();
    watched_.pop_back();
  }

  std::span<const Ready> wait(Duration timeout) override {
    ready_.clear();
    if (poll(watched_.data(), static_cast<nfds_t>(watched_.size()), to_milliseconds(timeout)) <= 0) return {};
    for (const pollfd& each : watched_) {
      const bool failed = each.revents & (POLLERR | POLLHUP | POLLNVAL);
      const bool readable = failed || (each.revents & POLLIN), writable = failed || (each.revents & POLLOUT);
      if (readable || writable) ready_.push_back({.fd = each.fd, .readable = readable, .writable = writable});
    }
    return ready_;
  }

 private:
  static int to_milliseconds(Duration timeout) {
    if (timeout.is_infinite()) return -1;
    const int64_t milliseconds = (timeout + Duration::nanoseconds(999'999)).as_milliseconds();
    return static_cast<int>(std::min<int64_t>(milliseconds, INT32_MAX));
  }

  std::vector<pollfd>::iterator find(int fd) { return std::ranges::find(watched_, fd, &pollfd::fd); }

  std::vector<pollfd> watched_;
  std::vector<Ready> ready_;
};

}  // namespace

std::unique_ptr<Poller> make_poll_poller() { return std::make_unique<PollPoller>(); }

}  // namespace quoll::udp
