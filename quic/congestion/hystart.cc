#include "quic/congestion/hystart.h"

#include <algorithm>

namespace quoll::quic {

uint64_t HyStart::on_ack(const RateSample& rate, std::optional<Duration> rtt_sample, uint64_t bytes) {
  // RFC 9406 §4.2: the round ends with the ACK of a packet that was sent after its start.
  const bool round_ends = rate.has_data && rate.prior_delivered >= round_end_delivered_;
  if (round_ends) {
    round_end_delivered_ = rate.total_delivered;
    start_round();
  }
  const uint64_t growth = phase_ == Phase::conservative ? bytes / kCssGrowthDivisor : bytes;
  if (rtt_sample && phase_ != Phase::done) {
    current_round_min_rtt_ = std::min(current_round_min_rtt_, *rtt_sample);
    rtt_sample_count_++;
    check_rtt();
  }
  return growth;
}

void HyStart::start_round() {
  last_round_min_rtt_ = current_round_min_rtt_;
  current_round_min_rtt_ = Duration::infinite();
  rtt_sample_count_ = 0;
  // RFC 9406 §4.2: the round in which Conservative Slow Start began counts in full.
  if (phase_ == Phase::conservative && ++css_rounds_ >= kCssRounds) phase_ = Phase::done;
}

void HyStart::check_rtt() {
  if (rtt_sample_count_ < kRttSamples) return;
  if (phase_ == Phase::conservative) {
    // RFC 9406 §4.2: the RTT fell below what it was when it seemed to rise: that was spurious.
    if (current_round_min_rtt_ < css_baseline_min_rtt_) {
      css_baseline_min_rtt_ = Duration::infinite();
      phase_ = Phase::standard;
    }
    return;
  }
  if (last_round_min_rtt_.is_infinite()) return;
  const Duration threshold = std::clamp(last_round_min_rtt_ / kMinRttDivisor, kMinRttThreshold, kMaxRttThreshold);
  if (current_round_min_rtt_ < last_round_min_rtt_ + threshold) return;
  css_baseline_min_rtt_ = current_round_min_rtt_;
  css_rounds_ = 0;
  phase_ = Phase::conservative;
}

}  // namespace quoll::quic
