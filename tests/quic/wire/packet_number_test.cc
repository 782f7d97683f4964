#include "quic/wire/packet_number.h"

#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;

namespace {

/// RFC 9000 §17.1 by its words: of all numbers with these low bytes, in range, the nearest to the expected one; of two
/// equally near ones the greater (§A.3: up to and including expected + half).
PacketNumber nearest(uint32_t truncated, size_t size, PacketNumber expected) {
  const uint64_t window = uint64_t{1} << (8 * size);
  const uint64_t around = expected / window * window;
  PacketNumber best = 0;
  uint64_t best_distance = UINT64_MAX;
  for (const uint64_t base : {around + window, around, around - window}) {  // wraps out of range at the edges
    const uint64_t candidate = base + truncated;
    if (candidate > kPacketNumberMax) continue;
    const uint64_t distance = candidate > expected ? candidate - expected : expected - candidate;
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

}  // namespace

TEST_SUITE("quic packet numbers") {
  TEST_CASE("the samples of RFC 9000 §A.2 and §A.3") {
    CHECK_EQ(packet_number_size(0xac5c02, 0xabe8b3), 2);
    CHECK_EQ(packet_number_size(0xace8fe, 0xabe8b3), 3);
    CHECK_EQ(decode_packet_number(0x9b32, 2, 0xa82f30ea + 1), 0xa82f9b32);
  }

  TEST_CASE("before the first acknowledgment the number is sent in full") {  // RFC 9000 §17.1
    CHECK_EQ(packet_number_size(0, {}), 1);
    CHECK_EQ(packet_number_size(127, {}), 1);
    CHECK_EQ(packet_number_size(128, {}), 2);
    CHECK_EQ(packet_number_size(0x7fff, {}), 2);
    CHECK_EQ(packet_number_size(0x8000, {}), 3);
    CHECK_EQ(packet_number_size(0x7fffffff, {}), 4);
  }

  TEST_CASE("a range that no size can bridge has no size") {
    CHECK_EQ(packet_number_size(0x80000000, {}), std::nullopt);
    CHECK_EQ(packet_number_size(5 + 0x80000000, 5), 4);
    CHECK_EQ(packet_number_size(6 + 0x80000000, 5), std::nullopt);
  }

  TEST_CASE("decoding agrees with the nearest number, at all edges") {
    const uint64_t seed = tests::test_seed(21);
    INFO("QUOLL_TEST_SEED=" << seed);
    tests::SeededRng rng(seed);
    for (size_t size = 1; size <= 4; size++) {
      const uint64_t window = uint64_t{1} << (8 * size);
      const PacketNumber edges[] = {0, window / 2, window, 3 * window, kPacketNumberMax + 1 - window, kPacketNumberMax};
      for (int round = 0; round < 20'000; round++) {
        const PacketNumber edge = rng.below(4) == 0 ? rng.below(kPacketNumberMax) : edges[rng.below(std::size(edges))];
        const uint64_t offset = rng.below(8) + (rng.below(2) == 0 ? 0 : window / 2 - 4);
        const PacketNumber expected =
            std::min(rng.below(2) == 0 ? edge + offset : edge - std::min(edge, offset), kPacketNumberMax + 1);
        const auto truncated = static_cast<uint32_t>((expected + window / 2 + rng.below(5) - 2) % window);
        CAPTURE(size);
        CAPTURE(expected);
        CAPTURE(truncated);
        const PacketNumber decoded = decode_packet_number(truncated, size, expected);
        CHECK_EQ(decoded % window, truncated);
        CHECK_EQ(decoded, nearest(truncated, size, expected));
      }
    }
  }

  TEST_CASE("what is written in its chosen size is read as the same number") {
    const uint64_t seed = tests::test_seed(22);
    INFO("QUOLL_TEST_SEED=" << seed);
    tests::SeededRng rng(seed);
    for (int round = 0; round < 20'000; round++) {
      const PacketNumber acknowledged = rng.below(kPacketNumberMax >> rng.below(62));
      const PacketNumber number = acknowledged + 1 + rng.below(uint64_t{1} << rng.below(32));
      if (number > kPacketNumberMax) continue;
      const std::optional<size_t> size = packet_number_size(number, acknowledged);
      if (!size) continue;
      uint8_t room[4];
      Writer writer(room);
      write_truncated_packet_number(writer, number, *size);
      REQUIRE(writer.ok());
      REQUIRE_EQ(writer.size(), *size);
      const uint32_t truncated = read_truncated_packet_number(writer.written(), *size);
      // The receiver has got anything from the acknowledged number on, up to the one before.
      for (const PacketNumber largest : {acknowledged, acknowledged + rng.below(number - acknowledged), number - 1}) {
        CHECK_EQ(decode_packet_number(truncated, *size, largest + 1), number);
      }
    }
  }
}
