// SentPackets: the sent packets of one packet number space, by number (RFC 9002 §A.1), until their fate is known and
// a while longer, so that the ACK of a packet that was given up too early is recognised.
//
// Entries are one cache line. An entry stays in place while it is acknowledged or lost behind an older one that is not
// resolved; resolved entries leave from the front. `acked_` remembers which numbers inside the ring are acknowledged, so
// that an ACK that repeats old ranges costs by its gaps, not by its packets. Numbers that were skipped on purpose
// (RFC 9000 §21.4) are entries too: an ACK of one of them proves that the peer acknowledges what it never received.
#pragma once

#include <array>

#include "base/interval_set.h"
#include "base/net.h"
#include "base/ring.h"
#include "quic/recovery/delivery_rate.h"
#include "quic/recovery/tokens.h"
#include "quic/wire/types.h"

namespace quoll::quic {

/// Sent packets of a space that are tracked at most, from the oldest unresolved one on: 64 MB in flight with packets of
/// 1,200 bytes. Beyond it the oldest is given up for lost (RFC 9000 §13.3 allows it at a memory limit).
inline constexpr size_t kSentPacketsMax = size_t{1} << 16;
/// A peer that sends without end and acknowledges nothing has us send ACKs without end, behind a packet of ours that is
/// never resolved. From so many numbers on, the oldest packet is given up for lost when it is older than some PTOs: no
/// honest peer is late by that much, however many packets are in flight.
inline constexpr size_t kUnansweredPacketsMax = 512;
inline constexpr int kUnansweredPtos = 6;
/// Packets that are not in flight (nothing but ACKs) are tracked only while the ring is smaller than this: a peer
/// never has to acknowledge them, so they would pile up at a receiver that sends nothing else.
inline constexpr size_t kAckOnlyPacketsMax = 64;
/// Gaps between acknowledged numbers that are remembered; a peer decides how many there are. Beyond it the lowest are
/// forgotten, which costs time on the next ACK and changes no result.
inline constexpr size_t kAckedIntervalsMax = 1024;
/// Skipped numbers that are remembered after their entries are gone.
inline constexpr size_t kSkippedNumbersMax = 8;

/// A packet that was sent, as the connection describes it.
struct SentPacket {
  Instant time_sent = {};  // its departure, when a pacer set one
  uint16_t size = 0;       // bytes of the QUIC packet, header and tag included, UDP and IP excluded
  TokenRange tokens = {};
  uint8_t path = 0;  // a number from LossDetection::add_path()
  Ecn ecn = Ecn::not_ect;
  bool ack_eliciting = false;
  bool in_flight = false;     // ack-eliciting or with PADDING: counts for congestion control (RFC 9002 §2)
  bool is_probe = false;      // sent on a PTO
  bool is_mtu_probe = false;  // its loss says nothing about congestion (RFC 9000 §14.4)
  bool is_zero_rtt = false;
};

class SentPackets {
 public:
  enum class State : uint8_t {
    outstanding,
    acked,
    lost,       // kept to recognise a late ACK
    forgotten,  // discarded without a verdict
    skipped,    // never sent
  };
  struct Entry {
    Instant time_sent;
    DeliveryRate::Packet rate;  // once lost, rate.first_send_time says when it was declared so
    uint64_t tokens_begin = 0;
    uint16_t tokens_count = 0;
    uint16_t size = 0;
    State state = State::outstanding;
    Ecn ecn = Ecn::not_ect;
    uint8_t path = 0;
    bool ack_eliciting : 1 = false;
    bool in_flight : 1 = false;
    bool is_probe : 1 = false;
    bool is_mtu_probe : 1 = false;
    bool is_zero_rtt : 1 = false;

    TokenRange tokens() const { return {tokens_begin, tokens_count}; }
    Instant lost_at() const { return rate.first_send_time; }
    void set_lost_at(Instant now) { rate.first_send_time = now; }
  };
  static_assert(sizeof(Entry) <= 72);

  SentPackets() : ring_(kSentPacketsMax), acked_(kAckedIntervalsMax, IntervalSet::WhenFull::forget_lowest) {}

  PacketNumber next_packet_number() const { return ring_.next(); }
  /// The oldest number that is still tracked.
  PacketNumber first() const { return ring_.first(); }
  bool is_full() const { return ring_.size() == ring_.limit(); }
  bool empty() const { return ring_.empty(); }
  size_t size() const { return ring_.size(); }
  Entry& operator[](PacketNumber number) { return ring_[number]; }
  const Entry& operator[](PacketNumber number) const { return ring_[number]; }
  const Entry* find(PacketNumber number) const { return ring_.find(number); }

  /// Takes the next number for a packet; not full.
  Entry& add(const SentPacket& packet);
  /// Takes the next number for no packet; not full.
  void skip();
  /// A number in [interval) is known to be skipped.
  bool contains_skipped(Interval interval) const;
  /// Skipped numbers within (low, high): they are no reordering.
  uint64_t skipped_between(PacketNumber low, PacketNumber high) const;

  /// Calls visit(number, entry) for each tracked number of an acknowledged interval that no ACK has named before.
  template <class Visit>
  void take_acked(Interval interval, Visit visit) {
    interval.start = std::max(interval.start, ring_.first());
    interval.end = std::min(interval.end, ring_.next());
    if (interval.start >= interval.end) return;
    for (PacketNumber number = acked_.first_missing(interval.start); number < interval.end;) {
      const PacketNumber end = std::min(acked_.first_present(number), interval.end);
      for (; number < end; number++) visit(number, ring_[number]);
      number = acked_.first_missing(end);
    }
    (void)acked_.insert(interval);  // when it is forgotten at once, states tell the same
  }

  /// Forgets the oldest entries for as long as `is_done(number, entry)` holds.
  template <class IsDone>
  void retire(IsDone is_done) {
    const PacketNumber before = ring_.first();
    while (!ring_.empty() && is_done(ring_.first(), ring_.front())) ring_.pop();
    if (ring_.first() != before) acked_.erase_below(ring_.first());
  }
  /// Where the tokens begin that are still needed.
  uint64_t first_token() const { return ring_.empty() ? tokens_end_ : ring_.front().tokens_begin; }
  /// Forgets all packets; numbering goes on.
  void clear();
  void trim();

 private:
  Ring<Entry> ring_;
  IntervalSet acked_;
  uint64_t tokens_end_ = 0;
  std::array<PacketNumber, kSkippedNumbersMax> skipped_{};  // a circle
  uint64_t skipped_count_ = 0;                              // ever
};

}  // namespace quoll::quic
