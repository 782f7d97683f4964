// HyStart: HyStart++ (RFC 9406), which leaves the initial slow start when the round-trip time begins to rise, before
// packets are lost.
//
// Slow start is watched round by round. When the smallest RTT of a round exceeds that of the round before by a
// threshold, the window grows at a quarter of the speed for some rounds (Conservative Slow Start): if the RTT falls
// back, the rise was jitter and slow start resumes; if not, slow start is over. A round is packet-timed: it ends when a
// packet is acknowledged that was sent after its start, read off the delivery counters of the RateSample. The sender is
// paced, so the growth per ACK is not limited (L is infinite, RFC 9406 §4.3).
#pragma once

#include <cstdint>
#include <optional>

#include "base/time.h"
#include "quic/recovery/delivery_rate.h"

namespace quoll::quic {

class HyStart {
 public:
  // RFC 9406 §4.3.
  static constexpr Duration kMinRttThreshold = Duration::milliseconds(4);
  static constexpr Duration kMaxRttThreshold = Duration::milliseconds(16);
  static constexpr int kMinRttDivisor = 8;
  static constexpr uint32_t kRttSamples = 8;
  static constexpr uint64_t kCssGrowthDivisor = 4;
  static constexpr uint32_t kCssRounds = 5;

  /// An ACK of `bytes` in the initial slow start: by how much the window grows. Afterwards is_done() may hold: slow start
  /// ends with the grown window as its threshold.
  uint64_t on_ack(const RateSample& rate, std::optional<Duration> rtt_sample, uint64_t bytes);

  bool is_conservative() const { return phase_ == Phase::conservative; }
  bool is_done() const { return phase_ == Phase::done; }

 private:
  enum class Phase : uint8_t { standard, conservative, done };

  void start_round();
  void check_rtt();

  uint64_t round_end_delivered_ = 0;
  Duration last_round_min_rtt_ = Duration::infinite();
  Duration current_round_min_rtt_ = Duration::infinite();
  Duration css_baseline_min_rtt_ = Duration::infinite();
  uint32_t rtt_sample_count_ = 0;
  uint32_t css_rounds_ = 0;
  Phase phase_ = Phase::standard;
};

}  // namespace quoll::quic
