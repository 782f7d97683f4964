#include "quic/wire/ack_frame.h"

#include <vector>

#include "base/hex.h"
#include "quic/wire/packet_number.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;

namespace {

std::vector<uint8_t> ack_of(const IntervalSet& received, const AckFields& fields, size_t count) {
  std::vector<uint8_t> room(65536);
  Writer writer(room);
  write_ack(writer, received, fields, count);
  REQUIRE(writer.ok());
  room.resize(writer.size());
  return room;
}

/// Reads a frame whose type is one byte, and all of the input, which the frame keeps looking at.
AckFrame parsed(Bytes bytes) {
  AckFrame frame;
  Reader reader(bytes);
  const FrameType type{reader.u8()};
  REQUIRE(wire::read(reader, type, frame) == nullptr);
  REQUIRE(reader.finished());
  return frame;
}

std::vector<Interval> ranges_of(const AckFrame& frame) {
  std::vector<Interval> ranges;
  for (const Interval range : frame.ranges) ranges.push_back(range);
  return ranges;
}

}  // namespace

TEST_SUITE("quic ACK frames") {
  TEST_CASE("ranges are written largest first, with the encoding of RFC 9000 §19.3.1") {
    IntervalSet received(16, IntervalSet::WhenFull::forget_lowest);
    for (const Interval range : {Interval{1, 5}, Interval{8, 11}, Interval{20, 21}}) REQUIRE(received.insert(range));
    CHECK_EQ(to_hex(ack_of(received, {.ack_delay = 7}, 3)), "021407020008020203");
    CHECK_EQ(to_hex(ack_of(received, {.ack_delay = 7, .ecn = EcnCounts{1, 2, 3}}, 1)), "0314070000010203");
    const std::vector<uint8_t> bytes = ack_of(received, {.ack_delay = 7, .ecn = EcnCounts{1, 2, 3}}, 3);
    const AckFrame frame = parsed(bytes);
    CHECK_EQ(frame.largest_acknowledged, 20);
    CHECK_EQ(frame.ack_delay, 7);
    CHECK(frame.ecn == EcnCounts{1, 2, 3});
    CHECK(ranges_of(frame) == std::vector<Interval>{{20, 21}, {8, 11}, {1, 5}});
  }

  TEST_CASE("as many ranges are written as fit into the room, and no more") {
    const uint64_t seed = tests::test_seed(23);
    INFO("QUOLL_TEST_SEED=" << seed);
    tests::SeededRng rng(seed);
    for (int round = 0; round < 300; round++) {
      IntervalSet received(200, IntervalSet::WhenFull::forget_lowest);
      uint64_t at = rng.below(kPacketNumberMax >> (1 + rng.below(60)));
      for (uint64_t n = 1 + rng.below(150); n > 0; n--) {
        at += 1 + rng.below(uint64_t{1} << rng.below(18));
        const Interval range{at, at + 1 + rng.below(uint64_t{1} << rng.below(10))};
        (void)received.insert(range);
        at = range.end;
      }
      const AckFields fields{.ack_delay = rng.below(1 << 20),
                             .ecn = rng.below(2) ? std::optional(EcnCounts{rng.below(100), 0, 70}) : std::nullopt};
      const size_t room = rng.below(rng.below(3) ? 100 : 1200);
      const size_t fitting = ack_ranges_fitting(received, fields, room);
      CAPTURE(room);
      CAPTURE(fitting);
      if (fitting < received.size()) CHECK_GT(ack_of(received, fields, fitting + 1).size(), room);
      if (fitting == 0) continue;
      const std::vector<uint8_t> bytes = ack_of(received, fields, fitting);
      CHECK_LE(bytes.size(), room);
      const AckFrame frame = parsed(bytes);
      CHECK(frame.ecn == fields.ecn);
      std::vector<Interval> expected(received.begin(), received.end());
      std::ranges::reverse(expected);
      expected.resize(fitting);
      CHECK(ranges_of(frame) == expected);
    }
  }

  TEST_CASE("nothing received gives no frame") {
    const IntervalSet empty(4, IntervalSet::WhenFull::forget_lowest);
    CHECK_EQ(ack_ranges_fitting(empty, {}, 1000), 0);
  }

  TEST_CASE("the smallest and the greatest packet numbers are written and read") {
    IntervalSet received(4, IntervalSet::WhenFull::refuse);
    REQUIRE(received.insert(0));
    REQUIRE(received.insert(kPacketNumberMax));
    const std::vector<uint8_t> bytes = ack_of(received, {}, 2);
    const AckFrame frame = parsed(bytes);
    CHECK(ranges_of(frame) == std::vector<Interval>{{kPacketNumberMax, kPacketNumberMax + 1}, {0, 1}});
  }

  TEST_CASE("of a frame with too many ranges the largest are given, and all are checked") {
    constexpr size_t kFurther = 3000;
    std::vector<uint8_t> bytes;
    const auto make = [&](uint8_t last_length) {
      bytes.assign(20 + 2 * kFurther, 0);
      Writer writer(bytes);
      writer.u8(0x02);
      writer.varint(2 * kFurther);
      writer.varint(0);
      writer.varint(kFurther);
      writer.varint(0);
      for (size_t i = 0; i < kFurther; i++) {
        writer.varint(0);
        writer.varint(i + 1 == kFurther ? last_length : 0);
      }
      bytes.resize(writer.size());
    };
    make(0);
    const AckFrame frame = parsed(bytes);
    const std::vector<Interval> ranges = ranges_of(frame);
    REQUIRE_EQ(ranges.size(), kAckRangesMax);
    CHECK_EQ(ranges.back().start, 2 * kFurther - 2 * (kAckRangesMax - 1));
    CHECK_EQ(ranges.back().size(), 1);
    make(1);
    AckFrame wrong;
    Reader reader(Bytes(bytes).subspan(1));
    CHECK(wire::read(reader, FrameType::ack, wrong) != nullptr);
  }

  TEST_CASE("a count of ranges that the packet cannot hold ends with the packet") {
    const std::vector<uint8_t> bytes = *from_hex("40ff00ffffffffffffffff0000000000");
    AckFrame frame;
    Reader reader(bytes);
    (void)wire::read(reader, FrameType::ack, frame);
    CHECK_FALSE(reader.ok());
  }
}
