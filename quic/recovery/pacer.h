// Pacer: when the next packets may leave (RFC 9002 §7.7). A leaky bucket of bytes that fills at the pacing rate.
//
// The bucket holds the controller's burst(), a few datagrams, and at least the quantum: what leaves in one GSO train of half
// a millisecond's worth, so that a fast path does not wake the sender for every packet, and a short queue on the way holds a
// train. A path with nothing in flight may have an initial window at once, since no queue is known to stand; in a flow that
// goes on, such bursts, as ACKs that came late together set them off, would fall into a full queue and be lost. Departures
// are instants for the caller: it may sleep until then or hand packets with their departure to a queue that holds them
// (SO_TXTIME), in which case the bucket runs ahead of the clock. Packets that must not wait (ACKs alone, probes) do not ask;
// those in flight are charged all the same and leave the bucket in debt.
//
// A sender that the pacer told to wait, and that comes late because its thread was not scheduled, makes up for it: while data
// waits the bucket may fill up to the initial window. The path has had nothing to do in that time, so this builds no queue, and
// without it a machine that is busy would lose a part of every path's rate.
//
// Within any span of time t no more than rate * t plus one bucket leaves (an idle burst where data waited), debts of probes aside,
// and one idle burst for each time that nothing was in flight.
#pragma once

#include <cstdint>

#include "base/time.h"

namespace quoll::quic {

class Pacer {
 public:
  struct Options {
    uint64_t burst = 4 * 1500;                            // bytes: the bucket, if the quantum is less
    uint64_t idle_burst = 10 * 1200;                      // bytes: RFC 9002 §7.7, the initial window
    uint64_t quantum_max = 64 * 1024;                     // bytes: the longest GSO train
    Duration quantum_time = Duration::microseconds(500);  // what a train lasts at the pacing rate
  };

  /// An RTT that would make it less is no measure of the path: a rate is never zero.
  static constexpr Bandwidth kSlowestRate = Bandwidth::bytes_per_second(1200);

  Pacer() : Pacer(Options{}) {}
  explicit Pacer(Options options);

  /// N * window / smoothed_rtt with N = 5/4 (RFC 9002 §7.7), for controllers that give no rate of their own; N = 2 in
  /// slow start, where the window doubles within the round trip.
  static Bandwidth rate_of(uint64_t window, Duration smoothed_rtt, bool in_slow_start);

  /// An infinite rate, as at the beginning, does not pace.
  void set_rate(Instant now, Bandwidth rate);
  Bandwidth rate() const { return rate_; }
  void set_burst(Instant now, uint64_t burst);
  uint64_t quantum() const { return quantum_; }

  /// When `size` bytes may leave: at `now` if the bucket holds them, else when it has a quantum again, so that trains
  /// stay long. Not before `now`.
  Instant departure(Instant now, uint64_t size) const;
  /// Bytes that may leave at `now` without a wait: the room for a train.
  uint64_t budget(Instant now) const;
  /// Whether data waits for its departure, or waited and still leaves; not when nothing is to be sent, or nothing may be.
  void set_waiting(Instant now, bool is_waiting);
  /// Nothing is in flight.
  void on_idle() { idle_credit_ = static_cast<int64_t>(options_.idle_burst); }
  /// A packet leaves at `departure`.
  void on_packet_sent(Instant departure, uint64_t size);

 private:
  void resize();
  void fill(Instant now);
  int64_t level_at(Instant now) const;
  int64_t limit() const;

  Options options_;
  Bandwidth rate_ = Bandwidth::infinite();
  uint64_t quantum_ = 0;
  int64_t capacity_ = 0;
  int64_t level_ = 0;
  int64_t idle_credit_ = 0;
  bool is_waiting_ = false;
  Instant filled_ = Instant::from_nanoseconds(INT64_MIN);
};

}  // namespace quoll::quic
