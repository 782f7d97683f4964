// BbrModel: what BBR believes of a path (draft-ietf-ccwg-bbr §3.4, §5.5): the bandwidth, the round-trip time without a queue,
// how acknowledgments come in lumps, and how much may be in flight without too much loss.
//
// Two time scales. The long-term model (max_bandwidth, inflight_longterm) is learnt while the sender probes, and kept over
// cycles; the short-term model (bandwidth_shortterm, inflight_shortterm) follows every loss downwards and is thrown away when the
// next probe begins. The model measures and limits; when to probe is decided by the modes (bbr_modes.h), and the window and the
// pacing rate are made of it by Bbr (bbr.h). Volumes are bytes, rounds are packet-timed.
#pragma once

#include <array>
#include <cstdint>

#include "quic/congestion/bbr_parameters.h"
#include "quic/congestion/controller.h"
#include "quic/congestion/windowed_max.h"

namespace quoll::quic {

class BbrModel {
 public:
  static constexpr uint64_t kUnlimited = UINT64_MAX;

  explicit BbrModel(const BbrParameters& parameters) : parameters_(&parameters) {}

  // --- Measuring, in this order for each ACK

  /// §5.5.10.3 UpdateLatestDeliverySignals, §5.5.1 UpdateRound, §5.5.5 UpdateMaxBw.
  void begin_ack(const AckEvent& event);
  /// §5.5.9 UpdateACKAggregation; `window` bounds what is believed.
  void update_aggregation(const AckEvent& event, uint64_t window);
  /// §5.3.1.2 CheckFullBWReached.
  void check_full_bandwidth(const RateSample& rate);
  /// §5.3.4.3 UpdateMinRTT.
  void update_min_rtt(Instant now, std::optional<Duration> sample);
  /// §5.5.10.3 AdvanceLatestDeliverySignals, BoundBWForModel.
  void finish_ack(const RateSample& rate);

  // --- Rounds (§5.5.1)

  void start_round() { next_round_delivered_ = delivered_; }
  bool is_round_start() const { return is_round_start_; }
  uint64_t round_count() const { return round_count_; }
  /// A round ended in which losses were counted from the first one on (§5.5.10.3).
  bool is_loss_round_start() const { return is_loss_round_start_; }

  /// In the last window of delays (kBbrQueue...) even the smallest had a queue in it. Ours.
  bool is_queue_standing() const { return is_queue_standing_; }

  // --- Bandwidth and delay

  Bandwidth max_bandwidth() const { return std::max(max_bandwidth_[0], max_bandwidth_[1]); }
  /// The least of both time scales: what is sent by.
  Bandwidth bandwidth() const { return bandwidth_; }
  /// §5.5.6: a cycle of probing is over; the one before the last is forgotten.
  void advance_max_bandwidth_filter();
  /// Infinite before the first sample.
  Duration min_rtt() const { return min_rtt_; }
  bool is_probe_rtt_due() const { return is_probe_rtt_due_; }
  /// The delay was measured on purpose: the next time is an interval away.
  void on_probe_rtt_done(Instant now) { probe_rtt_min_stamp_ = now; }
  uint64_t extra_acked() const { return extra_acked_.best(); }
  /// §5.4.1: time in which nothing was sent is no lull of the path's.
  void restart_aggregation(Instant now) { extra_acked_start_ = now; }
  /// gain * bandwidth * min_rtt; the initial window while there is no sample.
  uint64_t bdp(Bandwidth bandwidth, BbrGain gain, uint64_t initial_window) const;

  /// §5.3.1.2: whether the rate has stopped to grow since reset_full_bandwidth(), and whether it ever had.
  bool is_full_bandwidth_now() const { return full_bandwidth_now_; }
  bool is_full_bandwidth_reached() const { return full_bandwidth_reached_; }
  void set_full_bandwidth_reached(bool is_reached) { full_bandwidth_reached_ = is_reached; }
  void reset_full_bandwidth(Bandwidth baseline = {});

  // --- Loss (§5.5.10)

