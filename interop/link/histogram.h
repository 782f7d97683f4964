// Histogram: durations or amounts counted in cells that grow with them, so that quantiles come out within about 3 % of the truth,
// and the largest exactly, in fixed memory.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "base/time.h"

namespace quoll::link {

class Histogram {
 public:
  /// Negative ones count as zero.
  void add(Duration duration) { add_amount(static_cast<uint64_t>(std::max<int64_t>(duration.as_nanoseconds(), 0))); }
  void add_amount(uint64_t value) {
    cells_[cell_of(value)]++;
    count_++;
    largest_ = std::max(largest_, value);
  }

  uint64_t count() const { return count_; }
  Duration largest() const { return Duration::nanoseconds(static_cast<int64_t>(largest_)); }
  uint64_t largest_amount() const { return largest_; }
  /// What so many thousandths of all do not exceed; zero when there are none.
  Duration quantile(uint64_t thousandths) const {
    return Duration::nanoseconds(static_cast<int64_t>(quantile_amount(thousandths)));
  }
  uint64_t quantile_amount(uint64_t thousandths) const {
    const uint64_t rank = (count_ * thousandths + 999) / 1000;
    uint64_t seen = 0;
    for (size_t cell = 0; cell < cells_.size(); cell++) {
      seen += cells_[cell];
      if (seen >= rank && seen != 0) return std::min(upper_end(cell), largest_);
    }
    return 0;
  }

 private:
  // Values below 2^kFine have a cell each; then each power of two has 2^kFine / 2 cells.
  static constexpr unsigned kFine = 6;
  static constexpr size_t kHalf = size_t{1} << (kFine - 1);

  static size_t cell_of(uint64_t value) {
    const auto bits = static_cast<unsigned>(std::bit_width(value));
    if (bits <= kFine) return value;
    const unsigned shift = bits - kFine;
    return shift * kHalf + static_cast<size_t>(value >> shift);
  }
  static uint64_t upper_end(size_t cell) {
    if (cell < 2 * kHalf) return cell;
    const size_t shift = cell / kHalf - 1;
    return ((uint64_t{cell % kHalf + kHalf} + 1) << shift) - 1;
  }

  std::array<uint64_t, (64 - kFine + 2) * kHalf> cells_ = {};
  uint64_t count_ = 0;
  uint64_t largest_ = 0;
};

}  // namespace quoll::link
