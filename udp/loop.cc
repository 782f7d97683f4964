#include "udp/loop.h"

#include <time.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "udp/poller.h"
#include "udp/waker.h"

namespace quoll::udp {

Instant now() {
  timespec time{};
  (void)clock_gettime(CLOCK_MONOTONIC, &time);  // cannot fail with these arguments
  return Instant::from_nanoseconds(int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec);
}

struct Loop::State {
  struct Watch {
    uint64_t key = 0;
    bool watched = false;
  };

  Result<void> open(Backend backend) {
    if (backend == Backend::best) poller = make_epoll_poller();
    if (!poller) poller = make_poll_poller();
    if (!waker.open(backend == Backend::best ? Waker::Kind::best : Waker::Kind::pipe) ||
        !poller->watch(waker.fd(), true, false, false)) {
      return failed("opening an event descriptor");
    }
    return {};
  }

  static std::unexpected<Error> failed(const char* what) {
    return std::unexpected(Error{.domain = ErrorDomain::system, .code = static_cast<uint64_t>(errno), .reason = what});
  }

  Watch* find(int fd) {
    const auto index = static_cast<size_t>(fd);
    return fd >= 0 && index < watches.size() && watches[index].watched ? &watches[index] : nullptr;
  }

  std::unique_ptr<Poller> poller;
  Waker waker;
  std::vector<Watch> watches;  // by descriptor: their numbers are small
  std::vector<Ready> ready;
};

Loop::Loop(std::unique_ptr<State> state) : state_(std::move(state)) {}
Loop::Loop(Loop&&) noexcept = default;
Loop& Loop::operator=(Loop&&) noexcept = default;
Loop::~Loop() = default;

Result<Loop> Loop::create(Backend backend) {
  auto state = std::make_unique<State>();
  if (Result<void> opened = state->open(backend); !opened) return std::unexpected(opened.error());
  return Loop(std::move(state));
}

Result<void> Loop::watch(int fd, uint64_t key, bool readable, bool writable) {
  if (!state_->poller->watch(fd, readable, writable, state_->find(fd) != nullptr)) {
    return State::failed("watching a descriptor");
  }
  if (state_->watches.size() <= static_cast<size_t>(fd)) state_->watches.resize(static_cast<size_t>(fd) + 1);
  state_->watches[static_cast<size_t>(fd)] = {.key = key, .watched = true};
  return {};
}

void Loop::forget(int fd) {
  State::Watch* watch = state_->find(fd);
  if (!watch) return;
  watch->watched = false;
  state_->poller->forget(fd);
}

std::span<const Loop::Ready> Loop::wait(Instant deadline) {
  state_->ready.clear();
  const Duration timeout = deadline.is_never() ? Duration::infinite() : std::max(deadline - now(), Duration());
  for (const Poller::Ready& each : state_->poller->wait(timeout)) {
    if (each.fd == state_->waker.fd()) {
      state_->waker.clear();
    } else if (const State::Watch* watch = state_->find(each.fd)) {
      state_->ready.push_back({.key = watch->key, .readable = each.readable, .writable = each.writable});
    }
  }
  return state_->ready;
}

void Loop::wake() { state_->waker.wake(); }

}  // namespace quoll::udp
