#include "quic/wire/ack_frame.h"

namespace quoll::quic {
namespace {

constexpr const char* kBelowZero = "ACK range below zero";

/// Walks over `count` pairs of gap and length; false when one leads below zero or the reader ends.
bool skip_ranges(Reader& reader, uint64_t count, PacketNumber smallest) {
  for (uint64_t i = 0; i < count; i++) {
    const uint64_t gap = reader.varint();
    const uint64_t length = reader.varint();
    if (!reader.ok()) return false;
    // RFC 9000 §19.3.1: no computed packet number is negative. Neither sum can wrap: all are below 2^62 + 2.
    if (gap + 2 > smallest || length > smallest - gap - 2) return false;
    smallest = smallest - gap - 2 - length;
  }
  return true;
}

}  // namespace

const char* wire::read(Reader& reader, FrameType type, AckFrame& frame) {
  frame.largest_acknowledged = reader.varint();
  frame.ack_delay = reader.varint();
  const uint64_t further = reader.varint();
  const uint64_t first_range = reader.varint();
  if (!reader.ok()) return nullptr;
  if (first_range > frame.largest_acknowledged) return kBelowZero;
  const PacketNumber smallest = frame.largest_acknowledged - first_range;
  const Bytes encoded = reader.rest();
  const size_t begin = reader.position();
  // The loop ends with the frame's bytes, whatever count it announces.
  if (!skip_ranges(reader, further, smallest)) return reader.ok() ? kBelowZero : nullptr;
  frame.ranges =
      AckRanges({smallest, frame.largest_acknowledged + 1}, further, encoded.first(reader.position() - begin));
  frame.ecn.reset();
  if (type == FrameType::ack_ecn) {
    EcnCounts counts;
    counts.ect0 = reader.varint();
    counts.ect1 = reader.varint();
    counts.ce = reader.varint();
    frame.ecn = counts;
  }
  return nullptr;
}

size_t ack_ranges_fitting(const IntervalSet& received, const AckFields& fields, size_t room) {
  if (received.empty()) return 0;
  Counter one;
  write_ack(one, received, fields, 1);
  if (one.size() > room) return 0;
  size_t left = room - one.size();
  size_t fitting = 1;
  const size_t most = std::min<size_t>(received.size(), kAckRangesMax);
  for (size_t i = received.size() - 1; fitting < most; i--, fitting++) {
    const size_t more = varint_size(received[i].start - received[i - 1].end - 1) +
                        varint_size(received[i - 1].size() - 1) +
                        (varint_size(fitting) - varint_size(fitting - 1));  // the count of further ranges grows
    if (more > left) break;
    left -= more;
  }
  return fitting;
}

}  // namespace quoll::quic
