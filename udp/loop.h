// Loop: waits for file descriptors, one timer and wake-ups from other threads; epoll on Linux, poll elsewhere.
//
// It calls nothing back: wait() gives what is ready, and the owner goes through it. A descriptor is forgotten before it is
// closed. Timers are as fine as the kernel's: nanoseconds where it has epoll_pwait2, else milliseconds, rounded up, so that a
// deadline has always passed when wait() returns for it. One thread only, but for wake().
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "base/result.h"
#include "base/time.h"

namespace quoll::udp {

/// The monotonic clock.
Instant now();

class Loop {
 public:
  struct Ready {
    uint64_t key = 0;  // as given to watch()
    bool readable = false;
    bool writable = false;
  };
  enum class Backend : uint8_t { best, poll };

  [[nodiscard]] static Result<Loop> create(Backend backend = Backend::best);
  Loop(Loop&&) noexcept;
  Loop& operator=(Loop&&) noexcept;
  ~Loop();

  /// Begins to watch, or changes what is watched. Level-triggered. A descriptor with an error is ready both ways.
  [[nodiscard]] Result<void> watch(int fd, uint64_t key, bool readable, bool writable);
  void forget(int fd);
  /// Waits until something is ready, `deadline` has passed, or wake() was called; gives what is ready, good until the next
  /// call. A signal ends it too.
  std::span<const Ready> wait(Instant deadline);
  /// Ends a wait(), now or the next one. From any thread, and from signal handlers.
  void wake();

 private:
  struct State;
  explicit Loop(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace quoll::udp
