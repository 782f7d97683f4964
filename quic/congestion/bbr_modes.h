// The modes of BBR, each a class of its own (draft-ietf-ccwg-bbr §5.3): Startup finds the bandwidth by doubling, Drain removes the
// queue that this made, ProbeBW goes round its four phases, ProbeRTT lets the queue run dry to measure the delay.
//
// A mode says how fast to send (pacing and window gains), when it is over, and what it teaches the model. It holds what it must
// remember between ACKs and nothing of the path: that is BbrModel's. Which mode follows which is written in Bbr (bbr.h).
#pragma once

#include "quic/congestion/bbr_model.h"

namespace quoll::quic {

/// What a mode sees of the sender at an ACK.
struct BbrView {
  Instant now = {};
  uint64_t window = 0;
  uint64_t bytes_in_flight = 0;  // after the ACK
  bool is_window_limited = false;
  uint64_t datagram = 0;  // the path's maximum datagram size
  uint64_t budget = 0;    // §5.5.8, bytes
  uint64_t initial_window = 0;

  uint64_t min_pipe_window() const { return kBbrMinPipeDatagrams * datagram; }
  /// §5.6.4.2 QuantizationBudget: never less than what keeps the pipe and its ends busy.
  uint64_t quantized(uint64_t volume) const { return std::max({volume, budget, min_pipe_window()}); }
};

class BbrStartup {
 public:
  static constexpr BbrGain kPacingGain = kBbrStartupPacingGain;

  /// A new try begins.
  void start() { marked_rounds_ = 0; }
  /// A queue was no sign of a full pipe here.
  void distrust_queue() { trusts_queue_ = false; }
  /// A packet with a CE mark was acknowledged, in a round that had none before.
  void on_marked_round(uint64_t round);
  enum class End : uint8_t { none, plateau, queue, loss };
  /// §5.3.1.2, §5.3.1.3; by a queue: ours.
  End end(const BbrModel& model, const BbrParameters& parameters, const RateSample& rate) const;

 private:
  bool trusts_queue_ = true;
  uint32_t marked_rounds_ = 0;
  uint64_t last_marked_round_ = 0;
};

class BbrDrain {
 public:
  static constexpr BbrGain kPacingGain = kBbrDrainPacingGain;

  /// `is_early`: because of a queue, which may have been something else, so that the bandwidth is in doubt.
  void start(BbrModel& model, bool is_early);
  /// §5.3.2 CheckDrainDone.
  bool is_done(const BbrModel& model, const BbrParameters& parameters, const BbrView& view) const;
  /// What Startup had sent last shows that there was more bandwidth to be found.
  bool was_too_early(const BbrModel& model) const;

 private:
  uint64_t start_round_ = 0;
  std::optional<Bandwidth> doubted_;
};

class BbrProbeBandwidth {
 public:
  enum class Phase : uint8_t { down, cruise, refill, up };

  /// `random` seeds the waits between probes (§5.3.3.8.2), so that flows do not probe together.
  BbrProbeBandwidth(const BbrParameters& parameters, uint64_t random) : parameters_(&parameters), random_(random) {}

  Phase phase() const { return phase_; }
  BbrGain pacing_gain() const;
  BbrGain window_gain() const {
    return phase_ == Phase::up && is_thorough_ ? parameters_->thorough_window_gain : kBbrWindowGain;
  }
  /// §5.6.4.7: what the long-term model allows in this phase.
  uint64_t volume_cap(const BbrModel& model, const BbrView& view) const;
  /// §5.3.3.9 InflightWithHeadroom.
  static uint64_t inflight_with_headroom(const BbrModel& model, const BbrView& view);

  // §5.3.3.9 StartProbeBW_*
  void start_down(BbrModel& model, Instant now);
  void start_cruise() { phase_ = Phase::cruise; }
  void start_refill(BbrModel& model);
  /// ProbeRTT begins: what is acknowledged from now on tells nothing of a probe.
  void stop_probing(BbrModel& model);
  /// Startup is resumed: what is acknowledged from now on is of another probe.
  void forget_probe() { is_probe_sample_ = is_probe_stopping_ = false; }

  /// For each ACK once the pipe was full: §5.3.3.9 AdaptLongTermModel, then UpdateProbeBWCyclePhase if BBR `is_in_mode`.
  void on_ack(BbrModel& model, const BbrView& view, const RateSample& rate, bool is_in_mode);

  /// The path took all that ProbeBW_UP sent: there is much more, and steps of a quarter are small. Before on_ack(), since what a probe
  /// sent last is acknowledged as its samples end. Ours.
  bool has_found_more(const BbrModel& model) const;
  /// A queue stood already when the last ProbeBW_UP began. Ours.
  bool is_among_others() const { return is_among_others_; }
  /// Whether what is lost now was sent in a probe, to which nothing has answered yet.
  bool is_probe_sample() const { return is_probe_sample_; }
  /// §5.5.10.2 HandleInflightTooHigh: `inflight` was too much; zero: it is not known, for the application limited it. True when
  /// this ended ProbeBW_UP.
  bool on_inflight_too_high(BbrModel& model, const BbrView& view, uint64_t inflight, bool is_in_mode);

 private:
  void start_up(BbrModel& model, const BbrView& view, const RateSample& rate);
  bool adapt_long_term(BbrModel& model, const BbrView& view, const RateSample& rate, bool is_in_mode);
  void advance_phase(BbrModel& model, const BbrView& view, const RateSample& rate);
  bool is_time_to_probe(const BbrModel& model, const BbrView& view) const;
  bool is_time_to_cruise(const BbrModel& model, const BbrView& view) const;
  bool is_time_to_go_down(BbrModel& model, const BbrView& view, const RateSample& rate);
  void probe_longterm_upward(BbrModel& model, const BbrView& view, const RateSample& rate);
  void raise_slope(const BbrView& view);
  bool is_excessive(const RateSample& rate) const;
  void pick_wait();
  uint64_t next_random();

  const BbrParameters* parameters_;
  uint64_t random_;
  Phase phase_ = Phase::down;
  bool is_probe_stopping_ = false;  // of the drafts' ack_phase what anybody asks for: a probe's last samples come in
  bool is_probe_sample_ = false;
  bool is_among_others_ = false;
  bool is_thorough_ = false;  // the current ProbeBW_UP goes on until the delivery rate grows no more
  bool previous_too_high_ = false;
  bool previous_cautious_ = false;
  uint32_t up_rounds_ = 0;
  uint64_t up_acked_ = 0;
  uint64_t up_acked_per_step_ = BbrModel::kUnlimited;
  uint64_t rounds_since_up_ = 0;
  Instant cycle_stamp_;
  Duration wait_;
  Bandwidth known_bandwidth_;  // before the current ProbeBW_UP
};

class BbrProbeRtt {
 public:
  void start() { done_at_.reset(), is_round_done_ = false; }
  /// §5.3.4.5 ProbeRTTCwnd.
  static uint64_t window(const BbrModel& model, const BbrView& view);
  /// §5.3.4.3 HandleProbeRTT: true when the time is over.
  bool on_ack(BbrModel& model, const BbrView& view);
  bool is_over(Instant now) const { return done_at_ && now > *done_at_; }

 private:
  std::optional<Instant> done_at_;
  bool is_round_done_ = false;
};

}  // namespace quoll::quic
