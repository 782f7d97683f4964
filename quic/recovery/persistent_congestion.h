// LostRun: the longest stretch of time that is known to hold only losses, from which persistent congestion is
// established (RFC 9002 §7.6.2).
//
// It is fed with the send times of ack-eliciting packets that are declared lost, with those of packets that are
// acknowledged, and with those of acknowledged packets that loss detection passes on its way from old to new packets.
// Within one space losses are declared in order, so passing an acknowledged packet ends the run. Across spaces, which
// matters during the handshake only, the last few acknowledged send times are remembered, until forget_spaces(). What is
// forgotten makes a run shorter, never longer: congestion that is not persistent is never called so on account of a limit.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/time.h"

namespace quoll::quic {

/// Acknowledged send times that are remembered: the packets of a handshake.
inline constexpr size_t kAckedTimesMax = 32;

class LostRun {
 public:
  /// An ack-eliciting packet, sent after the first RTT sample, is lost. `several_spaces`: acknowledged packets may be
  /// in another space than this one; reset() when that ends.
  void on_lost(Instant time_sent, bool several_spaces) {
    if (empty_) {
      empty_ = false;
      start_ = end_ = time_sent;
    } else if (time_sent > end_) {
      if (several_spaces && acked_within(end_, end_)) start_ = end_;
      if (several_spaces && acked_between(end_, time_sent)) start_ = time_sent;
      end_ = time_sent;
    } else if (time_sent < start_) {
      // Another space is behind. When the two cannot be one run, the one that goes on is kept.
      if (several_spaces && acked_within(start_, start_)) end_ = start_;
      if (several_spaces && acked_between(time_sent, start_)) end_ = time_sent;
      start_ = time_sent;
    }
  }
  /// A packet is acknowledged that loss detection had passed as lost: it will not come by again.
  void on_acked_late(Instant time_sent) {
    if (!empty_ && time_sent >= start_) empty_ = true;
    on_acked(time_sent);
  }
  /// A packet is newly acknowledged.
  void on_acked(Instant time_sent) {
    if (!empty_ && time_sent >= start_ && time_sent <= end_) empty_ = true;
    if (!acked_) return;
    Instant& place = (*acked_)[count_ % kAckedTimesMax];
    if (count_++ >= kAckedTimesMax) forgotten_ = std::max(forgotten_, place);
    place = time_sent;
  }
  /// Loss detection has reached an acknowledged packet: later losses of the space lie behind it.
  void on_passed_acked(Instant time_sent) {
    if (empty_ || time_sent <= start_) return;
    if (time_sent == end_) start_ = end_;  // sent in one train with the last loss: that may begin a run
    if (time_sent != end_) empty_ = true;
  }
  void reset() { empty_ = true; }
  /// From now on there is one space, so `several_spaces` is false.
  void forget_spaces() { acked_.reset(); }

  /// The time between the oldest and the newest loss of the run.
  Duration duration() const { return empty_ ? Duration() : end_ - start_; }

 private:
  bool acked_between(Instant low, Instant high) const {
    const Duration step = Duration::nanoseconds(1);
    return acked_within(low + step, high - step);
  }
  /// From `low` to `high`, both included.
  bool acked_within(Instant low, Instant high) const {
    if (forgotten_ >= low || !acked_) return true;  // perhaps
    for (size_t i = 0; i < kAckedTimesMax && i < count_; i++) {
      if ((*acked_)[i] >= low && (*acked_)[i] <= high) return true;
    }
    return false;
  }

  Instant start_, end_;
  bool empty_ = true;
  uint64_t count_ = 0;                                        // ever
  Instant forgotten_ = Instant::from_nanoseconds(INT64_MIN);  // the newest of those that were overwritten
  using AckedTimes = std::array<Instant, kAckedTimesMax>;
  std::unique_ptr<AckedTimes> acked_ = std::make_unique<AckedTimes>();
};

}  // namespace quoll::quic
