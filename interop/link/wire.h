// Wire: one direction of the link without a clock: a drop-tail queue, a transmitter of some rate, a delay.
//
// It is ns-3's point-to-point device under a queue discipline of N packets: one packet is being transmitted, one waits in the
// device itself, and N in the queue. What a packet takes on the wire is its IP size and 2 bytes of PPP. All times follow from
// when packets were offered, never from when somebody looked: a caller who comes late gets the same times.
//
// The caller polls, in this order: start() until it gives nothing, offer(), and arrive().
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/rng.h"
#include "base/time.h"

namespace quoll::link {

/// From `at` on, packets are transmitted at `rate`. What `at` counts from, its owner says.
struct RateStep {
  Duration at;
  Bandwidth rate;
};

struct WireConfig {
  Bandwidth rate;
  Duration delay = {};
  size_t queue = 0;                          // packets
  std::optional<size_t> ecn_threshold = {};  // packets that wait when one is marked, if it is to be
  Duration jitter = {};                      // each packet's delay is longer by up to this, at random
  std::vector<RateStep> steps = {};          // in order of time; they override the rate
};

class Wire {
 public:
  static constexpr size_t kPppSize = 2;
  static constexpr size_t kDeviceSlots = 1;

  struct InFlight {
    std::vector<uint8_t> packet;
    Instant offered;
    Instant started;  // when its first bit left
    Instant due;      // when its last bit arrives
  };
  enum class Offered : uint8_t { queued, marked, dropped };

  /// `rng` draws the jitter. Steps do not count before begin_steps().
  Wire(WireConfig config, Rng& rng) : config_(std::move(config)), rng_(rng) {}

  /// The time from which the steps count.
  void begin_steps(Instant origin) { steps_origin_ = origin; }

  /// Begins with the next packet's transmission when it has come by `now`; the packet, good until the next call. Time does not
  /// run back.
  const InFlight* start(Instant now);
  /// A packet comes to the queue's end at `now`. start() has nothing left for that time.
  Offered offer(std::vector<uint8_t> packet, Instant now);
  /// When the next packet arrives; never, when there is none.
  Instant next_arrival() const { return in_flight_.empty() ? Instant::never() : in_flight_.front().due; }
  /// A packet that has arrived by `now`, in order of arrival.
  std::optional<InFlight> arrive(Instant now);

  size_t waiting() const { return waiting_.size(); }

 private:
  Bandwidth rate_at(Instant now) const;

  WireConfig config_;
  Rng& rng_;
  Instant steps_origin_ = Instant::never();
  std::deque<InFlight> waiting_;    // started and due are not known yet
  std::deque<InFlight> in_flight_;  // sorted by due
  Instant free_at_;                 // when the transmitter is done with what it has
};

}  // namespace quoll::link
