#include "h3/capsule.h"

#include "tests/h3/support.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::h3;
using tests::h3_error;

namespace {

using Capsules = std::vector<std::pair<CapsuleType, std::vector<uint8_t>>>;

template <class Cut>
Capsules read_all(CapsuleReader& reader, Bytes stream, Cut cut) {
  Capsules capsules;
  while (!stream.empty()) {
    Bytes piece = stream.first(std::min(stream.size(), cut()));
    stream = stream.subspan(piece.size());
    while (const auto capsule = reader.read(piece)) {
      capsules.push_back({capsule->type, {capsule->value.begin(), capsule->value.end()}});
    }
    CHECK(piece.empty());
  }
  return capsules;
}

}  // namespace

TEST_SUITE("h3 capsules") {
  // RFC 9297 §3.2
  // RFC 9297 §3.5
  TEST_CASE("capsules are the same however their bytes are split, and too large ones are dropped") {
    const uint64_t seed = tests::test_seed(13);
    INFO("seed " << seed);
    tests::SeededRng rng(seed);
    constexpr size_t kLimit = 40;
    for (int round = 0; round < 300; round++) {
      std::vector<uint8_t> stream;
      Capsules expected;
      uint64_t dropped = 0;
      for (uint64_t i = 0, count = rng.below(8); i < count; i++) {
        const CapsuleType type{rng.below(2) == 0 ? 0 : reserved_capsule_type(rng.below(1 << 20))};
        const std::vector<uint8_t> value = rng.bytes(rng.below(60));
        write_capsule(stream, type, value);
        if (value.size() <= kLimit) {
          expected.push_back({type, value});
        } else {
          dropped++;
        }
      }
      CapsuleReader whole(kLimit), cut(kLimit), bytewise(kLimit);
      CHECK(read_all(whole, stream, [&] { return stream.size(); }) == expected);
      CHECK(read_all(cut, stream, [&] { return size_t{1 + rng.below(30)}; }) == expected);
      CHECK(read_all(bytewise, stream, [] { return size_t{1}; }) == expected);
      for (const CapsuleReader* reader : {&whole, &cut, &bytewise}) {
        CHECK(reader->is_at_boundary());
        CHECK_EQ(reader->dropped(), dropped);
      }
    }
  }

  // RFC 9297 §3.3
  TEST_CASE("a stream that ends within a capsule does not end at a boundary") {
    std::vector<uint8_t> stream;
    write_capsule(stream, CapsuleType::datagram, as_bytes("hello"));
    for (size_t size = 0; size <= stream.size(); size++) {
      CapsuleReader reader;
      Bytes input = Bytes(stream).first(size);
      CHECK_EQ(reader.read(input).has_value(), size == stream.size());
      CHECK_EQ(reader.is_at_boundary(), size == 0 || size == stream.size());
    }
    CapsuleReader small(4);
    Bytes input = Bytes(stream).first(4);
    CHECK_FALSE(small.read(input));
    CHECK_FALSE(small.is_at_boundary());
  }

  TEST_CASE("a value in one piece is not copied") {
    std::vector<uint8_t> stream;
    write_capsule(stream, CapsuleType::datagram, as_bytes("hello"));
    CapsuleReader reader;
    Bytes input = stream;
    const auto capsule = reader.read(input);
    REQUIRE(capsule);
    CHECK(capsule->value.data() == stream.data() + 2);
  }

  // RFC 9297 §3.4
  TEST_CASE("Capsule-Protocol counts when it is one Boolean that is true") {
    CHECK(announces_capsules({{"capsule-protocol", "?1"}}));
    CHECK(announces_capsules({{"capsule-protocol", "?1;x=2"}}));
    CHECK_FALSE(announces_capsules({{"capsule-protocol", "?0"}}));
    CHECK_FALSE(announces_capsules({{"capsule-protocol", "1"}}));
    CHECK_FALSE(announces_capsules({{"capsule-protocol", "?1"}, {"capsule-protocol", "?1"}}));
    CHECK_FALSE(announces_capsules({}));
  }

  // RFC 9297 §3.2
  TEST_CASE("a message with capsules has neither fields nor a status that speak of content") {
    CHECK_EQ(h3_error(check_capsule_message({{"capsule-protocol", "?1"}}, 200)), "");
    CHECK_EQ(h3_error(check_capsule_message({{"capsule-protocol", "?1"}})), "");
    for (const char* name : {"content-length", "content-type", "transfer-encoding"}) {
      CHECK_EQ(h3_error(check_capsule_message({{"capsule-protocol", "?1"}, {name, "1"}})), "H3_MESSAGE_ERROR");
      CHECK_EQ(h3_error(check_capsule_message({{"capsule-protocol", "?0"}, {name, "1"}})), "");
    }
    for (const unsigned status : {204, 205, 206}) {
      CHECK_EQ(h3_error(check_capsule_message({{"capsule-protocol", "?1"}}, status)), "H3_MESSAGE_ERROR");
      CHECK_EQ(h3_error(check_capsule_message({}, status)), "");
    }
  }
}

TEST_SUITE("h3 datagrams") {
  // RFC 9297 §2.1
  TEST_CASE("a datagram names its stream by a quarter of its number") {
    for (const uint64_t stream : {uint64_t{0}, uint64_t{4}, uint64_t{256}, uint64_t{65536}, kVarintMax / 4 * 4}) {
      std::vector<uint8_t> datagram(datagram_header_size(stream) + 3, 7);
      write_datagram_header(datagram, stream);
      const Result<DatagramHeader> header = parse_datagram(datagram);
      REQUIRE(header);
      CHECK_EQ(header->stream, stream);
      CHECK_EQ(header->size, datagram.size() - 3);
      CHECK_EQ(h3_error(parse_datagram(Bytes(datagram).first(header->size))), "");
      CHECK_EQ(h3_error(parse_datagram(Bytes(datagram).first(header->size - 1))), "H3_DATAGRAM_ERROR");
    }
  }

  // RFC 9297 §2.1
  TEST_CASE("a number beyond all streams is an error") {
    std::vector<uint8_t> datagram;
    write_varint(datagram, (uint64_t{1} << 60) - 1);
    CHECK_EQ(parse_datagram(datagram).value().stream, kVarintMax - 3);
    datagram.clear();
    write_varint(datagram, uint64_t{1} << 60);
    CHECK_EQ(h3_error(parse_datagram(datagram)), "H3_DATAGRAM_ERROR");
  }
}
