#include "quic/stream/flow_control.h"

#include <algorithm>

namespace quoll::quic {

ReceiveWindow::ReceiveWindow(uint64_t size, uint64_t max_size)
    : size_(std::min(size, kVarintMax)), max_size_(std::clamp(max_size, size_, kVarintMax)), limit_(size_) {}

void ReceiveWindow::consume(uint64_t size, Instant now, Duration smoothed_rtt) {
  consumed_ += size;
  // RFC 9000 §4.2: announcing half windows keeps the frames few, and leaves the peer half a window for the time that
  // they take.
  if (target() - limit_.granted() < size_ / 2 || size_ == 0) return;
  // A peer in slow start doubles what it sends while the frame is under way: the window limits it soon.
  if (!measured_since_.is_never() && now - measured_since_ <= 2 * smoothed_rtt) {
    size_ = size_ > max_size_ / 2 ? max_size_ : 2 * size_;
  }
  measured_since_ = now;
  limit_.grant(target());
}

void ReceiveWindow::widen(uint64_t size) {
  if (size <= size_) return;
  size_ = std::min(std::max(size, size_), max_size_);
  if (target() - limit_.granted() >= size_ / 2) limit_.grant(target());
}

}  // namespace quoll::quic
