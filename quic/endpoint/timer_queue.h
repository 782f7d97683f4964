// TimerQueue: one timer for each of many objects, the earliest first. A four-way heap of pointers with the times beside
// them; an object knows its place, so setting its timer anew costs O(log n), moves no memory but a few entries, and
// allocates only when more objects than ever have a timer.
//
// An element derives from TimerHook. Hooks cannot be copied or moved; an object is removed before it goes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/time.h"

namespace quoll::quic {

class TimerHook {
 public:
  TimerHook() = default;
  TimerHook(const TimerHook&) = delete;
  TimerHook& operator=(const TimerHook&) = delete;
  ~TimerHook() { QUOLL_DCHECK(!has_timer()); }

  bool has_timer() const { return place_ != kNone; }

 private:
  template <class T>
  friend class TimerQueue;

  static constexpr uint32_t kNone = UINT32_MAX;
  uint32_t place_ = kNone;  // in the heap
};

template <class T>
class TimerQueue {
 public:
  TimerQueue() = default;
  TimerQueue(const TimerQueue&) = delete;
  TimerQueue& operator=(const TimerQueue&) = delete;
  ~TimerQueue() {
    for (const Entry& entry : heap_) hook(*entry.element).place_ = TimerHook::kNone;
  }

  bool empty() const { return heap_.empty(); }
  size_t size() const { return heap_.size(); }
  /// When the first timer is due; never when there is none.
  Instant next() const { return heap_.empty() ? Instant::never() : heap_.front().at; }

  /// Sets or moves the timer of an element; Instant::never() removes it.
  void set(T& element, Instant at) {
    if (at.is_never()) {
      remove(element);
      return;
    }
    uint32_t& place = hook(element).place_;
    if (place == TimerHook::kNone) {
      place = static_cast<uint32_t>(heap_.size());
      heap_.push_back({at, &element});
      sift_up(place);
    } else {
      const Instant before = std::exchange(heap_[place].at, at);
      at < before ? sift_up(place) : sift_down(place);
    }
  }

  void remove(T& element) {
    const uint32_t place = std::exchange(hook(element).place_, TimerHook::kNone);
    if (place == TimerHook::kNone) return;
    const Entry last = heap_.back();
    heap_.pop_back();
    if (place == heap_.size()) return;
    put(place, last);
    sift_up(place);
    sift_down(hook(*last.element).place_);
  }

  /// Removes and returns the element whose timer is first, if it is due at `now`; null otherwise.
  T* pop(Instant now) {
    if (heap_.empty() || heap_.front().at > now) return nullptr;
    T* element = heap_.front().element;
    remove(*element);
    return element;
  }

  /// When the timer of an element is due; never when it has none.
  Instant at(const T& element) const {
    const uint32_t place = static_cast<const TimerHook&>(element).place_;
    return place == TimerHook::kNone ? Instant::never() : heap_[place].at;
  }

  void check_invariants() const {
    for (size_t i = 0; i < heap_.size(); i++) {
      QUOLL_CHECK(hook(*heap_[i].element).place_ == i);
      QUOLL_CHECK(i == 0 || heap_[(i - 1) / kWays].at <= heap_[i].at);
    }
  }

 private:
  struct Entry {
    Instant at;
    T* element = nullptr;
  };
  static constexpr size_t kWays = 4;

  static TimerHook& hook(T& element) { return element; }

  void put(size_t place, const Entry& entry) {
    heap_[place] = entry;
    hook(*entry.element).place_ = static_cast<uint32_t>(place);
  }

  void sift_up(size_t place) {
    const Entry entry = heap_[place];
    while (place > 0) {
      const size_t parent = (place - 1) / kWays;
      if (heap_[parent].at <= entry.at) break;
      put(place, heap_[parent]);
      place = parent;
    }
    put(place, entry);
  }

  void sift_down(size_t place) {
    const Entry entry = heap_[place];
    for (;;) {
      const size_t first = place * kWays + 1;
      if (first >= heap_.size()) break;
      size_t least = first;
      for (size_t child = first + 1; child < heap_.size() && child < first + kWays; child++) {
        if (heap_[child].at < heap_[least].at) least = child;
      }
      if (heap_[least].at >= entry.at) break;
      put(place, heap_[least]);
      place = least;
    }
    put(place, entry);
  }

  std::vector<Entry> heap_;
};

}  // namespace quoll::quic
