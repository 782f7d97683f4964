#include "quic/congestion/bbr_model.h"

#include <algorithm>

namespace quoll::quic {
namespace {

uint64_t scaled(uint64_t bytes, BbrGain gain) {
  return bytes == BbrModel::kUnlimited ? bytes : mul_div(bytes, gain, kBbrUnity);
}

}  // namespace

// --- Rounds and bandwidth

void BbrModel::begin_ack(const AckEvent& event) {
  delivered_ = event.rate.total_delivered;
  is_loss_round_start_ = false;
  bandwidth_latest_ = std::max(bandwidth_latest_, event.rate.delivery_rate);
  inflight_latest_ = std::max(inflight_latest_, event.rate.delivered);
  if (event.rate.prior_delivered >= loss_round_delivered_) {
    loss_round_delivered_ = delivered_;
    is_loss_round_start_ = true;
  }
  update_round(event.rate);
  update_max_bandwidth(event.rate);
}

void BbrModel::update_round(const RateSample& rate) {
  is_round_start_ = rate.prior_delivered >= next_round_delivered_;
  if (!is_round_start_) return;
  start_round();
  round_count_++;
}

void BbrModel::update_max_bandwidth(const RateSample& rate) {
  // A sample that the application limited still shows that the path gives so much.
  if (rate.delivery_rate.is_zero() || (rate.delivery_rate < max_bandwidth() && is_limited(rate))) return;
  max_bandwidth_[1] = std::max(max_bandwidth_[1], rate.delivery_rate);
}

void BbrModel::advance_max_bandwidth_filter() {
  if (max_bandwidth_[1].is_zero()) return;  // nothing was measured in this cycle: what is known stays known
  max_bandwidth_ = {max_bandwidth_[1], Bandwidth()};
}

void BbrModel::finish_ack(const RateSample& rate) {
  if (is_loss_round_start_) {
    bandwidth_latest_ = rate.delivery_rate;
    inflight_latest_ = rate.delivered;
  }
  bandwidth_ = std::min(max_bandwidth(), bandwidth_shortterm_);
}

uint64_t BbrModel::bdp(Bandwidth bandwidth, BbrGain gain, uint64_t initial_window) const {
  if (min_rtt_.is_infinite()) return initial_window;
  return std::min(scaled(bandwidth.bytes_in(min_rtt_), gain), kWindowMax);
}

void BbrModel::mark_limited(uint64_t delivered_end) {
  if (limited_end_ <= delivered_) limited_begin_ = delivered_;
  limited_end_ = std::max(limited_end_, delivered_end);
}

bool BbrModel::is_limited(const RateSample& rate) const {
  return rate.is_app_limited || (rate.prior_delivered >= limited_begin_ && rate.prior_delivered < limited_end_);
}

// --- A full pipe

void BbrModel::reset_full_bandwidth(Bandwidth baseline) {
  full_bandwidth_ = baseline;
  full_bandwidth_rounds_ = 0;
  full_bandwidth_now_ = false;
}

void BbrModel::check_full_bandwidth(const RateSample& rate) {
  if (full_bandwidth_now_ || !is_round_start_ || is_limited(rate) || rate.delivery_rate.is_zero()) return;
  const bool is_of_round =
      parameters_->probes_until_plateau || full_bandwidth_reached_;  // 02 asks for the maximum in Startup
  const Bandwidth sample = is_of_round ? rate.delivery_rate : max_bandwidth();
  if (sample >= full_bandwidth_.scaled(kBbrFullBandwidthGrowth, kBbrUnity)) return reset_full_bandwidth(sample);
  full_bandwidth_rounds_++;
  full_bandwidth_now_ = full_bandwidth_rounds_ >= kBbrFullBandwidthRounds;
  if (full_bandwidth_now_) full_bandwidth_reached_ = true;
}

// --- Delay

void BbrModel::update_min_rtt(Instant now, std::optional<Duration> sample) {
  if (!probe_rtt_min_stamp_) probe_rtt_min_stamp_ = min_rtt_stamp_ = now;
  is_probe_rtt_due_ = now > *probe_rtt_min_stamp_ + kBbrProbeRttInterval;
  if (sample && (*sample < probe_rtt_min_delay_ || is_probe_rtt_due_)) {
    probe_rtt_min_delay_ = *sample;
    probe_rtt_min_stamp_ = now;
  } else if (sample && *sample <= probe_rtt_min_delay_ + probe_rtt_min_delay_ / kBbrMinRttNoise) {
    // Measured again, but for noise, which the drafts take for a queue: no ProbeRTT need cost a fifth of a second for it.
    probe_rtt_min_stamp_ = now;
  }
  if (sample) look_for_queue(now, *sample);
  const bool is_expired = now > *min_rtt_stamp_ + kBbrMinRttFilter;
  if (probe_rtt_min_delay_ < min_rtt_ || is_expired) {
    min_rtt_ = probe_rtt_min_delay_;
    min_rtt_stamp_ = probe_rtt_min_stamp_;
  }
}

void BbrModel::look_for_queue(Instant now, Duration sample) {
  if (delay_window_.samples == 0) delay_window_.since = now;
  delay_window_.samples++;
  delay_window_.smallest = std::min(delay_window_.smallest, sample);
  const bool is_long = now - delay_window_.since >= std::max(min_rtt_ / kBbrQueueShare, kBbrQueueWindowMin);
  if (delay_window_.samples < kBbrQueueSamples || !is_long) return;
  is_queue_standing_ = delay_window_.smallest > min_rtt_ + std::max(min_rtt_ / kBbrQueueShare, kBbrQueueMin);
  delay_window_ = {};
}

void BbrModel::update_aggregation(const AckEvent& event, uint64_t window) {
  if (!extra_acked_start_) extra_acked_start_ = event.now;
  uint64_t expected = bandwidth_.bytes_in(event.now - *extra_acked_start_);
  // Acknowledged no faster than the bandwidth: an episode of aggregation is over.
  if (extra_acked_delivered_ <= expected) {
    extra_acked_delivered_ = 0;
    extra_acked_start_ = event.now;
    expected = 0;
  }
  extra_acked_delivered_ += event.rate.newly_acked;
  const uint64_t extra = std::min(extra_acked_delivered_ - std::min(expected, extra_acked_delivered_), window);
  extra_acked_.update(extra, round_count_,
                      full_bandwidth_reached_ ? kBbrExtraAckedRounds : parameters_->startup_extra_acked_rounds);
}

// --- Loss

void BbrModel::note_loss(uint32_t ranges) {
  if (!is_loss_in_round_) loss_round_delivered_ = delivered_;
  is_loss_in_round_ = true;
  loss_ranges_in_round_ += ranges;
}

void BbrModel::adapt_to_loss(uint64_t window, const RateSample& rate, bool is_queue_of_others) {
  const bool is_certain = is_certainly_excessive_loss(rate.lost, rate.tx_in_flight);
  if (!is_marked_in_round_ && !is_queue_of_others && !is_certain) return;
  if (bandwidth_shortterm_.is_infinite()) bandwidth_shortterm_ = max_bandwidth();
  if (inflight_shortterm_ == kUnlimited) inflight_shortterm_ = window;
  bandwidth_shortterm_ = std::max(bandwidth_latest_, bandwidth_shortterm_.scaled(kBbrBeta, kBbrUnity));
  inflight_shortterm_ = std::max(inflight_latest_, scaled(inflight_shortterm_, kBbrBeta));
  note_congestion();
}

bool BbrModel::are_bounds_outdated() const {
  if (is_queue_standing_ || round_count_ - congested_round_ < kBbrOutdatedRounds) return false;
  const Bandwidth share = max_bandwidth().scaled(kBbrOutdatedShare, kBbrUnity);
  return bandwidth_shortterm_ < share || std::min(inflight_shortterm_, inflight_longterm_) < share.bytes_in(min_rtt_);
}

void BbrModel::reset_congestion_signals() {
  end_loss_round();
  bandwidth_latest_ = {};
  inflight_latest_ = 0;
}

void BbrModel::reset_shortterm() {
  bandwidth_shortterm_ = Bandwidth::infinite();
  inflight_shortterm_ = kUnlimited;
}

void BbrModel::restore_bounds() {
  bandwidth_shortterm_ = std::max(bandwidth_shortterm_, saved_.bandwidth_shortterm);
  inflight_shortterm_ = std::max(inflight_shortterm_, saved_.inflight_shortterm);
  inflight_longterm_ = std::max(inflight_longterm_, saved_.inflight_longterm);
}

}  // namespace quoll::quic
