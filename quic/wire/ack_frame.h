// The ACK frame (RFC 9000 §19.3): its ranges read without allocation, and written from an IntervalSet.
//
// The ranges of a parsed frame were all validated (none reaches below zero), so walking them cannot fail. A frame can
// list half as many ranges as it has bytes; at most kAckRangesMax, those of the largest packet numbers, are acted on.
#pragma once

#include <iterator>
#include <optional>

#include "base/interval_set.h"
#include "base/reader.h"
#include "base/writer.h"
#include "quic/wire/frame.h"
#include "quic/wire/types.h"

namespace quoll::quic {

/// The work that one ACK frame may cause. Honest receivers forget old ranges long before (RFC 9000 §13.2.3), and to leave
/// out the lowest ranges is no more than what a lost ACK does.
inline constexpr uint64_t kAckRangesMax = 1024;

/// The ranges as half-open intervals, largest first.
class AckRanges {
 public:
  class Iterator {
   public:
    using value_type = Interval;
    using difference_type = std::ptrdiff_t;

    Iterator() = default;
    Interval operator*() const { return current_; }
    Iterator& operator++() {
      if (--left_ != 0) {
        // RFC 9000 §19.3.1: largest = previous_smallest - gap - 2, smallest = largest - ack_range.
        const uint64_t gap = encoded_.varint();
        current_.end = current_.start - gap - 1;
        current_.start = current_.end - 1 - encoded_.varint();
      }
      return *this;
    }
    Iterator operator++(int) {
      Iterator before = *this;
      ++*this;
      return before;
    }
    friend bool operator==(const Iterator& a, std::default_sentinel_t) { return a.left_ == 0; }

   private:
    friend class AckRanges;
    Interval current_;
    Reader encoded_;
    uint64_t left_ = 0;  // including the current one
  };

  AckRanges() = default;
  /// `encoded` are `further` pairs of gap and length, none of which leads below zero.
  AckRanges(Interval first, uint64_t further, Bytes encoded) : first_(first), further_(further), encoded_(encoded) {}

  Iterator begin() const {
    Iterator at;
    at.current_ = first_;
    at.encoded_ = Reader(encoded_);
    at.left_ = size();
    return at;
  }
  std::default_sentinel_t end() const { return {}; }
  /// How many intervals the iteration gives.
  uint64_t size() const { return std::min(further_ + 1, kAckRangesMax); }

 private:
  Interval first_{0, 1};
  uint64_t further_ = 0;
  Bytes encoded_{};
};

struct AckFrame {
  PacketNumber largest_acknowledged = 0;
  uint64_t ack_delay = 0;  // in units of 2^ack_delay_exponent microseconds
  AckRanges ranges{};
  std::optional<EcnCounts> ecn{};
};

namespace wire {
/// Reads what follows the type; null, or why the frame is wrong. The reader fails where the frame is cut short.
const char* read(Reader& reader, FrameType type, AckFrame& frame);
}  // namespace wire

/// What an ACK frame is to say besides its ranges.
struct AckFields {
  uint64_t ack_delay = 0;  // encoded: in units of 2^ack_delay_exponent microseconds; at most kVarintMax
  std::optional<EcnCounts> ecn{};
};

/// How many ranges, the largest first, fit into a frame of at most `room` bytes; 0 when there is no room for a frame.
/// `received` is not empty; its values are packet numbers. At most kAckRangesMax.
size_t ack_ranges_fitting(const IntervalSet& received, const AckFields& fields, size_t room);

/// Writes the `count` > 0 largest ranges of `received`.
template <Sink S>
void write_ack(S& sink, const IntervalSet& received, const AckFields& fields, size_t count) {
  QUOLL_DCHECK(count > 0 && count <= received.size());
  const size_t last = received.size() - 1;
  sink.varint(static_cast<uint64_t>(fields.ecn ? FrameType::ack_ecn : FrameType::ack));
  sink.varint(received[last].end - 1);
  sink.varint(fields.ack_delay);
  sink.varint(count - 1);
  sink.varint(received[last].size() - 1);
  for (size_t i = 1; i < count; i++) {
    sink.varint(received[last - i + 1].start - received[last - i].end - 1);
    sink.varint(received[last - i].size() - 1);
  }
  if (fields.ecn) {
    sink.varint(fields.ecn->ect0);
    sink.varint(fields.ecn->ect1);
    sink.varint(fields.ecn->ce);
  }
}

}  // namespace quoll::quic
