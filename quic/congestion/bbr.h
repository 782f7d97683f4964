// Bbr: BBR version 2 (draft-cardwell-iccrg-bbr-congestion-control-02) and version 3 (draft-ietf-ccwg-bbr), which differ by a
// table of parameters (bbr_parameters.h).
//
// A model of the path (bbr_model.h) is fed by each ACK and each loss; a mode (bbr_modes.h) decides how fast to send in
// relation to it. This class joins both, goes from mode to mode, and makes of them what the sender asks for: a window and a
// pacing rate. Where QUIC differs from the TCP of the drafts: a recovery lasts until a packet that was sent during it is
// acknowledged (RFC 9002 §7.3.2), the part of a retransmission timeout is played by persistent congestion (RFC 9002 §7.6),
// and a CE mark counts as a loss of its round (RFC 9002 §7.1; draft-ietf-ccwg-bbr §3.7 leaves more than that open).
//
// Invariants: the window is at least minimum_window(), and at least four datagrams unless congestion is persistent; the pacing
// rate is never zero, and in Startup it never falls.
#pragma once

#include "quic/congestion/bbr_modes.h"

namespace quoll::quic {

class Bbr final : public Controller {
 public:
  struct Options {
    uint64_t max_datagram_size = kSmallestMaxDatagramSize;
    InitialWindow initial_window = {};
    /// Spreads the probes of flows over time.
    uint64_t seed = 0;
  };
  enum class Mode : uint8_t { startup, drain, probe_bandwidth, probe_rtt };

  Bbr(const BbrParameters& parameters, Options options);

  void on_packet_sent(const SentEvent& event) override;
  void on_ack(const AckEvent& event, const Rtt& rtt) override;
  void on_loss(const LossEvent& event) override;
  void on_ecn_ce(const EcnEvent& event) override;
  void on_spurious_loss(Instant now) override;
  void on_app_limited(Instant now, uint64_t bytes_in_flight) override;
  void set_max_datagram_size(uint64_t size) override;

  uint64_t window() const override { return window_; }
  bool can_send(uint64_t bytes_in_flight, uint64_t size) const override { return bytes_in_flight + size <= window_; }
  Bandwidth pacing_rate(const Rtt& rtt) const override;
  uint64_t burst() const override;
  Instant recovery_start() const override { return recovery_start_; }
  CongestionState state() const override;
  /// There is none.
  uint64_t slow_start_threshold() const override { return UINT64_MAX; }

  // For traces and tests.
  Mode mode() const { return mode_; }
  BbrProbeBandwidth::Phase phase() const { return probe_bandwidth_.phase(); }
  const BbrModel& model() const { return model_; }

 private:
  /// What an undo of the last losses goes back to, bounds and window aside; a mark among them forbids any.
  enum class Undo : uint8_t { none, startup, probe_up, forbidden };

  BbrView view(Instant now, uint64_t bytes_in_flight) const;
  BbrGain pacing_gain() const;
  BbrGain window_gain() const;
  bool is_probing() const;

  void update_state(const AckEvent& event, const BbrView& view);
  void check_startup(const AckEvent& event);
  void enter_startup();
  void resume_startup();
  void enter_drain(bool is_early);
  void leave_drain(Instant now);
  void enter_probe_bandwidth(Instant now);
  void check_probe_rtt(const AckEvent& event, const BbrView& view);
  void leave_probe_rtt(Instant now);

  void follow_window_usage();
  void conserve(const LossEvent& event);
  void on_inflight_too_high(const BbrView& view, uint64_t inflight);
  void save_window();
  void restore_window() { window_ = std::max(window_, prior_window_); }

  void set_pacing_rate(BbrGain gain, BbrGain margin);
  void set_window(const AckEvent& event, const BbrView& view);
  void bound_window(const BbrView& view);
  uint64_t minimum() const { return minimum_window(max_datagram_size_); }
  uint64_t initial_bytes() const { return initial_window_.bytes(max_datagram_size_, first_rtt_); }

  const BbrParameters* parameters_;
  uint64_t max_datagram_size_;
  InitialWindow initial_window_;
  Duration first_rtt_;  // zero before
  uint64_t window_;
  uint64_t prior_window_ = 0;  // the last one that neither a recovery nor ProbeRTT had reduced
  Bandwidth pacing_rate_;      // zero: not known yet

  BbrModel model_;
  BbrStartup startup_;
  BbrDrain drain_;
  BbrProbeBandwidth probe_bandwidth_;
  BbrProbeRtt probe_rtt_;
  Mode mode_ = Mode::startup;
  Undo undo_ = Undo::none;

  Instant recovery_start_ = kLongAgo;
  bool in_recovery_ = false;
  bool is_conserving_ = false;  // BbrParameters::conserves_packets
  bool is_idle_restart_ = false;
  bool is_app_limited_ = false;  // since the last packet was sent there was nothing more to send
  bool is_initial_ = true;       // the window was never changed
  bool window_limited_in_round_ = false;
  bool window_limited_last_round_ = false;
};

}  // namespace quoll::quic
