// IntervalSet: a set of uint64_t kept as sorted half-open intervals [start, end) that neither overlap nor touch.
//
// Packet numbers received (the ranges of an ACK), stream bytes received, acknowledged or lost are all such sets. A peer
// decides how scattered they are, so the number of intervals has a limit, and what happens there is chosen once: refuse
// the operation (stream bytes: the caller drops the data or closes), or forget the lowest interval (ACK ranges: old
// packets matter least; who forgets must take
// values below front().start for known). A few intervals are stored in place; more go to a heap block that grows and is
// kept, so that nothing is allocated once warm. Search is binary, with the last interval tried first, where in-order
// arrivals go.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/check.h"

namespace quoll {

struct Interval {
  uint64_t start = 0;
  uint64_t end = 0;  // one past the last

  uint64_t size() const { return end - start; }
  bool empty() const { return start == end; }
  friend bool operator==(const Interval&, const Interval&) = default;
};

class IntervalSet {
 public:
  enum class WhenFull : uint8_t { refuse, forget_lowest };

  /// At most `limit` intervals, limit > 0.
  IntervalSet(size_t limit, WhenFull when_full);
  IntervalSet(const IntervalSet&) = delete;
  IntervalSet& operator=(const IntervalSet&) = delete;

  /// Adds all of an interval, start <= end. False when the interval is not in the set afterwards: it would have been
  /// one too many and was refused, or it was the lowest and forgotten at once; then nothing has changed.
  [[nodiscard]] bool insert(Interval added) {
    QUOLL_DCHECK(added.start <= added.end);
    if (size_ != 0) {  // in order: the last interval grows
      Interval& last = intervals()[size_ - 1];
      if (added.start >= last.start && added.start <= last.end) [[likely]] {
        if (added.end > last.end) last.end = added.end;
        return true;
      }
    }
    return insert_anywhere(added);
  }
  /// value < UINT64_MAX, since an interval ends one past it.
  [[nodiscard]] bool insert(uint64_t value) { return insert({value, value + 1}); }

  /// Removes all of an interval, start <= end. Cutting a piece out of the middle makes one interval more: when that is
  /// one too many, a refusing set stays as it is and the answer is false, a forgetting one forgets its lowest.
  [[nodiscard]] bool erase(Interval removed);
  /// Removes all values below a bound; this never fails.
  void erase_below(uint64_t bound);
  /// Removes all that is in the other set; false when a part was refused (the others are removed).
  [[nodiscard]] bool subtract(const IntervalSet& other);
  void clear() { size_ = 0; }

  bool contains(uint64_t value) const;
  /// All of a non-empty interval is in the set.
  bool contains(Interval interval) const;
  /// The smallest value at or above `from` that is not in the set.
  uint64_t first_missing(uint64_t from) const;
  /// The smallest value at or above `from` that is in the set, UINT64_MAX (which never is) when there is none. Together
  /// with first_missing() this walks the gaps.
  uint64_t first_present(uint64_t from) const;

  /// Number of intervals.
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  size_t limit() const { return limit_; }

  /// The intervals in ascending order; valid until the set changes.
  const Interval* begin() const { return intervals(); }
  const Interval* end() const { return intervals() + size_; }
  const Interval& operator[](size_t i) const {
    QUOLL_DCHECK(i < size_);
    return intervals()[i];
  }
  const Interval& front() const { return (*this)[0]; }
  const Interval& back() const { return (*this)[size_ - 1]; }

  /// Returns heap memory that the present intervals do not need.
  void trim();

 private:
  static constexpr size_t kInPlace = 4;

  Interval* intervals() { return heap_ ? heap_.get() : in_place_; }
  const Interval* intervals() const { return heap_ ? heap_.get() : in_place_; }

  bool insert_anywhere(Interval added);
  size_t first_ending_above(uint64_t value) const;
  bool make_place(size_t at);
  void remove(size_t from, size_t to);
  void reallocate(size_t capacity);

  Interval in_place_[kInPlace];
  std::unique_ptr<Interval[]> heap_;
  size_t size_ = 0;
  size_t capacity_ = kInPlace;
  size_t limit_;
  WhenFull when_full_;
};

}  // namespace quoll