  void note_loss(uint32_t ranges);
  /// Something was marked CE.
  void note_mark() { note_loss(0), is_marked_in_round_ = true; }
  bool is_loss_in_round() const { return is_loss_in_round_; }
  uint32_t loss_ranges_in_round() const { return loss_ranges_in_round_; }
  uint64_t inflight_latest() const { return inflight_latest_; }
  /// Once per round with a loss, unless the sender is probing (§5.5.10.3 AdaptLowerBoundsFromCongestion). Ours: a loss without a mark
  /// and without a queue, of no more than would be borne while probing, is no congestion.
  void adapt_to_loss(uint64_t window, const RateSample& rate, bool is_queue_of_others);
  void end_loss_round() { is_loss_in_round_ = is_marked_in_round_ = false, loss_ranges_in_round_ = 0; }
  void reset_congestion_signals();
  void reset_shortterm();
  /// More was lost than is borne, or something was marked: the bounds of both time scales tell of now.
  void note_congestion() { congested_round_ = round_count_; }
  /// What lowered the bounds is over, no queue stands, and yet they hold far less than what is known of the path. Ours.
  bool are_bounds_outdated() const;
  uint64_t inflight_longterm() const { return inflight_longterm_; }
  void set_inflight_longterm(uint64_t bytes) { inflight_longterm_ = bytes; }
  uint64_t inflight_shortterm() const { return inflight_shortterm_; }
  /// §5.5.11.1 and §5.5.11.2: the bounds as they were when an episode of losses began, and back to at least these.
  void save_bounds() { saved_ = {bandwidth_shortterm_, inflight_shortterm_, inflight_longterm_}; }
  void restore_bounds();

  /// Samples of packets sent from now on until `delivered_end` was delivered are limited by us, not by the path (§5.3.4.3).
  void mark_limited(uint64_t delivered_end);
  bool is_limited(const RateSample& rate) const;
  uint64_t delivered() const { return delivered_; }

 private:
  struct Bounds {
    Bandwidth bandwidth_shortterm = Bandwidth::infinite();
    uint64_t inflight_shortterm = kUnlimited, inflight_longterm = kUnlimited;
  };

  void update_round(const RateSample& rate);
  void look_for_queue(Instant now, Duration sample);
  void update_max_bandwidth(const RateSample& rate);

  const BbrParameters* parameters_;
  uint64_t delivered_ = 0;  // of the path, as of the last ACK

  uint64_t next_round_delivered_ = 0;
  uint64_t round_count_ = 0;
  uint64_t loss_round_delivered_ = 0;
  bool is_round_start_ = false;
  bool is_loss_round_start_ = false;
  bool is_loss_in_round_ = false;
  bool is_marked_in_round_ = false;
  uint32_t loss_ranges_in_round_ = 0;

  std::array<Bandwidth, 2> max_bandwidth_{};  // of the cycle before, of this cycle
  Bandwidth bandwidth_;
  Bandwidth bandwidth_shortterm_ = Bandwidth::infinite();
  Bandwidth bandwidth_latest_;
  uint64_t inflight_latest_ = 0;
  uint64_t inflight_shortterm_ = kUnlimited;
  uint64_t inflight_longterm_ = kUnlimited;
  uint64_t congested_round_ = 0;
  Bounds saved_;

  Bandwidth full_bandwidth_;
  uint32_t full_bandwidth_rounds_ = 0;
  bool full_bandwidth_now_ = false;
  bool full_bandwidth_reached_ = false;

  Duration min_rtt_ = Duration::infinite();
  Duration probe_rtt_min_delay_ = Duration::infinite();
  std::optional<Instant> min_rtt_stamp_;
  std::optional<Instant> probe_rtt_min_stamp_;
  bool is_probe_rtt_due_ = false;
  struct DelayWindow {
    Instant since;
    Duration smallest = Duration::infinite();
    uint32_t samples = 0;
  };
  DelayWindow delay_window_;
  bool is_queue_standing_ = false;

  std::optional<Instant> extra_acked_start_;
  uint64_t extra_acked_delivered_ = 0;
  WindowedMax<uint64_t> extra_acked_;

  uint64_t limited_begin_ = 0;
  uint64_t limited_end_ = 0;
};

}  // namespace quoll::quic
