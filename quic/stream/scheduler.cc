#include "quic/stream/scheduler.h"

#include <bit>

namespace quoll::quic {

void Scheduler::set_need(SchedulerEntry& entry, SendNeed need) {
  if (entry.need_ == need) return;
  unlink(entry);
  entry.need_ = need;
  link(entry);
}

void Scheduler::set_priority(SchedulerEntry& entry, StreamPriority priority) {
  QUOLL_DCHECK(priority.urgency <= kUrgencyMax);
  if (entry.priority_ == priority) return;
  unlink(entry);
  entry.priority_ = priority;
  link(entry);
}

SchedulerEntry* Scheduler::next(bool has_credit) {
  const auto first = [this](size_t set) { return std::countr_zero(urgencies_[set]); };  // 8 when there is none
  const int repair = first(0);
  const int fresh = has_credit ? first(1) : kUrgencyMax + 1;
  if (repair > kUrgencyMax && fresh > kUrgencyMax) return nullptr;
  // RFC 9000 §13.3: repairs before new data, unless priorities say otherwise.
  return repair <= fresh ? &queues_[0][static_cast<size_t>(repair)].front()
                         : &queues_[1][static_cast<size_t>(fresh)].front();
}

void Scheduler::on_sent(SchedulerEntry& entry, size_t size) {
  if (!entry.priority_.incremental || entry.need_ == SendNeed::nothing) return;
  entry.turn_bytes_ += static_cast<uint32_t>(size);
  if (entry.turn_bytes_ < kTurnBytes) return;
  entry.turn_bytes_ = 0;
  Queue::remove(entry);
  queue_of(entry).push_back(entry);
}

void Scheduler::link(SchedulerEntry& entry) {
  if (entry.need_ == SendNeed::nothing) return;
  Queue& queue = queue_of(entry);
  // RFC 9218 §10: what is not incremental goes in the order of stream ids.
  const bool first = !entry.priority_.incremental && !queue.empty() && entry.id_ < queue.front().id_;
  if (first) {
    queue.push_front(entry);
  } else {
    queue.push_back(entry);
  }
  urgencies_[set_of(entry.need_)] |= static_cast<uint8_t>(1u << entry.priority_.urgency);
}

void Scheduler::unlink(SchedulerEntry& entry) {
  if (entry.need_ == SendNeed::nothing) return;
  Queue::remove(entry);
  if (queue_of(entry).empty()) {
    urgencies_[set_of(entry.need_)] &= static_cast<uint8_t>(~(1u << entry.priority_.urgency));
  }
}

}  // namespace quoll::quic
