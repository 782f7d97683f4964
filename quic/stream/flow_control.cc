#include "quic/stream/flow_control.h"

#include <algorithm>

namespace quoll::quic {
namespace {

/// A limit is announced once this part of the window is used since the last time.
constexpr uint64_t kAnnouncedPart = 4;

}  // namespace

ReceiveWindow::ReceiveWindow(uint64_t size, uint64_t max_size)
    : size_(std::min(size, kVarintMax)), max_size_(std::clamp(max_size, size_, kVarintMax)), limit_(size_) {}

void ReceiveWindow::consume(uint64_t size, Instant now, Duration smoothed_rtt) {
  consumed_ += size;
  // RFC 9000 §4.2: announcing quarters keeps the frames few, and leaves the peer most of the window for the time that they take.
  if (target() - limit_.granted() < size_ / kAnnouncedPart || size_ == 0) return;
  // A peer in slow start sends twice as much in the round trip that the frame takes as in the one before. A window four times
  // what a round trip brings, of which a quarter may not have been announced yet, does not hold it up.
  if (!measured_since_.is_never() && now - measured_since_ <= smoothed_rtt) {
    size_ = size_ > max_size_ / 2 ? max_size_ : 2 * size_;
  }
  measured_since_ = now;
  limit_.grant(target());
}

void ReceiveWindow::widen(uint64_t size) {
  if (size <= size_) return;
  size_ = std::min(std::max(size, size_), max_size_);
  if (target() - limit_.granted() >= size_ / kAnnouncedPart) limit_.grant(target());
}

}  // namespace quoll::quic
