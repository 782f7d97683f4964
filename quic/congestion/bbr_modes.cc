#include "quic/congestion/bbr_modes.h"

#include <algorithm>

namespace quoll::quic {

// --- Startup

void BbrStartup::on_marked_round(uint64_t round) {
  marked_rounds_ = round == last_marked_round_ + 1 ? marked_rounds_ + 1 : 1;
  last_marked_round_ = round;
}

BbrStartup::End BbrStartup::end(const BbrModel& model, const BbrParameters& parameters, const RateSample& rate) const {
  // §5.3.1.3: a whole round of recovery, in which much was lost, and not all of it in one burst.
  const bool is_lossy = model.is_loss_round_start() && model.loss_ranges_in_round() >= parameters.startup_loss_ranges &&
                        is_certainly_excessive_loss(rate.lost, rate.tx_in_flight);
  if (is_lossy || marked_rounds_ >= kBbrStartupMarkedRounds) return End::loss;
  if (model.is_full_bandwidth_reached()) return End::plateau;
  return trusts_queue_ && model.is_queue_standing() ? End::queue : End::none;
}

// --- Drain

void BbrDrain::start(BbrModel& model, bool is_early) {
  doubted_.reset();
  if (is_early) {
    doubted_ = model.max_bandwidth();
    model.start_round();
  }
  start_round_ = model.round_count();
}

bool BbrDrain::is_done(const BbrModel& model, const BbrParameters& parameters, const BbrView& view) const {
  const uint64_t rounds = model.round_count() - start_round_;
  if (parameters.drain_rounds_max != 0 && rounds > parameters.drain_rounds_max) return true;
  if (doubted_ && rounds == 0) return false;  // what Startup sent last is still to be heard of
  return view.bytes_in_flight <= view.quantized(model.bdp(model.bandwidth(), kBbrUnity, view.initial_window));
}

bool BbrDrain::was_too_early(const BbrModel& model) const {
  return doubted_ && model.max_bandwidth() >= doubted_->scaled(kBbrFullBandwidthGrowth, kBbrUnity);
}

// --- ProbeBW: phases

BbrGain BbrProbeBandwidth::pacing_gain() const {
  switch (phase_) {
    case Phase::down:
      return kBbrProbeDownPacingGain;
    case Phase::up:
      return kBbrProbeUpPacingGain;
    case Phase::cruise:
    case Phase::refill:
      break;
  }
  return kBbrUnity;
}

uint64_t BbrProbeBandwidth::volume_cap(const BbrModel& model, const BbrView& view) const {
  return phase_ == Phase::cruise ? inflight_with_headroom(model, view) : model.inflight_longterm();
}

uint64_t BbrProbeBandwidth::inflight_with_headroom(const BbrModel& model, const BbrView& view) {
  const uint64_t limit = model.inflight_longterm();
  if (limit == BbrModel::kUnlimited) return limit;
  const uint64_t headroom = std::max(mul_div(limit, kBbrHeadroom, kBbrUnity), view.datagram);
  return std::max(limit - std::min(headroom, limit), view.min_pipe_window());
}

void BbrProbeBandwidth::start_down(BbrModel& model, Instant now) {
  model.reset_congestion_signals();
  up_acked_per_step_ = BbrModel::kUnlimited;
  pick_wait();
  cycle_stamp_ = now;
  stop_probing(model);
  phase_ = Phase::down;
}

void BbrProbeBandwidth::stop_probing(BbrModel& model) {
  is_probe_stopping_ = true;
  model.start_round();
}

void BbrProbeBandwidth::start_refill(BbrModel& model) {
  model.reset_shortterm();
  up_rounds_ = 0;
  up_acked_ = 0;
  previous_cautious_ = false;
  is_probe_stopping_ = false;
  model.start_round();
  phase_ = Phase::refill;
}

void BbrProbeBandwidth::start_up(BbrModel& model, const BbrView& view, const RateSample& rate) {
  is_probe_sample_ = true;
  model.start_round();
  known_bandwidth_ = model.max_bandwidth();
  is_among_others_ = model.is_queue_standing();
  is_thorough_ = parameters_->probes_until_plateau || is_among_others_;
  if (is_thorough_) model.reset_full_bandwidth(rate.delivery_rate);
  cycle_stamp_ = view.now;
  phase_ = Phase::up;
  raise_slope(view);
}

void BbrProbeBandwidth::on_ack(BbrModel& model, const BbrView& view, const RateSample& rate, bool is_in_mode) {
  if (model.is_round_start()) rounds_since_up_++;
  if (adapt_long_term(model, view, rate, is_in_mode)) return;
  if (is_in_mode) advance_phase(model, view, rate);
}

void BbrProbeBandwidth::advance_phase(BbrModel& model, const BbrView& view, const RateSample& rate) {
  const bool is_waiting = phase_ == Phase::down || phase_ == Phase::cruise;
  if (is_waiting && !is_among_others_ && model.are_bounds_outdated()) {
    // The short-term bounds go with each probe; the long-term limit would hold this one for as many rounds as it has to grow.
    model.set_inflight_longterm(BbrModel::kUnlimited);
    return start_refill(model);
  }
  switch (phase_) {
    case Phase::down:
      if (is_time_to_probe(model, view)) return start_refill(model);
      if (is_time_to_cruise(model, view)) start_cruise();
      return;
    case Phase::cruise:
      if (is_time_to_probe(model, view)) start_refill(model);
      return;
    case Phase::refill:
      // One round fills the pipe, so that the first loss of the probe is one of a full pipe.
      if (model.is_round_start()) start_up(model, view, rate);
      return;
    case Phase::up:
      if (!is_time_to_go_down(model, view, rate)) return;
      previous_too_high_ = false;  // no excessive loss so far
      return start_down(model, view.now);
  }
}

bool BbrProbeBandwidth::is_time_to_probe(const BbrModel& model, const BbrView& view) const {
  if (view.now > cycle_stamp_ + wait_) return true;
  // §5.3.3.8.2: as often as Reno would on this path, so that it can live beside.
  const uint64_t target = std::min(model.bdp(model.bandwidth(), kBbrUnity, view.initial_window), view.window);
  const bool is_welcome = !previous_too_high_ && !is_thorough_ && !model.is_queue_standing();
  return rounds_since_up_ >=
         std::min(target / view.datagram, is_welcome ? parameters_->welcome_rounds : kBbrRenoRoundsMax);
}

bool BbrProbeBandwidth::is_time_to_cruise(const BbrModel& model, const BbrView& view) const {
  if (view.bytes_in_flight > inflight_with_headroom(model, view)) return false;
  return view.bytes_in_flight <= view.quantized(model.bdp(model.max_bandwidth(), kBbrUnity, view.initial_window));
}

bool BbrProbeBandwidth::is_time_to_go_down(BbrModel& model, const BbrView& view, const RateSample& rate) {
  if (!is_thorough_) {
    // 02 §4.3.3.4: long enough, with a queue that shows that the bandwidth was probed.
    const uint64_t volume = model.bdp(model.max_bandwidth(), kBbrProbeUpPacingGain, view.initial_window);
    return view.now > cycle_stamp_ + model.min_rtt() &&
           view.bytes_in_flight > view.quantized(volume) + 2 * view.datagram;
  }
  if (previous_too_high_ && view.bytes_in_flight >= model.inflight_longterm()) {
    previous_cautious_ = true;
    return true;
  }
  if (view.is_window_limited && view.window >= model.inflight_longterm()) {
    // It is the limit that holds the bandwidth, not the path.
    model.reset_full_bandwidth(rate.delivery_rate);
    return false;
  }
  return model.is_full_bandwidth_now();
}

bool BbrProbeBandwidth::is_excessive(const RateSample& rate) const {
  return is_among_others_ ? is_excessive_loss(rate.lost, rate.tx_in_flight)
                          : is_certainly_excessive_loss(rate.lost, rate.tx_in_flight);
}

bool BbrProbeBandwidth::has_found_more(const BbrModel& model) const {
  return is_probe_sample_ && !model.is_queue_standing() &&
         model.max_bandwidth() >= known_bandwidth_.scaled(kBbrFoundMore, kBbrUnity);
}

void BbrProbeBandwidth::pick_wait() {
  const uint64_t random = next_random();
  rounds_since_up_ = random & 1;
  const auto spread = static_cast<uint64_t>(kBbrProbeWaitSpread.as_nanoseconds());
  wait_ = kBbrProbeWaitMin + Duration::nanoseconds(static_cast<int64_t>((random >> 1) % spread));
}

uint64_t BbrProbeBandwidth::next_random() {
  // SplitMix64: any numbers that differ between flows will do.
  random_ += 0x9e3779b97f4a7c15;
  uint64_t z = random_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

// --- ProbeBW: the long-term model

bool BbrProbeBandwidth::adapt_long_term(BbrModel& model, const BbrView& view, const RateSample& rate, bool is_in_mode) {
  if (is_probe_stopping_ && model.is_round_start()) {
    // The samples of the probe have ended.
    is_probe_sample_ = false;
    is_probe_stopping_ = false;
    if (is_in_mode && !model.is_limited(rate)) model.advance_max_bandwidth_filter();
    // §5.3.3.6: nothing was lost at the volume at which the probe turned back, so one without that caution follows at once.
    if (parameters_->probes_with_caution && is_in_mode && previous_cautious_ && !previous_too_high_) {
      start_refill(model);
      return true;
    }
  }
  // What else was sent in a probe that lost too much among others is no reason to take back the room that it leaves them.
  if (is_among_others_ && is_probe_stopping_ && previous_too_high_) return false;
  if (is_excessive(rate)) return false;
  if (model.inflight_longterm() == BbrModel::kUnlimited) return false;
  if (rate.tx_in_flight > model.inflight_longterm()) model.set_inflight_longterm(rate.tx_in_flight);
  if (is_in_mode && phase_ == Phase::up) probe_longterm_upward(model, view, rate);
  return false;
}

void BbrProbeBandwidth::probe_longterm_upward(BbrModel& model, const BbrView& view, const RateSample& rate) {
  if (!view.is_window_limited || view.window < model.inflight_longterm()) return;  // the limit is not in use
  up_acked_ += rate.newly_acked;
  if (up_acked_ >= up_acked_per_step_) {
    const uint64_t steps = up_acked_ / up_acked_per_step_;
    up_acked_ -= steps * up_acked_per_step_;
    model.set_inflight_longterm(std::min(model.inflight_longterm() + steps * view.datagram, kWindowMax));
  }
  if (model.is_round_start()) raise_slope(view);
}

void BbrProbeBandwidth::raise_slope(const BbrView& view) {
  const uint64_t growth = uint64_t{1} << up_rounds_;  // datagrams in this round
  up_rounds_ = std::min(up_rounds_ + 1, kBbrProbeUpRoundsMax);
  up_acked_per_step_ = std::max(view.window / growth, view.datagram);
}

bool BbrProbeBandwidth::on_inflight_too_high(BbrModel& model, const BbrView& view, uint64_t inflight, bool is_in_mode) {
  model.note_congestion();
  previous_too_high_ = true;
  is_probe_sample_ = false;  // one answer for each probe
  // Others make room after a loss. A limit that stayed where the queue overflowed would take that room in the next probe.
  if (is_among_others_) inflight = mul_div(inflight, kBbrSharedBeta, kBbrUnity);
  if (inflight != 0) {
    const uint64_t target = std::min(model.bdp(model.bandwidth(), kBbrUnity, view.initial_window), view.window);
    model.set_inflight_longterm(std::max(inflight, mul_div(target, kBbrBeta, kBbrUnity)));
  }
  if (!is_in_mode || phase_ != Phase::up) return false;
  start_down(model, view.now);
  return true;
}

// --- ProbeRTT

uint64_t BbrProbeRtt::window(const BbrModel& model, const BbrView& view) {
  return std::max(model.bdp(model.bandwidth(), kBbrProbeRttWindowGain, view.initial_window), view.min_pipe_window());
}

bool BbrProbeRtt::on_ack(BbrModel& model, const BbrView& view) {
  // What is delivered in this mode is less than the path could give.
  model.mark_limited(model.delivered() + view.bytes_in_flight);
  if (!done_at_) {
    if (view.bytes_in_flight > window(model, view)) return false;
    done_at_ = view.now + kBbrProbeRttDuration;
    is_round_done_ = false;
    model.start_round();
    return false;
  }
  if (model.is_round_start()) is_round_done_ = true;
  return is_round_done_ && is_over(view.now);
}

}  // namespace quoll::quic
