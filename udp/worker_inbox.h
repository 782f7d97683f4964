// WorkerInbox: what other workers received for this one. Where the kernel cannot tell whose a datagram is, its hash of the
// addresses decides who receives it, and a client that changed its address may end up with a worker that does not know
// it. That one hands it over.
//
// Memory of a worker is its own (buffers are counted without atomics), so handing over copies. It happens to clients that
// migrated and to nobody else. The queue is bounded; what does not fit is lost, as in a router's queue.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "base/buffer_pool.h"
#include "base/net.h"
#include "base/ring.h"
#include "udp/waker.h"

namespace quoll::udp {

/// The worker that a datagram belongs to; empty when its id is none of ours. Called by all workers at the same time.
using WorkerOf = std::function<std::optional<size_t>(Bytes datagram)>;

// What may wait for a worker that is busy: some milliseconds of a fast client's datagrams.
inline constexpr size_t kInboxTrainsMax = 512;
inline constexpr size_t kInboxBytesMax = 4 * 1024 * 1024;

class WorkerInbox {
 public:
  struct Statistics {
    uint64_t handed_over = 0;  // trains that came from other workers
    uint64_t dropped = 0;      // for the limits above
  };

  WorkerInbox() = default;
  WorkerInbox(const WorkerInbox&) = delete;
  WorkerInbox& operator=(const WorkerInbox&) = delete;

  /// `peers`: the inboxes of all workers, of which this is number `self`. Without `worker_of` everything is kept.
  [[nodiscard]] bool open(size_t self, std::span<WorkerInbox* const> peers, WorkerOf worker_of);

  // The owner's thread.

  /// Whether this worker is to work on it. If not, it has been handed over, all of it; datagrams of a train that are
  /// for several workers go to each, and its own come back by receive().
  bool keep(const Received& received);
  /// Readable when receive() has something.
  int fd() const { return waker_.fd(); }
  /// As Socket::receive().
  size_t receive(BufferPool& pool, std::span<Received> out);

  // Any thread.

  void hand_over(const Path& path, Ecn ecn, Bytes bytes, uint16_t segment_size);
  Statistics statistics() const;

 private:
  struct Train {
    Path path;
    Ecn ecn = Ecn::not_ect;
    uint16_t segment_size = 0;
    std::vector<uint8_t> bytes;
  };

  size_t worker_for(Bytes datagram) const;

  size_t self_ = 0;
  std::vector<WorkerInbox*> peers_;
  WorkerOf worker_of_;
  Waker waker_;

  mutable std::mutex mutex_;  // of what follows
  Ring<Train> queue_{kInboxTrainsMax};
  size_t queued_bytes_ = 0;
  Statistics statistics_;
};

}  // namespace quoll::udp
