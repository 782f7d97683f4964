#include "quic/congestion/cubic.h"

#include <cmath>

namespace quoll::quic {

void Cubic::grow(Instant now, uint64_t bytes, const Rtt& rtt) {
  if (!curve_.epoch) start_epoch(now);
  curve_.seen = now;
  const double cwnd = static_cast<double>(window()) + curve_.fraction;
  const double acked = static_cast<double>(bytes);
  const double t = std::max((now - *curve_.epoch).as_seconds(), 0.0);

  // RFC 9438 §4.3: W_est grows as Reno would on average; as fast as Reno once it has reached the old window.
  const double alpha = curve_.w_est >= curve_.cwnd_prior ? 1.0 : kAlpha;
  curve_.w_est += alpha * static_cast<double>(max_datagram_size()) * acked / cwnd;

  double next = cwnd;
  if (w_cubic(t) < curve_.w_est) {
    // RFC 9438 §4.3: the Reno-friendly region. The window may be ahead of W_est, and then stays.
    next = std::max(cwnd, curve_.w_est);
  } else {
    // RFC 9438 §4.2, §4.4, §4.5: towards the target of one RTT from now, no faster than slow start would go.
    const double target = std::clamp(w_cubic(t + rtt.smoothed_rtt().as_seconds()), cwnd, 1.5 * cwnd);
    next = cwnd + (target - cwnd) * acked / cwnd;
  }
  next = std::min(next, static_cast<double>(kWindowMax));
  const double whole = std::floor(next);
  curve_.fraction = next - whole;
  set_window(static_cast<uint64_t>(whole));
}

void Cubic::start_epoch(Instant now) {
  const double cwnd = static_cast<double>(window());
  curve_.epoch = now;
  curve_.fraction = 0;
  curve_.w_est = cwnd;
  if (curve_.w_max == 0) curve_.cwnd_prior = cwnd;  // RFC 9438 §4.10: slow start ended without a loss
  if (curve_.w_max == 0 || curve_.after_timeout) {
    // RFC 9438 §4.8, §4.10: the curve begins at its plateau.
    curve_.w_max = cwnd;
    curve_.k = 0;
  } else {
    curve_.k = std::cbrt((curve_.w_max - cwnd) / static_cast<double>(max_datagram_size()) / kC);
  }
  curve_.after_timeout = false;
}

double Cubic::w_cubic(double t) const {
  const double from_plateau = t - curve_.k;
  return kC * from_plateau * from_plateau * from_plateau * static_cast<double>(max_datagram_size()) + curve_.w_max;
}

uint64_t Cubic::reduced_threshold() {
  const double cwnd = static_cast<double>(window());
  // RFC 9438 §4.7: a window that did not reach the last one gives way to newcomers.
  curve_.w_max = fast_convergence_ && cwnd < curve_.w_max ? cwnd * (1 + kBeta) / 2 : cwnd;
  curve_.cwnd_prior = cwnd;
  curve_.epoch.reset();
  curve_.fraction = 0;
  // RFC 9438 §4.6: of the window instead of the flight size, since an unused window does not grow (RFC 9002 §7.8).
  return static_cast<uint64_t>(cwnd * kBeta);
}

void Cubic::on_unused(Instant now) {
  // RFC 9438 §4.2, §5.8: time in which the application limited the window is none of the curve's.
  if (!curve_.epoch || now <= curve_.seen) return;
  *curve_.epoch += now - curve_.seen;
  curve_.seen = now;
}

void Cubic::on_persistent_congestion() {
  curve_.after_timeout = true;
  curve_.epoch.reset();
}

}  // namespace quoll::quic
