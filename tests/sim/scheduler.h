// Scheduler: the virtual clock and the queue of what happens next. Two events of one instant happen in the order in which
// they were scheduled, so a run is the same every time.
#pragma once

#include <algorithm>
#include <functional>
#include <vector>

#include "base/check.h"
#include "base/time.h"

namespace quoll::sim {

class Scheduler {
 public:
  using Action = std::move_only_function<void()>;

  Instant now() const { return now_; }
  uint64_t steps() const { return steps_; }
  bool empty() const { return heap_.empty(); }

  /// What is due in the past happens now.
  void at(Instant when, Action action) {
    heap_.push_back({std::max(when, now_), next_number_++, std::move(action)});
    std::push_heap(heap_.begin(), heap_.end(), Later());
  }
  void after(Duration delay, Action action) { at(now_ + delay, std::move(action)); }

  /// Goes on to the next event; false when there is none.
  bool step() {
    if (heap_.empty()) return false;
    std::pop_heap(heap_.begin(), heap_.end(), Later());
    Event event = std::move(heap_.back());
    heap_.pop_back();
    QUOLL_CHECK(event.when >= now_);
    now_ = event.when;
    steps_++;
    event.action();
    return true;
  }

 private:
  struct Event {
    Instant when;
    uint64_t number;
    Action action;
  };
  struct Later {
    bool operator()(const Event& a, const Event& b) const {
      return a.when != b.when ? a.when > b.when : a.number > b.number;
    }
  };

  std::vector<Event> heap_;
  uint64_t next_number_ = 0;
  uint64_t steps_ = 0;
  Instant now_;
};

}  // namespace quoll::sim
