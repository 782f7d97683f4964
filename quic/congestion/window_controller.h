// WindowController: what NewReno and CUBIC share (RFC 9002 §7.2, §7.3, §7.6, §7.8 and Appendix B): initial and minimum
// window, slow start with HyStart++, one reduction per recovery period, its undoing, and growth only of a window that
// is used.
//
// An algorithm adds two functions: how the window grows in congestion avoidance, and how far a congestion event
// reduces it.
#pragma once

#include <optional>
#include <utility>

#include "quic/congestion/controller.h"
#include "quic/congestion/hystart.h"

namespace quoll::quic {

/// After this long without sending, the window is halved, and again for each further period, down to the initial
/// window: RFC 9002 §7.8 leaves it to the sender; RFC 7661 §4.4 keeps an unused window for five minutes.
inline constexpr Duration kUnusedWindowPeriod = Duration::seconds(300);

/// As many datagrams as an ACK of every other packet releases. A third, by which the window grows, waits a millisecond or so:
/// where the pairs of others keep a queue full, three in a row would have more than their share of the losses.
inline constexpr uint64_t kBurstDatagrams = 2;
inline constexpr uint64_t kSlowStartBurstDatagrams = 2 * kBurstDatagrams;

class WindowController : public Controller {
 public:
  struct Options {
    uint64_t max_datagram_size = kSmallestMaxDatagramSize;
    InitialWindow initial_window = {};
    bool hystart = true;
  };

  void on_packet_sent(const SentEvent& event) final;
  void on_ack(const AckEvent& event, const Rtt& rtt) final;
  void on_loss(const LossEvent& event) final;
  void on_ecn_ce(const EcnEvent& event) final;
  void on_spurious_loss(Instant now) final;
  void on_app_limited(Instant now, uint64_t bytes_in_flight) final;
  void set_max_datagram_size(uint64_t size) final;

  uint64_t window() const final { return window_; }
  bool can_send(uint64_t bytes_in_flight, uint64_t size) const final {
    return bytes_in_flight + size <= window_ || recovery_packet_;
  }
  Bandwidth pacing_rate(const Rtt& rtt) const final;
  uint64_t burst() const final {
    return (is_in_slow_start() ? kSlowStartBurstDatagrams : kBurstDatagrams) * max_datagram_size_;
  }
  Instant recovery_start() const final { return recovery_start_; }
  CongestionState state() const final;
  uint64_t slow_start_threshold() const final { return ssthresh_; }

 protected:
  explicit WindowController(Options options);

  /// Congestion avoidance: `bytes` of a window in full use were acknowledged.
  virtual void grow(Instant now, uint64_t bytes, const Rtt& rtt) = 0;
  /// A congestion event: sets a new threshold, at least minimum(); the window follows it.
  virtual uint64_t reduced_threshold() = 0;
  /// The window was not in use up to `now`: the time does not count for growth.
  virtual void on_unused(Instant now) = 0;
  virtual void on_persistent_congestion() = 0;
  /// The algorithm's own part of what an undo restores.
  virtual void save() = 0;
  virtual void restore() = 0;

  uint64_t minimum() const { return minimum_window(max_datagram_size_); }
  uint64_t max_datagram_size() const { return max_datagram_size_; }
  void set_window(uint64_t window) { window_ = std::min(window, kWindowMax); }

 private:
  struct Saved {
    uint64_t window, ssthresh;
    Instant recovery_start;
  };

  bool on_congestion_event(Instant now, Instant time_sent);
  bool is_in_slow_start() const { return window_ < ssthresh_; }
  void slow_start(const AckEvent& event, uint64_t bytes);
  void follow_usage(const AckEvent& event);
  bool is_window_used() const;
  void after_idle(Instant now);

  InitialWindow initial_window_;
  uint64_t window_;
  uint64_t ssthresh_ = UINT64_MAX;
  uint64_t max_datagram_size_;
  Instant recovery_start_ = kLongAgo;
  // The most bytes in flight in this packet-timed round and the one before.
  uint64_t most_in_flight_ = 0;
  uint64_t last_most_in_flight_ = 0;
  uint64_t round_end_delivered_ = 0;
  std::optional<Instant> last_sent_;
  HyStart hystart_;
  std::optional<Saved> saved_;
  bool use_hystart_;
  bool in_recovery_ = false;
  bool recovery_packet_ = false;  // RFC 9002 §7.3.2: one packet may leave beyond the reduced window
  bool is_initial_ = true;        // the window was never changed by an event
};

}  // namespace quoll::quic
