// Controller: what the sender of one path asks its congestion control, and what it tells it (RFC 9002 §7).
//
// The only virtual interface per packet train of the transport: an algorithm is one file behind it. It sees plain values
// (bytes, instants, the path's Rtt and RateSample), never packets. Bytes in flight are counted by LossDetection. For one
// ACK the order of calls is on_spurious_loss(), on_ecn_ce(), on_loss(), on_ack(), as in RFC 9002 §A.7, and then
// the connection copies recovery_start() to PathRecovery.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/time.h"
#include "quic/congestion/initial_window.h"
#include "quic/recovery/delivery_rate.h"
#include "quic/recovery/rtt.h"

namespace quoll::quic {

/// A recovery_start() when there was no recovery yet.
inline constexpr Instant kLongAgo = Instant::from_nanoseconds(INT64_MIN);
/// The largest window: more than any path holds, and far from overflow.
inline constexpr uint64_t kWindowMax = uint64_t{1} << 40;
/// RFC 9002 §7.2: below a maximum datagram size of this a path is no QUIC path.
inline constexpr uint64_t kSmallestMaxDatagramSize = 1200;

/// RFC 9002 §7.2, and the bursts of §7.7.
constexpr uint64_t initial_window(uint64_t max_datagram_size) { return InitialWindow{}.bytes(max_datagram_size); }
/// RFC 9002 §7.2.
constexpr uint64_t minimum_window(uint64_t max_datagram_size) { return 2 * max_datagram_size; }

/// Where a controller is, for traces: RFC 9002 §7.3, RFC 9406, and the modes of BBR (draft-ietf-ccwg-bbr §5.1).
enum class CongestionState : uint8_t {
  slow_start,
  conservative_slow_start,
  recovery,
  congestion_avoidance,
  startup,
  drain,
  probe_bandwidth_down,
  probe_bandwidth_cruise,
  probe_bandwidth_refill,
  probe_bandwidth_up,
  probe_rtt,
};

struct SentEvent {
  Instant now = {};
  uint64_t bytes = 0;            // in flight
  uint64_t bytes_in_flight = 0;  // these included
};

struct AckEvent {
  Instant now = {};
  uint64_t bytes_acked = 0;                       // in flight
  uint64_t bytes_acked_after_recovery_start = 0;  // those sent after recovery_start()
  uint64_t prior_bytes_in_flight = 0;             // before this ACK
  uint64_t bytes_in_flight = 0;                   // after it, and after the losses that it revealed
  Instant newest_time_sent = {};                  // of the newly acknowledged
  std::optional<Duration> rtt_sample = {};
  RateSample rate = {};
};

struct LossEvent {
  Instant now = {};
  uint64_t bytes_lost = 0;
  uint64_t prior_bytes_in_flight = 0;  // before the loss
  uint64_t bytes_in_flight = 0;        // after it
  Instant newest_time_sent = {};       // of the lost
  uint32_t ranges = 0;                 // of consecutive packet numbers
  bool persistent_congestion = false;
  std::optional<ExcessiveLoss> excess = {};
};

struct EcnEvent {
  Instant now = {};
  Instant largest_time_sent = {};  // of the largest acknowledged packet of the ACK that reports more CE
  uint64_t bytes_in_flight = 0;    // after that ACK
};

class Controller {
 public:
  virtual ~Controller() = default;

  virtual void on_packet_sent(const SentEvent& event) = 0;
  /// Only when something in flight was newly acknowledged.
  virtual void on_ack(const AckEvent& event, const Rtt& rtt) = 0;
  virtual void on_loss(const LossEvent& event) = 0;
  virtual void on_ecn_ce(const EcnEvent& event) = 0;
  /// Every loss of the current recovery period was spurious (AckSummary::undo).
  virtual void on_spurious_loss(Instant now) = 0;
  /// There is nothing to send although the window has room.
  virtual void on_app_limited(Instant now, uint64_t bytes_in_flight) = 0;
  /// RFC 9002 §7.2: path MTU discovery found another size.
  virtual void set_max_datagram_size(uint64_t size) = 0;

  /// Bytes that may be in flight.
  virtual uint64_t window() const = 0;
  /// RFC 9002 §7: whether `size` more bytes may be in flight. Probes do not ask (§7.5), packets not in flight neither.
  virtual bool can_send(uint64_t bytes_in_flight, uint64_t size) const = 0;
  /// For the pacer.
  virtual Bandwidth pacing_rate(const Rtt& rtt) const = 0;
  /// For the pacer: bytes that may leave at once in a flow that goes on.
  virtual uint64_t burst() const = 0;
  /// Packets sent at or before it are acknowledged without growth (RFC 9002 §7.3.2); long ago when there is none.
  virtual Instant recovery_start() const = 0;
  virtual CongestionState state() const = 0;
  /// UINT64_MAX while it is infinite.
  virtual uint64_t slow_start_threshold() const = 0;
};

}  // namespace quoll::quic
