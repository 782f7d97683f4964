// DeliveryRate: how fast a path delivers (draft-ietf-ccwg-bbr §4.1, once draft-cheng-iccrg-delivery-rate-estimation).
//
// Each packet carries a snapshot of the path's delivery state (Packet). When an ACK comes, the snapshot of its most
// recently sent packet spans an interval, in sending time and in acknowledging time; what was delivered within the
// longer of both is a RateSample. Samples taken while the application had too little to send are marked: they show what
// was asked for, not what the path could give. The counters of delivered bytes also number packet-timed round trips.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/time.h"

namespace quoll::quic {

/// What one ACK says about a path. `delivery_rate` is zero when the ACK gave no reliable sample; the byte counts hold
/// in any case.
struct RateSample {
  Bandwidth delivery_rate;
  bool is_app_limited = false;
  bool has_data = false;         // a packet was newly acknowledged: all that is said of "the packet" holds
  uint32_t tx_in_flight = 0;     // bytes in flight right after the packet was sent
  uint64_t delivered = 0;        // bytes delivered from its sending until now
  uint64_t lost = 0;             // bytes declared lost from its sending until now
  uint64_t prior_delivered = 0;  // total_delivered when it was sent
  uint64_t total_delivered = 0;  // of the path, now
  uint64_t newly_acked = 0;      // bytes
  uint64_t newly_lost = 0;       // bytes
  Duration interval, send_elapsed, ack_elapsed;
};

/// draft-ietf-ccwg-bbr §2.8 (LossThresh): more than this share of what was in flight, lost within a round trip, is excessive.
inline constexpr uint64_t kExcessiveLossPercent = 2;
constexpr bool is_excessive_loss(uint64_t lost, uint64_t tx_in_flight) {
  return lost > tx_in_flight * kExcessiveLossPercent / 100;
}

/// Whether so much more than that share was lost that it is no chance: two datagrams, and two standard deviations of what a path would
/// lose that loses just the share. Ours; the draft compares with the share alone, which of a hundred packets three exceed: on a path that
/// loses one in a hundred at random, in one round trip of twelve.
constexpr bool is_certainly_excessive_loss(uint64_t lost, uint64_t tx_in_flight) {
  constexpr uint64_t kDatagram = 1452;
  const uint64_t expected = tx_in_flight * kExcessiveLossPercent / 100;
  if (lost <= std::max(expected, 2 * kDatagram)) return false;
  const uint64_t beyond = std::min(lost - expected, uint64_t{1} << 30);
  return beyond * beyond > 4 * expected * kDatagram;
}

/// A lost packet with which the loss since it was sent became excessive.
struct ExcessiveLoss {
  uint64_t tx_in_flight = 0;  // bytes in flight right after it was sent
  uint64_t lost = 0;          // bytes declared lost since, it included
  uint64_t size = 0;
  bool is_app_limited = false;
  bool is_certain = false;  // is_certainly_excessive_loss()

  /// draft-ietf-ccwg-bbr §5.5.10.2 InflightAtLoss: how much could have been in flight without.
  uint64_t inflight_at_threshold() const;
};

class DeliveryRate {
 public:
  /// The snapshot that travels with a sent packet.
  struct Packet {
    uint64_t delivered = 0;
    uint64_t lost = 0;
    Instant delivered_time;
    Instant first_send_time;
    uint32_t tx_in_flight = 0;
    bool is_app_limited = false;
  };

  /// A packet in flight leaves; `bytes_in_flight` counts those before it.
  Packet on_packet_sent(Instant time_sent, uint64_t size, uint64_t bytes_in_flight);

  /// An ACK is begun, its packets follow, then losses that it reveals, then finish_ack().
  void begin_ack() { sample_ = {}; }
  struct Acked {
    Instant time_sent = {};
    uint64_t packet_number = 0;
    uint64_t size = 0;
  };
  void on_packet_acked(Instant now, const Packet& packet, const Acked& acked);
  /// The ACK of a packet that was given up: it was delivered, but its snapshot is gone.
  void on_late_ack(Instant now, uint64_t size);
  /// May also be called outside of an ACK. Tells when the loss is excessive.
  std::optional<ExcessiveLoss> on_packet_lost(const Packet& packet, uint64_t size);
  /// `min_rtt` zero when unknown.
  RateSample finish_ack(Duration min_rtt);

  /// The sender has nothing to send although the window has room (draft-ietf-ccwg-bbr §4.1.2.4).
  void on_app_limited(uint64_t bytes_in_flight);
  bool is_app_limited() const { return app_limited_ != 0; }

  uint64_t delivered() const { return delivered_; }
  uint64_t lost() const { return lost_; }

 private:
  uint64_t delivered_ = 0;
  uint64_t lost_ = 0;
  uint64_t app_limited_ = 0;  // limited until this much is delivered; 0: not limited
  Instant delivered_time_;
  Instant first_send_time_;
  uint64_t newest_packet_number_ = 0;
  RateSample sample_;
};

}  // namespace quoll::quic
