// LatencyHistogram: counts of durations, to within two percent of each, in a fixed amount of memory.
//
// Buckets grow with what they count: kSteps of them from each power of two of nanoseconds to the next.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "base/time.h"

namespace quoll::app {

class LatencyHistogram {
 public:
  void add(Duration duration) {
    const int64_t count = std::max<int64_t>(duration.as_nanoseconds(), 0);
    counts_[bucket_of(static_cast<uint64_t>(count))]++;
    total_ += static_cast<double>(count);
    largest_ = std::max(largest_, Duration::nanoseconds(count));
    samples_++;
  }
  uint64_t samples() const { return samples_; }
  Duration mean() const {
    return samples_ == 0 ? Duration()
                         : Duration::nanoseconds(static_cast<int64_t>(total_ / static_cast<double>(samples_)));
  }
  Duration largest() const { return largest_; }
  /// The least duration that a share `quantile` (0 to 1) of the samples does not exceed; zero without samples.
  Duration quantile(double quantile) const {
    uint64_t seen = 0;
    const double wanted = quantile * static_cast<double>(samples_);
    for (size_t i = 0; i < counts_.size(); i++) {
      seen += counts_[i];
      if (seen > 0 && static_cast<double>(seen) >= wanted) return std::min(end_of(i), largest_);
    }
    return largest_;
  }

 private:
  static constexpr size_t kStepBits = 6;
  static constexpr size_t kSteps = size_t{1} << kStepBits;

  static size_t bucket_of(uint64_t nanoseconds) {
    if (nanoseconds < kSteps) return static_cast<size_t>(nanoseconds);
    const auto shift = static_cast<size_t>(std::bit_width(nanoseconds)) - 1 - kStepBits;
    return (shift + 1) * kSteps + static_cast<size_t>((nanoseconds >> shift) - kSteps);
  }
  /// The largest duration of a bucket.
  static Duration end_of(size_t bucket) {
    if (bucket < kSteps) return Duration::nanoseconds(static_cast<int64_t>(bucket));
    const size_t shift = bucket / kSteps - 1;
    return Duration::nanoseconds(static_cast<int64_t>(((bucket % kSteps + kSteps + 1) << shift) - 1));
  }

  std::array<uint64_t, (64 - kStepBits) * kSteps> counts_{};
  double total_ = 0;  // nanoseconds
  Duration largest_;
  uint64_t samples_ = 0;
};

}  // namespace quoll::app
