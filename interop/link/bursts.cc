#include "interop/link/bursts.h"

namespace quoll::link {

void BurstWindow::add(Instant at, uint64_t size) {
  while (!packets_.empty() && at - packets_.front().at >= length_) {
    sum_ -= packets_.front().size;
    packets_.pop_front();
  }
  packets_.push_back({.at = at, .size = size});
  sum_ += size;
  bytes_.add_amount(sum_);
}

void Bursts::add(Instant at, uint64_t size) {
  short_.add(at, size);
  long_.add(at, size);
  if (train_ != 0 && at - last_ > kTrainGap) {
    trains_.add_amount(train_);
    train_ = 0;
  }
  train_++;
  last_ = at;
}

Histogram Bursts::trains() const {
  Histogram all = trains_;
  if (train_ != 0) all.add_amount(train_);
  return all;
}

}  // namespace quoll::link
