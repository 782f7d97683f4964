// Poller: the system's way to wait for file descriptors, below a Loop: epoll or poll. Level-triggered.
#pragma once

#include <memory>
#include <span>

#include "base/time.h"

namespace quoll::udp {

class Poller {
 public:
  struct Ready {
    int fd = -1;
    bool readable = false;
    bool writable = false;
  };
  virtual ~Poller() = default;
  /// `known`: the descriptor is being watched already. False, with errno, when it cannot be.
  virtual bool watch(int fd, bool readable, bool writable, bool known) = 0;
  virtual void forget(int fd) = 0;
  /// What is ready, good until the next call; empty after `timeout`, or after a signal.
  virtual std::span<const Ready> wait(Duration timeout) = 0;
};

/// Null, with errno, when the system has none.
std::unique_ptr<Poller> make_epoll_poller();
std::unique_ptr<Poller> make_poll_poller();

}  // namespace quoll::udp
