#include "quic/recovery/rtt.h"

namespace quoll::quic {

// RFC 9002 §5.3: until there is a sample, the initial RTT stands in.
Rtt::Rtt(Duration initial) : smoothed_rtt_(std::max(initial, kSmallestSample)), rttvar_(smoothed_rtt_ / 2) {}

void Rtt::on_sample(Instant now, Duration latest_rtt, AckDelay ack_delay) {
  latest_rtt_ = std::max(latest_rtt, kSmallestSample);
  if (!first_sample_) {
    // RFC 9002 §5.2, §5.3: the first sample replaces everything, ACK delay and all.
    first_sample_ = now;
    min_rtt_ = smoothed_rtt_ = latest_rtt_;
    rttvar_ = latest_rtt_ / 2;
    return;
  }
  // RFC 9002 §5.2: min_rtt knows only what was observed here, not what the peer says about its delay.
  min_rtt_ = std::min(min_rtt_, latest_rtt_);
  // RFC 9002 §5.3: the lesser of the reported delay and the peer's promise; a delay that would bring the sample below
  // min_rtt is not believed.
  const Duration delay = std::min(ack_delay.reported, ack_delay.limit);
  const Duration adjusted = latest_rtt_ >= min_rtt_ + delay ? latest_rtt_ - delay : latest_rtt_;
  // RFC 9002 §A.7: rttvar is computed with the smoothed_rtt before this sample.
  rttvar_ = (3 * rttvar_ + (smoothed_rtt_ - adjusted).absolute()) / 4;
  smoothed_rtt_ = (7 * smoothed_rtt_ + adjusted) / 8;
}

}  // namespace quoll::quic
