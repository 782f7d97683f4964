#include "app/perf_data.h"

namespace quoll::app {

PerfData::PerfData(bool cold) : bytes_(cold ? kColdSize : kHotSize) {
  // Pages that were never written all share one page of zeros, which would be hot.
  uint32_t word = 1;
  for (uint8_t& byte : bytes_) {
    word = word * 1'664'525 + 1'013'904'223;
    byte = static_cast<uint8_t>(word >> 24);
  }
}

}  // namespace quoll::app
