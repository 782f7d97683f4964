// TokenBucket: so many actions each second, with bursts of one second's worth. It bounds what strangers can make an
// endpoint send (RFC 9000 §10.3.3, §21.9). Time that goes backwards adds nothing.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/time.h"

namespace quoll::quic {

class TokenBucket {
 public:
  /// Full at the beginning; 0 for never.
  explicit TokenBucket(uint32_t per_second) : per_second_(per_second), credit_(capacity()) {}

  /// Whether one more action may be taken now; it counts as taken. `reserve` is what must be left for others, in
  /// hundredths of the bucket.
  bool take(Instant now, uint32_t reserve = 0) {
    if (!available(now, reserve)) return false;
    credit_ -= kActionCost;
    return true;
  }
  /// Whether take() would succeed.
  bool available(Instant now, uint32_t reserve = 0) {
    fill(now);
    return credit_ >= kActionCost && credit_ - kActionCost >= capacity() / 100 * reserve;
  }

 private:
  /// Credit is counted in nanoseconds of a rate of one action a second, so that nothing is lost to rounding.
  static constexpr uint64_t kActionCost = 1'000'000'000;
  uint64_t capacity() const { return kActionCost * per_second_; }

  void fill(Instant now) {
    if (!started_) {
      started_ = true;
      last_ = now;
      return;
    }
    if (now <= last_) return;
    const uint64_t passed = static_cast<uint64_t>(std::min((now - last_).as_nanoseconds(), int64_t{kSecond}));
    credit_ = std::min(capacity(), credit_ + passed * per_second_);
    last_ = now;
  }
  static constexpr int64_t kSecond = 1'000'000'000;

  uint32_t per_second_;
  uint64_t credit_;
  Instant last_;
  bool started_ = false;
};

}  // namespace quoll::quic
