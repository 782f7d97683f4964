// The input is a program of insertions and erasures over 0..255, which an IntervalSet and a bitmap follow side by side.
#include "base/interval_set.h"

#include <algorithm>
#include <bitset>
#include <vector>

#include "base/reader.h"

using namespace quoll;

namespace {

constexpr size_t kValues = 256;
using Bitmap = std::bitset<kValues>;

std::vector<Interval> intervals_of(const Bitmap& bitmap) {
  std::vector<Interval> intervals;
  for (size_t value = 0; value < kValues; value++) {
    if (!bitmap[value]) continue;
    if (!intervals.empty() && intervals.back().end == value) {
      intervals.back().end++;
    } else {
      intervals.push_back({value, value + 1});
    }
  }
  return intervals;
}

void fill(Bitmap& bitmap, Interval interval, bool present) {
  for (uint64_t value = interval.start; value < interval.end; value++) bitmap[value] = present;
}

/// Takes `changed` over into `model` as the policy has it; false when the set refuses.
bool apply(Bitmap& model, Bitmap changed, size_t limit, IntervalSet::WhenFull when_full) {
  const std::vector<Interval> intervals = intervals_of(changed);
  if (intervals.size() > limit) {
    if (when_full == IntervalSet::WhenFull::refuse) return false;
    fill(changed, intervals.front(), false);
  }
  model = changed;
  return true;
}

void compare(const IntervalSet& set, const Bitmap& model, uint8_t probe) {
  QUOLL_CHECK(set.size() <= set.limit());
  QUOLL_CHECK(std::ranges::equal(set, intervals_of(model)));
  QUOLL_CHECK(set.contains(probe) == model[probe]);
  uint64_t missing = probe, present = probe;
  while (missing < kValues && model[missing]) missing++;
  while (present < kValues && !model[present]) present++;
  QUOLL_CHECK(set.first_missing(probe) == missing);
  QUOLL_CHECK(set.first_present(probe) == (present == kValues ? UINT64_MAX : present));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Reader program(Bytes(data, size));
  const uint8_t first = program.u8();
  const size_t limit = 1 + first % 16;
  const auto when_full = first & 0x80 ? IntervalSet::WhenFull::refuse : IntervalSet::WhenFull::forget_lowest;
  IntervalSet set(limit, when_full);
  Bitmap model;
  while (program.remaining() >= 3) {
    const uint8_t kind = program.u8();
    const uint8_t a = program.u8(), b = program.u8();
    const Interval interval = {std::min(a, b), std::max(a, b)};
    Bitmap changed = model;
    switch (kind % 6) {
      case 0:
      case 1:
      case 2: {
        fill(changed, interval, true);
        bool all = apply(model, changed, limit, when_full);
        for (uint64_t value = interval.start; value < interval.end; value++) all = all && model[value];
        QUOLL_CHECK(set.insert(interval) == all);
        break;
      }
      case 3:
        fill(changed, interval, false);
        QUOLL_CHECK(set.erase(interval) == apply(model, changed, limit, when_full));
        break;
      case 4:
        fill(model, {0, a}, false);
        set.erase_below(a);
        break;
      case 5:
        set.trim();
        break;
    }
    compare(set, model, b);
  }
  return 0;
}
