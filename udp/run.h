// run(): the loop that joins a quic::Endpoint, its sockets and an application; client and server alike. Nobody has to take
// it: docs/udp.md shows the same with poll(2).
//
// A template, so that sockets know no QUIC. The application has
//   on_event(now, event)   for each of the endpoint's events
//   is_done()              asked once a turn, after everything was sent
// and where it needs them
//   on_turn(now)           called once a turn after the events
//   next_timeout()         an Instant at which on_turn() wants to be called
// Other threads and signal handlers end a wait with Loop::wake().
#pragma once

#include <algorithm>
#include <array>

#include "base/buffer_pool.h"
#include "udp/loop.h"
#include "udp/outbox.h"
#include "udp/socket.h"
#include "udp/worker_inbox.h"

namespace quoll::udp {

inline constexpr size_t kReceiveBatch = 16;        // trains a call
inline constexpr size_t kReceiveBatchesMax = 4;    // a turn and socket; then sending gets its turn
inline constexpr size_t kReceiveBuffersMax = 512;  // of 64 KiB: what streams' data may pin at most

/// What run() has beside its arguments, for those who write the loop themselves: receives and sends for an endpoint and
/// tells the Loop what to watch, under the sockets' indices as keys.
class Driver {
 public:
  /// `inbox`: of a worker whose datagrams others may receive (worker_group.h); its key comes after the sockets'.
  Driver(Loop& loop, std::span<Socket> sockets, WorkerInbox* inbox = nullptr)
      : loop_(loop), sockets_(sockets), inbox_(inbox) {}
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;
  ~Driver() {
    for (const Socket& socket : sockets_) loop_.forget(socket.fd());
    if (inbox_) loop_.forget(inbox_->fd());
  }

  /// Begins to watch the sockets.
  [[nodiscard]] Result<void> start() { return watch_all(); }
  /// Gives the endpoint what socket `key` has received; at most some batches.
  template <class Endpoint>
  void receive(Endpoint& endpoint, uint64_t key);
  /// Sends what the endpoint has. False: come back without waiting.
  template <class Endpoint>
  bool transmit(Instant now, Endpoint& endpoint) {
    return outbox_.transmit(now, endpoint, sockets_) != Outbox::Progress::limit;
  }
  /// Before Loop::wait(): watches for room to send where it is short, and for datagrams as long as there are buffers.
  [[nodiscard]] Result<void> update_watches() {
    const bool starved = pool_.statistics().in_use == kReceiveBuffersMax;
    if (starved == starved_ && outbox_.blocked_socket() == blocked_) return {};
    starved_ = starved;
    blocked_ = outbox_.blocked_socket();
    return watch_all();
  }
  const BufferPool& pool() const { return pool_; }

 private:
  [[nodiscard]] Result<void> watch_all() {
    for (size_t i = 0; i < sockets_.size(); i++) {
      if (auto watched = loop_.watch(sockets_[i].fd(), i, !starved_, blocked_ == i); !watched) return watched;
    }
    return inbox_ ? loop_.watch(inbox_->fd(), sockets_.size(), !starved_, false) : Result<void>();
  }
  static size_t buffer_size(std::span<const Socket> sockets) {
    size_t size = 0;
    for (const Socket& socket : sockets) size = std::max(size, socket.receive_buffer_size());
    return size;
  }

  Loop& loop_;
  std::span<Socket> sockets_;
  WorkerInbox* inbox_;
  BufferPool pool_{buffer_size(sockets_), kReceiveBuffersMax};
  std::array<Received, kReceiveBatch> received_;
  Outbox outbox_;
  bool starved_ = false;
  std::optional<size_t> blocked_;
};

template <class Endpoint>
void Driver::receive(Endpoint& endpoint, uint64_t key) {
  for (size_t batch = 0; batch < kReceiveBatchesMax; batch++) {
    const bool from_others = key == sockets_.size();
    const size_t count = from_others ? inbox_->receive(pool_, received_) : sockets_[key].receive(pool_, received_);
    const Instant at = now();
    for (size_t i = 0; i < count; i++) {
      Received received = std::move(received_[i]);
      if (!inbox_ || from_others || inbox_->keep(received)) endpoint.receive(at, std::move(received));
    }
    if (count < received_.size()) return;
  }
}

/// Until the application is done. An Error is the loop's, and nothing that a peer could cause.
template <class Endpoint, class Application>
[[nodiscard]] Result<void> run(Loop& loop, Endpoint& endpoint, std::span<Socket> sockets, Application& application,
                               WorkerInbox* inbox = nullptr) {
  Driver driver(loop, sockets, inbox);
  if (auto started = driver.start(); !started) return started;
  for (;;) {
    const Instant at = now();
    if (endpoint.next_timeout() <= at) endpoint.on_timeout(at);
    while (auto event = endpoint.poll_event()) application.on_event(at, *event);
    if constexpr (requires { application.on_turn(at); }) application.on_turn(at);
    bool may_wait = driver.transmit(at, endpoint);
    while (auto event = endpoint.poll_event()) {  // sending may make news too
      application.on_event(at, *event);
      may_wait = false;
    }
    if (application.is_done()) return {};

    Instant deadline = endpoint.next_timeout();
    if constexpr (requires { application.next_timeout(); }) deadline = std::min(deadline, application.next_timeout());
    if (auto updated = driver.update_watches(); !updated) return updated;
    for (const Loop::Ready& ready : loop.wait(may_wait ? deadline : at)) {
      if (ready.readable) driver.receive(endpoint, ready.key);
    }
  }
}

/// With one socket and a loop of its own.
template <class Endpoint, class Application>
[[nodiscard]] Result<void> run(Endpoint& endpoint, Socket& socket, Application& application) {
  Result<Loop> loop = Loop::create();
  if (!loop) return std::unexpected(loop.error());
  return run(*loop, endpoint, std::span(&socket, 1), application);
}

}  // namespace quoll::udp
