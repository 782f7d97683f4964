// ReceivedPackets: what one packet number space has received, what to acknowledge, and when (RFC 9000 §13.2).
//
// The connection asks is_duplicate() before it processes a packet and calls on_packet() after, then, once per batch of
// datagrams, is_due(): so a train of packets gets one ACK. When it writes an ACK frame, for whatever reason, ranges(),
// ack_delay() and ecn_counts() are what the frame says and on_ack_sent() notes it. When the packet that carried it is
// acknowledged, on_ack_acked() forgets old ranges (§13.2.4). The policy follows draft-ietf-quic-ack-frequency §6, of
// which RFC 9000's rules are the defaults, so that an ACK_FREQUENCY frame is a set_policy().
#pragma once

#include <algorithm>
#include <optional>

#include "base/interval_set.h"
#include "base/net.h"
#include "base/time.h"
#include "quic/recovery/ecn.h"
#include "quic/wire/types.h"

namespace quoll::quic {

/// ACK ranges that are remembered and sent (RFC 9000 §13.2.3); a peer that leaves more gaps loses the ACKs of its oldest
/// packets. 64 ranges fill a fourth of a packet.
inline constexpr size_t kReceivedRangesMax = 64;
/// ACK frames sent without one being acknowledged, after which a PING should go along (RFC 9000 §13.2.4).
inline constexpr uint32_t kAcksBeforePing = 32;

struct AckPolicy {
  /// Ack-eliciting packets that may wait for an ACK; one more brings it. 1: every second packet (RFC 9000 §13.2.2).
  uint64_t ack_eliciting_threshold = 1;
  /// Reordering that brings an immediate ACK: 1 any gap (RFC 9000 §13.2.1), 0 none.
  uint64_t reordering_threshold = 1;
  /// Ours, as the transport parameter promises; zero for Initial and Handshake packets.
  Duration max_ack_delay = Duration::milliseconds(25);
};

class ReceivedPackets {
 public:
  /// RFC 9000 §13.2.1: Initial and Handshake packets are acknowledged at once, whatever the policy.
  explicit ReceivedPackets(Space space, AckPolicy policy = {});

  void set_policy(AckPolicy policy) { policy_ = policy; }

  /// The packet was processed before, or is too old to tell: it must be dropped (RFC 9000 §12.3).
  bool is_duplicate(PacketNumber number) const { return number < floor_ || received_.contains(number); }
  /// For decoding packet numbers (RFC 9000 §A.3).
  std::optional<PacketNumber> largest_received() const { return largest_; }

  struct Packet {
    PacketNumber number = 0;
    bool ack_eliciting = false;
    Ecn ecn = Ecn::not_ect;
  };
  /// A packet that is no duplicate was processed; `received_at` is when it came, even if its keys came later: such
  /// a wait is reported as delay (RFC 9000 §13.2.5).
  void on_packet(Instant received_at, const Packet& packet);
  /// An IMMEDIATE_ACK frame.
  void on_immediate_ack() { immediate_ = true; }

  /// An ACK must go out now.
  bool is_due(Instant now) const { return next_timeout() <= now; }
  /// When it must go out: in the past if at once, never if there is nothing ack-eliciting to acknowledge.
  Instant next_timeout() const {
    if (unacked_eliciting_ == 0) return Instant::never();
    return immediate_ ? Instant::from_nanoseconds(INT64_MIN) : deadline_;
  }
  /// Something new that is ack-eliciting: an ACK should go along with whatever is sent (RFC 9000 §13.2.1).
  bool has_unacked() const { return unacked_eliciting_ != 0; }

  /// Ascending; an ACK frame writes them from the back and leaves out what does not fit (RFC 9000 §13.2.3).
  const IntervalSet& ranges() const { return received_; }
  Duration ack_delay(Instant now) const { return std::max(now - largest_received_at_, Duration()); }
  /// None when no packet came with a mark: the frame then has no ECN section.
  std::optional<EcnCounts> ecn_counts() const { return ecn_ == EcnCounts{} ? std::nullopt : std::optional(ecn_); }

  /// An ACK frame with the largest range left, in an ack-eliciting packet or not. The token of the frame is its largest
  /// acknowledged, ranges().back().end - 1.
  void on_ack_sent(bool in_ack_eliciting_packet);
  /// The packet with an ACK frame of that largest acknowledged was acknowledged.
  void on_ack_acked(PacketNumber largest_acknowledged);
  /// Many ACKs went out that nobody acknowledged: the next one should travel with a PING (RFC 9000 §13.2.4).
  bool wants_ping() const { return acks_without_ack_ >= kAcksBeforePing; }

  void trim() { received_.trim(); }

 private:
  void insert(PacketNumber number);
  bool is_reordered(PacketNumber number) const;

  IntervalSet received_{kReceivedRangesMax, IntervalSet::WhenFull::forget_lowest};
  PacketNumber floor_ = 0;  // all below count as received
  std::optional<PacketNumber> largest_;
  std::optional<PacketNumber> largest_eliciting_;
  std::optional<PacketNumber> largest_reported_;  // in an ACK frame
  uint64_t unacked_eliciting_ = 0;                // since the last ACK
  Instant largest_received_at_;
  Instant deadline_ = Instant::never();
  EcnCounts ecn_;
  AckPolicy policy_;
  uint32_t acks_without_ack_ = 0;
  bool immediate_ = false;
  bool last_was_ce_ = false;
  bool always_immediate_;
};

}  // namespace quoll::quic
