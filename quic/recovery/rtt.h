// Rtt: the round-trip time of one path (RFC 9002 §5) and the periods that follow from it: the base of the probe timeout
// (§6.2.1), the time threshold of loss (§6.1.2) and the span of persistent congestion (§7.6.1).
//
// One estimator belongs to one path and is made anew for another one (§5.3, RFC 9000 §9.4). Whether an ACK gives a
// sample at all (§5.1) is decided by LossDetection; what happens to the sample is decided here. Samples below a
// microsecond count as one, so that no rate that is computed from an RTT is infinite.
#pragma once

#include <algorithm>
#include <optional>

#include "base/time.h"

namespace quoll::quic {

inline constexpr Duration kInitialRtt = Duration::milliseconds(333);  // RFC 9002 §6.2.2
inline constexpr Duration kGranularity = Duration::milliseconds(1);   // RFC 9002 §6.1.2
inline constexpr int kPersistentCongestionThreshold = 3;              // RFC 9002 §7.6.1, a multiple of the PTO

class Rtt {
 public:
  static constexpr Duration kSmallestSample = Duration::microseconds(1);

  /// `initial` may come from an earlier connection on the same network, from a Retry, or from a PATH_CHALLENGE's
  /// answer (RFC 9002 §6.2.2, §6.3): it fills the estimator but is no sample.
  explicit Rtt(Duration initial = kInitialRtt);

  /// What an ACK says about the delay of its largest packet.
  struct AckDelay {
    Duration reported = {};                 // as the frame says; zero for Initial packets
    Duration limit = Duration::infinite();  // the peer's max_ack_delay once the handshake is confirmed
  };
  /// A sample that meets RFC 9002 §5.1, taken at `now`.
  void on_sample(Instant now, Duration latest_rtt, AckDelay ack_delay);

  /// RFC 9002 §5.2: min_rtt becomes the newest sample.
  void on_persistent_congestion() { min_rtt_ = latest_rtt_; }

  bool has_sample() const { return first_sample_.has_value(); }
  /// When the first sample was taken: losses of packets sent before cannot establish persistent congestion.
  std::optional<Instant> first_sample() const { return first_sample_; }
  /// Zero before the first sample.
  Duration latest_rtt() const { return latest_rtt_; }
  /// Zero before the first sample.
  Duration min_rtt() const { return min_rtt_; }
  Duration smoothed_rtt() const { return smoothed_rtt_; }
  Duration rttvar() const { return rttvar_; }

  /// smoothed_rtt + max(4 * rttvar, kGranularity): the PTO without max_ack_delay and backoff.
  Duration pto_base() const { return smoothed_rtt_ + std::max(4 * rttvar_, kGranularity); }
  /// The time threshold, `eighths` / 8 of the RTT.
  Duration loss_delay(int eighths) const {
    // RFC 9002 §6.1.2: max(kTimeThreshold * max(smoothed_rtt, latest_rtt), kGranularity).
    return std::max(std::max(smoothed_rtt_, latest_rtt_) * eighths / 8, kGranularity);
  }
  Duration persistent_congestion_duration(Duration max_ack_delay) const {
    // RFC 9002 §7.6.1: max_ack_delay counts whatever the packet number space.
    return (pto_base() + max_ack_delay) * kPersistentCongestionThreshold;
  }

 private:
  Duration smoothed_rtt_;
  Duration rttvar_;
  Duration latest_rtt_;
  Duration min_rtt_;
  std::optional<Instant> first_sample_;
};

}  // namespace quoll::quic
