// Waker: a file descriptor that becomes readable when another thread, or a signal handler, says so. An eventfd on Linux,
// a pipe elsewhere.
#pragma once

#include <atomic>

namespace quoll::udp {

class Waker {
 public:
  enum class Kind : unsigned char { best, pipe };

  Waker() = default;
  Waker(const Waker&) = delete;
  Waker& operator=(const Waker&) = delete;
  ~Waker();

  /// False, with errno, when the system has no descriptors left.
  bool open(Kind kind);
  /// To watch for reading.
  int fd() const { return read_fd_; }
  /// From any thread and from signal handlers. What its caller wrote before is seen by who comes back from clear().
  void wake();
  /// It is not readable any more until the next wake().
  void clear();

 private:
  static_assert(std::atomic<bool>::is_always_lock_free);  // else no signal handler might touch it

  int read_fd_ = -1;
  int write_fd_ = -1;
  std::atomic<bool> awake_ = false;  // saves the system call where one wake-up is waiting already
};

}  // namespace quoll::udp
