#include "base/interval_set.h"

#include <algorithm>
#include <bit>

namespace quoll {

IntervalSet::IntervalSet(size_t limit, WhenFull when_full) : limit_(limit), when_full_(when_full) {
  QUOLL_CHECK(limit > 0);
}

bool IntervalSet::insert_anywhere(Interval added) {
  if (added.empty()) return true;
  // Intervals [from, to) overlap or touch the new one and become one with it.
  const size_t from = added.start == 0 ? 0 : first_ending_above(added.start - 1);
  size_t to = from;
  while (to < size_ && intervals()[to].start <= added.end) to++;
  if (from == to) {
    if (size_ == limit_ && when_full_ == WhenFull::forget_lowest) {
      if (from == 0) return false;  // itself the lowest
      remove(0, 1);
      return insert_anywhere(added);
    }
    if (!make_place(from)) return false;
    intervals()[from] = added;
  } else {
    Interval& merged = intervals()[from];
    merged = {std::min(merged.start, added.start), std::max(intervals()[to - 1].end, added.end)};
    remove(from + 1, to);
  }
  return true;
}

bool IntervalSet::erase(Interval removed) {
  QUOLL_DCHECK(removed.start <= removed.end);
  if (removed.empty()) return true;
  // Intervals [from, to) overlap the removed one.
  size_t from = first_ending_above(removed.start);
  size_t to = from;
  while (to < size_ && intervals()[to].start < removed.end) to++;
  if (from == to) return true;
  Interval& first = intervals()[from];
  Interval& last = intervals()[to - 1];
  const bool keeps_left = first.start < removed.start;
  const bool keeps_right = last.end > removed.end;
  if (keeps_left && keeps_right && from + 1 == to) {
    if (size_ == limit_ && when_full_ == WhenFull::forget_lowest) {
      if (from == 0) {  // the left piece is the lowest
        first.start = removed.end;
        return true;
      }
      remove(0, 1);
      return erase(removed);
    }
    const Interval left = {first.start, removed.start};
    if (!make_place(from)) return false;
    intervals()[from] = left;
    intervals()[from + 1].start = removed.end;
    return true;
  }
  if (keeps_left) {
    first.end = removed.start;
    from++;
  }
  if (keeps_right) {
    last.start = removed.end;
    to--;
  }
  remove(from, to);
  return true;
}

void IntervalSet::erase_below(uint64_t bound) {
  if (bound == 0) return;
  const size_t kept = first_ending_above(bound);
  remove(0, kept);
  if (size_ != 0) intervals()[0].start = std::max(intervals()[0].start, bound);
}

bool IntervalSet::subtract(const IntervalSet& other) {
  bool complete = true;
  for (const Interval& interval : other) complete = erase(interval) && complete;
  return complete;
}

bool IntervalSet::contains(uint64_t value) const {
  const size_t i = first_ending_above(value);
  return i < size_ && intervals()[i].start <= value;
}

bool IntervalSet::contains(Interval interval) const {
  const size_t i = first_ending_above(interval.start);
  return i < size_ && intervals()[i].start <= interval.start && intervals()[i].end >= interval.end;
}

uint64_t IntervalSet::first_missing(uint64_t from) const {
  const size_t i = first_ending_above(from);
  return i < size_ && intervals()[i].start <= from ? intervals()[i].end : from;
}

uint64_t IntervalSet::first_present(uint64_t from) const {
  const size_t i = first_ending_above(from);
  return i < size_ ? std::max(intervals()[i].start, from) : UINT64_MAX;
}

void IntervalSet::trim() {
  if (!heap_) return;
  if (const size_t wanted = std::max(kInPlace, std::bit_ceil(size_)); wanted < capacity_) reallocate(wanted);
}

/// Index of the first interval with end > value; size_ when there is none.
size_t IntervalSet::first_ending_above(uint64_t value) const {
  if (size_ == 0 || intervals()[size_ - 1].end <= value) return size_;
  const Interval* found =
      std::upper_bound(begin(), end(), value, [](uint64_t v, const Interval& interval) { return v < interval.end; });
  return static_cast<size_t>(found - begin());
}

/// Moves the intervals from `at` on up by one; false when there are `limit_` already.
bool IntervalSet::make_place(size_t at) {
  if (size_ == limit_) return false;
  if (size_ == capacity_) reallocate(2 * capacity_);
  std::copy_backward(intervals() + at, intervals() + size_, intervals() + size_ + 1);
  size_++;
  return true;
}

void IntervalSet::remove(size_t from, size_t to) {
  if (from == to) return;
  std::copy(intervals() + to, intervals() + size_, intervals() + from);
  size_ -= to - from;
}

void IntervalSet::reallocate(size_t capacity) {
  if (capacity <= kInPlace) {
    std::copy(begin(), end(), in_place_);
    heap_.reset();
    capacity_ = kInPlace;
  } else {
    auto block = std::make_unique_for_overwrite<Interval[]>(capacity);
    std::copy(begin(), end(), block.get());
    heap_ = std::move(block);
    capacity_ = capacity;
  }
}

}  // namespace quoll
