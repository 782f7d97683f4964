// Scheduler: which stream sends next (RFC 9000 §2.3), by the priorities of RFC 9218 §4, §10: the most urgent first;
// among equals, streams that are not incremental go one after the other, incremental ones take turns of about a packet.
//
// A stream that has something to send is in one of two sets: it needs credit of the connection's flow control (new
// bytes), or it needs none (lost bytes, an end without bytes). So "can anything go" takes constant time even when the
// connection is blocked. At equal urgency what needs no credit goes first: repairs before new data (RFC 9000 §13.3).
//
// Everything takes constant time. Streams that are not incremental are meant to go in the order of their ids; that order
// is kept as far as it costs nothing: a stream goes to the front when its id is below the first one's, else to the end.
#pragma once

#include <array>

#include "base/intrusive_list.h"
#include "quic/wire/types.h"

namespace quoll::quic {

/// RFC 9218: 0 is the most urgent, 3 the default. Incremental streams of one urgency take turns.
struct StreamPriority {
  uint8_t urgency = 3;  // 0 to 7
  bool incremental = false;
  friend bool operator==(const StreamPriority&, const StreamPriority&) = default;
};
inline constexpr uint8_t kUrgencyMax = 7;

/// What a stream must have to send.
enum class SendNeed : uint8_t { nothing, no_credit, credit };

struct ScheduleTag;

/// What the scheduler knows of a stream.
class SchedulerEntry : public ListHook<ScheduleTag> {
 public:
  explicit SchedulerEntry(StreamId id) : id_(id) {}

  StreamId id() const { return id_; }
  StreamPriority priority() const { return priority_; }
  /// `nothing` when it is in no queue.
  SendNeed need() const { return need_; }

 private:
  friend class Scheduler;

  StreamId id_;
  StreamPriority priority_;
  SendNeed need_ = SendNeed::nothing;
  uint32_t turn_bytes_ = 0;  // sent in this turn
};

class Scheduler {
 public:
  /// Bytes of a turn among incremental streams: about a packet.
  static constexpr uint32_t kTurnBytes = 1200;

  /// What `entry` needs from now on; its place stays when that has not changed.
  void set_need(SchedulerEntry& entry, SendNeed need);
  void set_priority(SchedulerEntry& entry, StreamPriority priority);
  /// Who sends next; null when nobody can. `has_credit`: whether new bytes may go.
  SchedulerEntry* next(bool has_credit);
  /// `entry` has sent `size` bytes: its turn may be over.
  void on_sent(SchedulerEntry& entry, size_t size);

  bool can_send(bool has_credit) const { return (urgencies_[0] | (has_credit ? urgencies_[1] : 0)) != 0; }
  /// Somebody waits who needs credit.
  bool wants_credit() const { return urgencies_[1] != 0; }

 private:
  using Queue = IntrusiveList<SchedulerEntry, ScheduleTag>;

  static size_t set_of(SendNeed need) { return need == SendNeed::credit ? 1 : 0; }
  Queue& queue_of(const SchedulerEntry& entry) { return queues_[set_of(entry.need_)][entry.priority_.urgency]; }
  void link(SchedulerEntry& entry);
  void unlink(SchedulerEntry& entry);

  std::array<std::array<Queue, kUrgencyMax + 1>, 2> queues_;  // by need, by urgency
  std::array<uint8_t, 2> urgencies_{};                        // bit n: queue n is not empty
};

}  // namespace quoll::quic
