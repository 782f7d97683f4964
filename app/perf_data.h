// Bytes to measure with: a region of memory that is sent again and again, from one end to the other.
//
// Hot: a small one, which stays in the processor's nearest caches, so that what is measured is the protocol. Cold: one that
// no cache holds, so that every byte comes from memory, as it does for a server of many files.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/slice.h"

namespace quoll::app {

class PerfData {
 public:
  static constexpr size_t kHotSize = 256 * 1024;
  static constexpr size_t kColdSize = size_t{256} << 20;

  explicit PerfData(bool cold);

  /// The bytes from `offset` of an endless repetition on, at most `max` (not 0), and some. Good as long as this is.
  Slice at(uint64_t offset, uint64_t max) const {
    const size_t from = static_cast<size_t>(offset % bytes_.size());
    const size_t size = static_cast<size_t>(std::min<uint64_t>({max, bytes_.size() - from, kHotSize}));
    return Slice::of_static(Bytes(bytes_).subspan(from, size));
  }

 private:
  std::vector<uint8_t> bytes_;
};

}  // namespace quoll::app
