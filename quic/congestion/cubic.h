// Cubic: CUBIC (RFC 9438) on bytes, under the common rules of RFC 9002 §7.
//
// In congestion avoidance the window follows a cubic function of the time since the last congestion event, flat around
// the window W_max at which that happened, and never falls behind what Reno would reach. Window arithmetic is in
// double: a window below 2^40 bytes has a fraction of at least twelve bits, and all inputs are bounded.
#pragma once

#include <optional>

#include "quic/congestion/window_controller.h"

namespace quoll::quic {

class Cubic final : public WindowController {
 public:
  static constexpr double kC = 0.4;                                // RFC 9438 §5, segments per second cubed
  static constexpr double kBeta = 0.7;                             // RFC 9438 §4.6
  static constexpr double kAlpha = 3 * (1 - kBeta) / (1 + kBeta);  // RFC 9438 §4.3

  struct CubicOptions {
    WindowController::Options common;
    bool fast_convergence = true;  // RFC 9438 §4.7
  };

  explicit Cubic(CubicOptions options)
      : WindowController(options.common), fast_convergence_(options.fast_convergence) {}
  explicit Cubic(Options options = {}) : Cubic(CubicOptions{.common = options}) {}

  /// For traces and tests: W_max in bytes, K in seconds (RFC 9438 §4.1.2).
  double w_max() const { return curve_.w_max; }
  double k() const { return curve_.k; }

 private:
  struct Curve {
    std::optional<Instant> epoch;  // t_epoch, moved on by the time in which the window was not used
    Instant seen;                  // up to here the time is accounted for
    double w_max = 0;              // bytes; 0: undefined
    double k = 0;                  // seconds
    double w_est = 0;              // bytes
    double cwnd_prior = 0;         // bytes
    double fraction = 0;           // of a byte of the window
    bool after_timeout = false;
  };

  void grow(Instant now, uint64_t bytes, const Rtt& rtt) override;
  uint64_t reduced_threshold() override;
  void on_unused(Instant now) override;
  void on_persistent_congestion() override;
  void save() override { saved_ = curve_; }
  void restore() override { curve_ = saved_; }

  void start_epoch(Instant now);
  double w_cubic(double t) const;

  Curve curve_;
  Curve saved_;
  bool fast_convergence_;
};

}  // namespace quoll::quic
