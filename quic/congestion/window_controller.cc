#include "quic/congestion/window_controller.h"

#include "quic/recovery/pacer.h"

namespace quoll::quic {

WindowController::WindowController(Options options)
    : initial_window_(options.initial_window),
      window_(initial_window_.bytes(options.max_datagram_size)),
      max_datagram_size_(options.max_datagram_size),
      use_hystart_(options.hystart) {}

void WindowController::on_packet_sent(const SentEvent& event) {
  recovery_packet_ = false;
  if (event.bytes_in_flight <= event.bytes) after_idle(event.now);
  last_sent_ = event.now;
  most_in_flight_ = std::max(most_in_flight_, event.bytes_in_flight);
}

void WindowController::after_idle(Instant now) {
  on_unused(now);
  if (!last_sent_) return;
  // RFC 9002 §7.8: a window that was not used for long says nothing about the path any more. The pacer prevents a burst.
  const uint64_t initial = initial_window_.bytes(max_datagram_size_);
  for (Duration idle = now - *last_sent_; idle >= kUnusedWindowPeriod && window_ > initial;
       idle -= kUnusedWindowPeriod) {
    if (ssthresh_ != UINT64_MAX) ssthresh_ = std::max(ssthresh_, window_ / 4 * 3);
    window_ = std::max(window_ / 2, initial);
  }
}

void WindowController::on_ack(const AckEvent& event, const Rtt& rtt) {
  follow_usage(event);
  if (is_initial_ && rtt.has_sample()) window_ = initial_window_.bytes(max_datagram_size_, rtt.min_rtt());
  // RFC 9002 §7.3.2: no growth in the recovery period, which ends with the ACK of a packet sent during it.
  if (event.newest_time_sent <= recovery_start_) return;
  in_recovery_ = false;
  // RFC 9002 §7.8: an underutilised window does not grow.
  if (!is_window_used()) return on_unused(event.now);
  const uint64_t bytes = event.bytes_acked_after_recovery_start;
  if (bytes == 0) return;
  is_initial_ = false;
  if (is_in_slow_start()) {
    slow_start(event, bytes);
  } else {
    grow(event.now, bytes, rtt);
  }
}

void WindowController::slow_start(const AckEvent& event, uint64_t bytes) {
  // RFC 9002 §7.3.1: by the bytes acknowledged. RFC 9406 §4.2: HyStart++ is for the first slow start.
  if (!use_hystart_ || ssthresh_ != UINT64_MAX) return set_window(window_ + bytes);
  set_window(window_ + hystart_.on_ack(event.rate, event.rtt_sample, bytes));
  if (hystart_.is_done()) ssthresh_ = window_;
}

void WindowController::follow_usage(const AckEvent& event) {
  if (event.rate.has_data && event.rate.prior_delivered >= round_end_delivered_) {
    round_end_delivered_ = event.rate.total_delivered;
    last_most_in_flight_ = most_in_flight_;
    most_in_flight_ = 0;
  }
  most_in_flight_ = std::max(most_in_flight_, event.prior_bytes_in_flight);
}

bool WindowController::is_window_used() const {
  const uint64_t most = std::max(most_in_flight_, last_most_in_flight_);
  // RFC 9002 §7.8: pacing spreads a window that doubles over the round trip, so in slow start half of it shows that
  // more was wanted; it never becomes more than twice what was used.
  if (is_in_slow_start()) return window_ < 2 * most;
  return most + max_datagram_size_ > window_;
}

void WindowController::on_loss(const LossEvent& event) {
  on_congestion_event(event.now, event.newest_time_sent);
  if (!event.persistent_congestion) return;
  // RFC 9002 §7.6.2, §B.8: down to the minimum, and slow start again up to the threshold.
  window_ = minimum();
  recovery_start_ = kLongAgo;
  in_recovery_ = false;
  on_persistent_congestion();
}

void WindowController::on_ecn_ce(const EcnEvent& event) {
  // RFC 9002 §7.1, §B.7. A mark is never spurious, so what it reduced is not restored.
  on_congestion_event(event.now, event.largest_time_sent);
  saved_.reset();
}

bool WindowController::on_congestion_event(Instant now, Instant time_sent) {
  // RFC 9002 §7.3.2: once per recovery period.
  if (time_sent <= recovery_start_) return false;
  saved_ = Saved{window_, ssthresh_, recovery_start_};
  save();
  recovery_start_ = now;
  in_recovery_ = true;
  is_initial_ = false;
  recovery_packet_ = true;
  ssthresh_ = std::max(reduced_threshold(), minimum());
  window_ = ssthresh_;
  return true;
}

void WindowController::on_spurious_loss(Instant) {
  // RFC 9438 §4.9.2, which serves NewReno as well: as if nothing had happened, unless growth has caught up already.
  const std::optional<Saved> saved = std::exchange(saved_, std::nullopt);
  if (!saved || window_ >= saved->window) return;
  window_ = saved->window;
  ssthresh_ = saved->ssthresh;
  recovery_start_ = saved->recovery_start;
  in_recovery_ = false;
  recovery_packet_ = false;
  restore();
}

void WindowController::on_app_limited(Instant now, uint64_t bytes_in_flight) {
  if (bytes_in_flight + max_datagram_size_ <= window_ && !is_window_used()) on_unused(now);
}

void WindowController::set_max_datagram_size(uint64_t size) {
  max_datagram_size_ = std::max(size, kSmallestMaxDatagramSize);
  // RFC 9002 §7.2: a window that is still the initial one is computed anew.
  window_ = is_initial_ ? initial_window_.bytes(max_datagram_size_) : std::max(window_, minimum());
}

Bandwidth WindowController::pacing_rate(const Rtt& rtt) const {
  // In congestion avoidance by the delay without a queue: after a reduction the smoothed one still has that of before in it, and the
  // path would run dry. While a queue stands the window holds back, not the pacer.
  const Duration delay = is_in_slow_start() ? rtt.smoothed_rtt() : rtt.min_rtt();
  return Pacer::rate_of(window_, delay, is_in_slow_start());
}

CongestionState WindowController::state() const {
  if (in_recovery_) return CongestionState::recovery;
  if (!is_in_slow_start()) return CongestionState::congestion_avoidance;
  const bool conservative = use_hystart_ && ssthresh_ == UINT64_MAX && hystart_.is_conservative();
  return conservative ? CongestionState::conservative_slow_start : CongestionState::slow_start;
}

}  // namespace quoll::quic
