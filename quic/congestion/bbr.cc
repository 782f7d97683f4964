#include "quic/congestion/bbr.h"

#include <algorithm>
#include <utility>

#include "quic/recovery/pacer.h"

namespace quoll::quic {

Bbr::Bbr(const BbrParameters& parameters, Options options)
    : parameters_(&parameters),
      max_datagram_size_(std::max(options.max_datagram_size, kSmallestMaxDatagramSize)),
      initial_window_(options.initial_window),
      window_(initial_bytes()),
      model_(parameters),
      probe_bandwidth_(parameters, options.seed) {}

BbrView Bbr::view(Instant now, uint64_t bytes_in_flight) const {
  // §5.6.3 SetSendQuantum.
  const uint64_t quantum = pacing_rate_.is_infinite() ? kBbrQuantumMax : pacing_rate_.bytes_in(kBbrQuantumTime);
  const uint64_t train = std::max(std::min(quantum, kBbrQuantumMax), 2 * max_datagram_size_);
  return {.now = now,
          .window = window_,
          .bytes_in_flight = bytes_in_flight,
          .is_window_limited = window_limited_in_round_ || window_limited_last_round_,
          .datagram = max_datagram_size_,
          .budget = parameters_->offload_quanta * train,
          .initial_window = initial_bytes()};
}

// --- What was sent

void Bbr::on_packet_sent(const SentEvent& event) {
  // §5.4.1 HandleRestartFromIdle.
  if (event.bytes_in_flight <= event.bytes && is_app_limited_) {
    is_idle_restart_ = true;
    model_.restart_aggregation(event.now);
    if (mode_ == Mode::probe_bandwidth) {
      set_pacing_rate(kBbrUnity, 0);
    } else if (mode_ == Mode::probe_rtt && probe_rtt_.is_over(event.now)) {
      leave_probe_rtt(event.now);
    }
  }
  is_app_limited_ = false;
  if (!can_send(event.bytes_in_flight, max_datagram_size_)) window_limited_in_round_ = true;
}

void Bbr::on_app_limited(Instant, uint64_t) { is_app_limited_ = true; }

void Bbr::set_max_datagram_size(uint64_t size) {
  max_datagram_size_ = std::max(size, kSmallestMaxDatagramSize);
  // RFC 9002 §7.2: a window that is still the initial one is computed anew.
  window_ = is_initial_ ? initial_bytes() : std::max(window_, minimum());
}

// --- What was acknowledged (§5.2.3)

void Bbr::on_ack(const AckEvent& event, const Rtt& rtt) {
  if (std::exchange(is_initial_, false) && rtt.has_sample()) {
    first_rtt_ = rtt.min_rtt();
    window_ = initial_bytes();
  }
  if (in_recovery_ && event.newest_time_sent > recovery_start_) {
    in_recovery_ = is_conserving_ = false;
    restore_window();
  }
  model_.begin_ack(event);
  follow_window_usage();
  const BbrView seen = view(event.now, event.bytes_in_flight);
  if (model_.is_loss_round_start() && model_.is_loss_in_round() && !is_probing()) {
    // In ProbeBW_DOWN it is that of our own probe.
    const bool is_down = mode_ == Mode::probe_bandwidth && phase() == BbrProbeBandwidth::Phase::down;
    model_.adapt_to_loss(window_, event.rate, model_.is_queue_standing() && !is_down);
  }
  model_.update_aggregation(event, window_);
  model_.check_full_bandwidth(event.rate);
  update_state(event, seen);
  model_.finish_ack(event.rate);

  if (pacing_rate_.is_zero() && rtt.has_sample()) {
    // §5.6.2 InitPacingRate.
    const Bandwidth nominal = Bandwidth::of(initial_bytes(), rtt.smoothed_rtt());
    pacing_rate_ = nominal.scaled(kBbrStartupPacingGain, kBbrUnity);
  }
  // §5.6.2: the margin lets queues run dry. Where there is hardly one it would leave a hundredth of the path unused.
  const Duration queue = rtt.smoothed_rtt() - model_.min_rtt();
  set_pacing_rate(pacing_gain(), queue > model_.min_rtt() / kBbrMarginFreeQueue ? kBbrPacingMargin : 0);
  set_window(event, view(event.now, event.bytes_in_flight));
}

void Bbr::follow_window_usage() {
  if (!model_.is_round_start()) return;
  window_limited_last_round_ = std::exchange(window_limited_in_round_, false);
}

void Bbr::update_state(const AckEvent& event, const BbrView& seen) {
  if (mode_ == Mode::startup) check_startup(event);
  if (model_.is_loss_round_start()) model_.end_loss_round();
  if (mode_ == Mode::drain && drain_.is_done(model_, *parameters_, seen)) leave_drain(event.now);
  if (model_.is_full_bandwidth_reached()) {
    if (mode_ == Mode::probe_bandwidth && probe_bandwidth_.has_found_more(model_)) {
      resume_startup();
    } else {
      probe_bandwidth_.on_ack(model_, seen, event.rate, mode_ == Mode::probe_bandwidth);
    }
  }
  model_.update_min_rtt(event.now, event.rtt_sample);
  check_probe_rtt(event, seen);
}

void Bbr::check_startup(const AckEvent& event) {
  const BbrStartup::End end = startup_.end(model_, *parameters_, event.rate);
  if (end == BbrStartup::End::none) return;
  if (end == BbrStartup::End::loss) {
    if (undo_ != Undo::forbidden) undo_ = Undo::startup;
    if (parameters_->startup_loss_limits_inflight) {
      const uint64_t bdp = model_.bdp(model_.max_bandwidth(), kBbrUnity, initial_bytes());
      model_.set_inflight_longterm(std::max(bdp, model_.inflight_latest()));
    }
  }
  model_.set_full_bandwidth_reached(true);
  enter_drain(end == BbrStartup::End::queue);
}

void Bbr::enter_startup() {
  mode_ = Mode::startup;
  startup_.start();
}

void Bbr::resume_startup() {
  model_.set_full_bandwidth_reached(false);
  model_.reset_full_bandwidth(model_.max_bandwidth());
  probe_bandwidth_.forget_probe();
  enter_startup();
}

void Bbr::enter_drain(bool is_early) {
  mode_ = Mode::drain;
  drain_.start(model_, is_early);
}

void Bbr::leave_drain(Instant now) {
  if (!drain_.was_too_early(model_)) return enter_probe_bandwidth(now);
  startup_.distrust_queue();
  resume_startup();
}

void Bbr::enter_probe_bandwidth(Instant now) {
  mode_ = Mode::probe_bandwidth;
  probe_bandwidth_.start_down(model_, now);
}

void Bbr::check_probe_rtt(const AckEvent& event, const BbrView& seen) {
  if (mode_ != Mode::probe_rtt && model_.is_probe_rtt_due() && !is_idle_restart_) {
    save_window();
    mode_ = Mode::probe_rtt;
    probe_rtt_.start();
    probe_bandwidth_.stop_probing(model_);
  }
  if (mode_ == Mode::probe_rtt && probe_rtt_.on_ack(model_, seen)) leave_probe_rtt(event.now);
  if (event.rate.delivered != 0) is_idle_restart_ = false;
}

void Bbr::leave_probe_rtt(Instant now) {
  model_.on_probe_rtt_done(now);
  restore_window();
  // §5.3.4.4: what was lost in this mode says little, but the next probe waits for its time; the queue is empty already.
  model_.reset_shortterm();
  if (!model_.is_full_bandwidth_reached()) return enter_startup();
  enter_probe_bandwidth(now);
  probe_bandwidth_.start_cruise();
}

// --- What was lost (§5.2.4)

void Bbr::on_loss(const LossEvent& event) {
  is_initial_ = false;
  const bool is_new_recovery = event.newest_time_sent > recovery_start_;
  if (is_new_recovery || !model_.is_loss_in_round()) save_window();
  if (!model_.is_loss_in_round()) {
    // §5.5.11.1 SaveStateUponLoss.
    model_.save_bounds();
    undo_ = Undo::none;
  }
  model_.note_loss(event.ranges);
  if (is_new_recovery) {
    recovery_start_ = event.now;
    in_recovery_ = true;
  }
  conserve(event);
  // Among others on a full queue a loss is congestion, as small as it is.
  const bool is_excessive = event.excess && (event.excess->is_certain || probe_bandwidth_.is_among_others());
  if (is_excessive && probe_bandwidth_.is_probe_sample()) {
    const ExcessiveLoss& excess = *event.excess;
    on_inflight_too_high(view(event.now, event.bytes_in_flight),
                         excess.is_app_limited ? 0 : excess.inflight_at_threshold());
  }
  if (event.persistent_congestion) window_ = minimum();  // RFC 9002 §7.6.2; §5.6.4.4 OnEnterRTO
}

void Bbr::conserve(const LossEvent& event) {
  if (is_conserving_) {
    window_ = std::max(window_ - std::min(event.bytes_lost, window_), minimum());
  } else if (in_recovery_ && parameters_->conserves_packets && event.excess && event.excess->is_certain) {
    is_conserving_ = true;
    window_ = std::max(event.bytes_in_flight + max_datagram_size_, minimum());
  }
}

void Bbr::on_inflight_too_high(const BbrView& seen, uint64_t inflight) {
  const bool is_in_mode = mode_ == Mode::probe_bandwidth;
  const bool has_ended = probe_bandwidth_.on_inflight_too_high(model_, seen, inflight, is_in_mode);
  if (has_ended && undo_ != Undo::forbidden) undo_ = Undo::probe_up;
}

void Bbr::on_ecn_ce(const EcnEvent& event) {
  is_initial_ = false;
  if (event.largest_time_sent <= recovery_start_) return;  // one answer for each round trip
  recovery_start_ = event.now;
  model_.note_mark();
  if (mode_ == Mode::startup) startup_.on_marked_round(model_.round_count());
  if (probe_bandwidth_.is_probe_sample()) {
    on_inflight_too_high(view(event.now, event.bytes_in_flight), model_.inflight_latest());
  }
  undo_ = Undo::forbidden;  // a mark is never spurious
}

void Bbr::on_spurious_loss(Instant) {
  // §5.5.11.2.
  if (undo_ == Undo::forbidden) return;
  restore_window();
  in_recovery_ = is_conserving_ = false;
  model_.end_loss_round();
  model_.reset_full_bandwidth();
  model_.restore_bounds();
  const Undo undo = std::exchange(undo_, Undo::none);
  if (undo == Undo::startup && mode_ != Mode::startup) {
    model_.set_full_bandwidth_reached(false);
    if (mode_ != Mode::probe_rtt) enter_startup();
  } else if (undo == Undo::probe_up && mode_ == Mode::probe_bandwidth &&
             probe_bandwidth_.phase() != BbrProbeBandwidth::Phase::up) {
    probe_bandwidth_.start_refill(model_);
  }
}

void Bbr::save_window() {
  prior_window_ = in_recovery_ || mode_ == Mode::probe_rtt ? std::max(prior_window_, window_) : window_;
}

// --- What the sender asks for (§5.6)

BbrGain Bbr::pacing_gain() const {
  switch (mode_) {
    case Mode::startup:
      return BbrStartup::kPacingGain;
    case Mode::drain:
      return BbrDrain::kPacingGain;
    case Mode::probe_bandwidth:
      return probe_bandwidth_.pacing_gain();
    case Mode::probe_rtt:
      break;
  }
  return kBbrUnity;
}

BbrGain Bbr::window_gain() const {
  if (mode_ == Mode::probe_rtt) return kBbrProbeRttWindowGain;
  return mode_ == Mode::probe_bandwidth ? probe_bandwidth_.window_gain() : kBbrWindowGain;
}

bool Bbr::is_probing() const {
  using Phase = BbrProbeBandwidth::Phase;
  if (mode_ != Mode::probe_bandwidth) return mode_ == Mode::startup;
  return phase() == Phase::refill || phase() == Phase::up;
}

Bandwidth Bbr::pacing_rate(const Rtt&) const {
  if (pacing_rate_.is_zero()) return Bandwidth::infinite();
  return std::max(pacing_rate_, Pacer::kSlowestRate);
}

uint64_t Bbr::burst() const { return Pacer::Options().burst; }

void Bbr::set_pacing_rate(BbrGain gain, BbrGain margin) {
  const Bandwidth rate =
      model_.bandwidth().scaled(uint64_t{gain} * (kBbrUnity - margin), uint64_t{kBbrUnity} * kBbrUnity);
  if (rate.is_zero()) return;  // nothing measured yet
  if (model_.is_full_bandwidth_reached() || rate > pacing_rate_) pacing_rate_ = rate;
}

void Bbr::set_window(const AckEvent& event, const BbrView& seen) {
  const uint64_t volume = model_.bdp(model_.bandwidth(), window_gain(), seen.initial_window) + model_.extra_acked();
  const bool is_up = mode_ == Mode::probe_bandwidth && phase() == BbrProbeBandwidth::Phase::up;
  const uint64_t max_inflight = seen.quantized(volume) + (is_up ? 2 * max_datagram_size_ : 0);
  if (is_conserving_) {
    window_ = std::max(window_, event.bytes_in_flight + event.rate.newly_acked);
  } else {
    const bool is_filled = model_.is_full_bandwidth_reached();
    if (is_filled) {
      window_ = std::min(window_ + event.rate.newly_acked, max_inflight);
    } else if (window_ < max_inflight || model_.delivered() < seen.initial_window) {
      window_ += event.rate.newly_acked;
    }
    window_ = std::max(window_, seen.min_pipe_window());
  }
  bound_window(seen);
}

void Bbr::bound_window(const BbrView& seen) {
  if (mode_ == Mode::probe_rtt) window_ = std::min(window_, BbrProbeRtt::window(model_, seen));
  uint64_t cap = BbrModel::kUnlimited;
  if (mode_ == Mode::probe_bandwidth) cap = probe_bandwidth_.volume_cap(model_, seen);
  if (mode_ == Mode::probe_rtt) cap = BbrProbeBandwidth::inflight_with_headroom(model_, seen);
  cap = std::max(std::min(cap, model_.inflight_shortterm()), seen.min_pipe_window());
  window_ = std::min({window_, cap, kWindowMax});
}

CongestionState Bbr::state() const {
  using Phase = BbrProbeBandwidth::Phase;
  switch (mode_) {
    case Mode::startup:
      return CongestionState::startup;
    case Mode::drain:
      return CongestionState::drain;
    case Mode::probe_rtt:
      return CongestionState::probe_rtt;
    case Mode::probe_bandwidth:
      break;
  }
  switch (phase()) {
    case Phase::down:
      return CongestionState::probe_bandwidth_down;
    case Phase::cruise:
      return CongestionState::probe_bandwidth_cruise;
    case Phase::refill:
      return CongestionState::probe_bandwidth_refill;
    case Phase::up:
      break;
  }
  return CongestionState::probe_bandwidth_up;
}

}  // namespace quoll::quic
