#include "udp/worker_inbox.h"

#include <algorithm>
#include <utility>

namespace quoll::udp {

bool WorkerInbox::open(size_t self, std::span<WorkerInbox* const> peers, WorkerOf worker_of) {
  self_ = self;
  peers_.assign(peers.begin(), peers.end());
  worker_of_ = std::move(worker_of);
  return waker_.open(Waker::Kind::best);
}

size_t WorkerInbox::worker_for(Bytes datagram) const {
  const std::optional<size_t> worker = worker_of_(datagram);
  return worker && *worker < peers_.size() ? *worker : self_;
}

bool WorkerInbox::keep(const Received& received) {
  if (!worker_of_ || received.data.empty()) return true;
  const Bytes whole = received.data.bytes();
  const size_t segment = received.segment_size == 0 ? whole.size() : received.segment_size;
  // Runs of datagrams for one worker; nearly always one run, and ours.
  for (size_t begin = 0; begin < whole.size();) {
    const size_t worker = worker_for(whole.subspan(begin, std::min(segment, whole.size() - begin)));
    size_t end = std::min(begin + segment, whole.size());
    while (end < whole.size()) {
      const size_t size = std::min(segment, whole.size() - end);
      if (worker_for(whole.subspan(end, size)) != worker) break;
      end += size;
    }
    if (worker == self_ && end - begin == whole.size()) return true;
    const Bytes run = whole.subspan(begin, end - begin);
    peers_[worker]->hand_over(received.path, received.ecn, run,
                              static_cast<uint16_t>(run.size() > segment ? segment : 0));
    begin = end;
  }
  return false;
}

void WorkerInbox::hand_over(const Path& path, Ecn ecn, Bytes bytes, uint16_t segment_size) {
  {
    const std::lock_guard lock(mutex_);
    Train* train = queued_bytes_ + bytes.size() <= kInboxBytesMax ? queue_.emplace() : nullptr;
    if (!train) {
      statistics_.dropped++;
      return;
    }
    *train = {.path = path, .ecn = ecn, .segment_size = segment_size, .bytes = {bytes.begin(), bytes.end()}};
    queued_bytes_ += bytes.size();
    statistics_.handed_over++;
  }
  waker_.wake();
}

size_t WorkerInbox::receive(BufferPool& pool, std::span<Received> out) {
  waker_.clear();
  const std::lock_guard lock(mutex_);
  size_t given = 0;
  for (; given < out.size() && !queue_.empty(); queue_.pop()) {
    Train& train = queue_.front();
    queued_bytes_ -= train.bytes.size();
    if (train.bytes.size() > pool.buffer_size()) continue;
    std::optional<Buffer> buffer = pool.take();
    if (!buffer) {
      queued_bytes_ += train.bytes.size();
      break;
    }
    copy_bytes(buffer->bytes().data(), train.bytes);
    buffer->truncate(train.bytes.size());
    out[given].path = train.path;
    out[given].ecn = train.ecn;
    out[given].data = *std::move(buffer);
    out[given++].segment_size = train.segment_size;
  }
  if (!queue_.empty()) waker_.wake();
  return given;
}

WorkerInbox::Statistics WorkerInbox::statistics() const {
  const std::lock_guard lock(mutex_);
  return statistics_;
}

}  // namespace quoll::udp
