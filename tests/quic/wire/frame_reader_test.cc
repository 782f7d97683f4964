#include "quic/wire/frame_reader.h"

#include "base/hex.h"
#include "tests/support/frame_collector.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;
using tests::CollectedFrame;
using tests::FrameCollector;

namespace {

using T = FrameType;

struct Sample {
  const char* hex;
  T type;
  std::vector<uint64_t> numbers;
  const char* bytes = "";
  bool to_end = false;  // extends to the end of the packet: a prefix may be a whole frame
};

/// Each frame in its canonical form, but for those without a length.
const std::vector<Sample>& samples() {
  static const std::vector<Sample> all = {
      {"000000", T::padding, {3}, "", true},
      {"01", T::ping, {}},
      {"020a030002", T::ack, {10, 3, 1, 8, 11}},
      {"020a0301020203", T::ack, {10, 3, 2, 8, 11, 1, 5}},
      {"030a030002020304", T::ack_ecn, {10, 3, 1, 8, 11, 2, 3, 4}},
      {"0404416b4abc", T::reset_stream, {4, 0x16b, 0xabc}},
      {"05047f01", T::stop_sending, {4, 0x3f01}},
      {"06440003616263", T::crypto, {0x400}, "616263"},
      {"0703746f6b", T::new_token, {}, "746f6b"},
      {"0804616263", T::stream, {4, 0, 0}, "616263", true},
      {"0904616263", T::stream, {4, 0, 1}, "616263", true},
      {"0a0403616263", T::stream, {4, 0, 0}, "616263"},
      {"0b0400", T::stream, {4, 0, 1}, ""},
      {"0c0405616263", T::stream, {4, 5, 0}, "616263", true},
      {"0d0405616263", T::stream, {4, 5, 1}, "616263", true},
      {"0e040503616263", T::stream, {4, 5, 0}, "616263"},
      {"0f040503616263", T::stream, {4, 5, 1}, "616263"},
      {"1080010000", T::max_data, {0x10000}},
      {"110480010000", T::max_stream_data, {4, 0x10000}},
      {"12d000000000000000", T::max_streams_bidi, {uint64_t{1} << 60}},
      {"1307", T::max_streams_uni, {7}},
      {"14c000000100000000", T::data_blocked, {uint64_t{1} << 32}},
      {"150409", T::stream_data_blocked, {4, 9}},
      {"1609", T::streams_blocked_bidi, {9}},
      {"17d000000000000000", T::streams_blocked_uni, {uint64_t{1} << 60}},
      {"1805050401020304000102030405060708090a0b0c0d0e0f",
       T::new_connection_id,
       {5, 5, 4},
       "01020304000102030405060708090a0b0c0d0e0f"},
      {"1907", T::retire_connection_id, {7}},
      {"1a0102030405060708", T::path_challenge, {}, "0102030405060708"},
      {"1b0102030405060708", T::path_response, {}, "0102030405060708"},
      {"1c41010603616263", T::connection_close, {0x101, 6}, "616263"},
      {"1d7fff00", T::connection_close_application, {0x3fff, 0}, ""},
      {"1e", T::handshake_done, {}},
      {"30616263", T::datagram, {}, "616263", true},
      {"3103616263", T::datagram, {}, "616263"},
      {"3100", T::datagram, {}, ""},
  };
  return all;
}

Result<PayloadTraits> parse(Bytes frames, FrameCollector& collector, PacketType type = PacketType::one_rtt,
                            Role receiver = Role::client) {
  return parse_frames({.type = type, .receiver = receiver, .frames = frames}, collector);
}

/// The error of a payload that must have one.
Error error_of(const char* hex, PacketType type = PacketType::one_rtt, Role receiver = Role::client) {
  CAPTURE(std::string(hex));
  FrameCollector collector;
  const std::vector<uint8_t> bytes = *from_hex(hex);
  const Result<PayloadTraits> result = parse(bytes, collector, type, receiver);
  REQUIRE(!result);
  CHECK_EQ(result.error().domain, ErrorDomain::transport);
  CHECK(*result.error().reason != '\0');
  return result.error();
}

void expect_error(const char* hex, TransportError code, uint64_t frame_type, PacketType type = PacketType::one_rtt,
                  Role receiver = Role::client) {
  const Error error = error_of(hex, type, receiver);
  CHECK_EQ(error.code, static_cast<uint64_t>(code));
  CHECK_EQ(error.frame_type, frame_type);
}

constexpr auto kEncoding = TransportError::frame_encoding_error;
constexpr auto kViolation = TransportError::protocol_violation;

}  // namespace

TEST_SUITE("quic frame reader") {
  TEST_CASE("every frame is read, and written again in the same bytes") {
    for (const Sample& sample : samples()) {
      CAPTURE(std::string(sample.hex));
      const std::vector<uint8_t> bytes = *from_hex(sample.hex);
      FrameCollector collector;
      const Result<PayloadTraits> result = parse(bytes, collector);
      REQUIRE(result);
      REQUIRE_EQ(collector.frames.size(), 1);
      CHECK(collector.frames[0] == CollectedFrame{sample.type, sample.numbers, *from_hex(sample.bytes)});
      if (!sample.to_end || sample.type == T::padding) CHECK_EQ(to_hex(collector.rewritten), sample.hex);
      FrameCollector again;
      REQUIRE(parse(collector.rewritten, again));
      CHECK(again.frames == collector.frames);
    }
  }

  TEST_CASE("every frame that is cut short is FRAME_ENCODING_ERROR with its type") {  // RFC 9000 §20.1
    for (const Sample& sample : samples()) {
      if (sample.to_end) continue;
      const std::vector<uint8_t> bytes = *from_hex(sample.hex);
      for (size_t size = 1; size < bytes.size(); size++) {
        CAPTURE(std::string(sample.hex));
        CAPTURE(size);
        FrameCollector collector;
        // A copy of its own, so that a sanitizer sees a read past the end.
        const std::vector<uint8_t> prefix(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(size));
        const Result<PayloadTraits> result = parse(prefix, collector);
        REQUIRE(!result);
        CHECK_EQ(result.error().code, static_cast<uint64_t>(kEncoding));
        CHECK_EQ(result.error().frame_type, bytes[0]);
        CHECK(collector.frames.empty());
      }
    }
    // Those without a length lack their fixed fields.
    expect_error("08", kEncoding, 0x08);
    expect_error("0c04", kEncoding, 0x0c);
    expect_error("0c0440", kEncoding, 0x0c);
  }

  TEST_CASE("frames follow each other, and padding is one run") {
    FrameCollector collector;
    const std::vector<uint8_t> bytes = *from_hex("010000000000000000000000001307000a0400000000300000");
    const Result<PayloadTraits> result = parse(bytes, collector);
    REQUIRE(result);
    const std::vector<CollectedFrame> expected = {
        {T::ping, {}, {}},          {T::padding, {12}, {}}, {T::max_streams_uni, {7}, {}},   {T::padding, {1}, {}},
        {T::stream, {4, 0, 0}, {}}, {T::padding, {3}, {}},  {T::datagram, {}, {0x00, 0x00}},
    };
    CHECK(collector.frames == expected);
  }

  TEST_CASE("padding runs of every length are counted exactly") {
    for (size_t size = 1; size < 40; size++) {
      std::vector<uint8_t> bytes(size, 0);
      bytes.push_back(1);
      FrameCollector collector;
      REQUIRE(parse(bytes, collector));
      REQUIRE_EQ(collector.frames.size(), 2);
      CHECK_EQ(collector.frames[0].numbers[0], size);
    }
  }

  TEST_CASE("a packet without frames is PROTOCOL_VIOLATION") {  // RFC 9000 §12.4
    expect_error("", kViolation, 0);
  }

  TEST_CASE("unknown frame types are FRAME_ENCODING_ERROR") {  // RFC 9000 §12.4
    for (const char* hex : {"1f", "20", "2f", "32", "3f"}) expect_error(hex, kEncoding, (*from_hex(hex))[0]);
    expect_error("4040", kEncoding, 0x40);
    expect_error("80ffffff", kEncoding, 0xffffff);
    expect_error("ffffffffffffffff", kEncoding, kVarintMax);
    expect_error("40", kEncoding, 0);
    expect_error("8000", kEncoding, 0);
  }

  TEST_CASE("a frame type that is longer than needed is PROTOCOL_VIOLATION") {  // RFC 9000 §12.4
    expect_error("4001", kViolation, 1);
    expect_error("80000001", kViolation, 1);
    expect_error("c000000000000006", kViolation, 6);
    expect_error("80000040", kViolation, 0x40);
  }

  TEST_CASE("frames in a packet type that table 3 does not list are PROTOCOL_VIOLATION") {  // RFC 9000 §12.4, §12.5
    struct Row {
      uint8_t first;
      uint8_t last;
      const char* packets;  // I H 0 1, as in table 3
    };
    constexpr Row rows[] = {
        {0x00, 0x01, "IH01"}, {0x02, 0x03, "IH1"}, {0x04, 0x05, "01"}, {0x06, 0x06, "IH1"},
        {0x07, 0x07, "1"},    {0x08, 0x1a, "01"},  {0x1b, 0x1b, "1"},  {0x1c, 0x1c, "IH01"},
        {0x1d, 0x1d, "01"},   {0x1e, 0x1e, "1"},   {0x30, 0x31, "01"},
    };
    constexpr std::pair<PacketType, char> types[] = {{PacketType::initial, 'I'},
                                                     {PacketType::handshake, 'H'},
                                                     {PacketType::zero_rtt, '0'},
                                                     {PacketType::one_rtt, '1'}};
    size_t covered = 0;
    for (const Sample& sample : samples()) {
      const std::vector<uint8_t> bytes = *from_hex(sample.hex);
      for (const Row& row : rows) {
        if (bytes[0] < row.first || bytes[0] > row.last) continue;
        covered++;
        for (const auto& [type, letter] : types) {
          CAPTURE(std::string(sample.hex));
          CAPTURE(letter);
          FrameCollector collector;
          const Result<PayloadTraits> result = parse(bytes, collector, type);
          const bool allowed = std::string_view(row.packets).contains(letter);
          REQUIRE_EQ(result.has_value(), allowed);
          if (allowed) continue;
          CHECK_EQ(result.error().code, static_cast<uint64_t>(kViolation));
          CHECK_EQ(result.error().frame_type, bytes[0]);
          CHECK(collector.frames.empty());
        }
      }
    }
    CHECK_EQ(covered, samples().size());
  }

  TEST_CASE("NEW_TOKEN and HANDSHAKE_DONE at a server are PROTOCOL_VIOLATION") {  // RFC 9000 §19.7, §19.20
    expect_error("0703746f6b", kViolation, 0x07, PacketType::one_rtt, Role::server);
    expect_error("1e", kViolation, 0x1e, PacketType::one_rtt, Role::server);
  }

  TEST_CASE("values out of range are FRAME_ENCODING_ERROR") {
    // RFC 9000 §19.8: offset + length <= 2^62-1.
    expect_error("0e04ffffffffffffffff0161", kEncoding, 0x0e);
    expect_error("0c04ffffffffffffffff61", kEncoding, 0x0c);
    // RFC 9000 §19.6.
    expect_error("06ffffffffffffffff0161", kEncoding, 0x06);
    // RFC 9000 §19.7: the token is not empty.
    expect_error("0700", kEncoding, 0x07);
    // RFC 9000 §4.6, §19.11, §19.14: streams <= 2^60.
    for (const char* hex : {"12d000000000000001", "13d000000000000001", "16d000000000000001", "17ffffffffffffffff"}) {
      expect_error(hex, kEncoding, (*from_hex(hex))[0]);
    }
    // RFC 9000 §19.15: 1 to 20 bytes, retire_prior_to <= sequence_number.
    expect_error("18050500000102030405060708090a0b0c0d0e0f", kEncoding, 0x18);
    expect_error("180505150000000000000000000000000000000000000000000102030405060708090a0b0c0d0e0f", kEncoding, 0x18);
    expect_error("1805060401020304000102030405060708090a0b0c0d0e0f", kEncoding, 0x18);
    // RFC 9000 §19.3.1: no computed packet number is negative.
    expect_error("0205000006", kEncoding, 0x02);      // first range below zero
    expect_error("02050001040000", kEncoding, 0x02);  // gap below zero
    expect_error("020a0001020602", kEncoding, 0x02);  // length below zero: 8 - 6 - 2 = 0, then 2 more
    expect_error("020a000102ffffffffffffffff00", kEncoding, 0x02);
  }

  TEST_CASE("values at the edge of their range are taken") {
    for (const char* hex : {"0e04ffffffffffffffff00", "0e04fffffffffffffffe0161", "06ffffffffffffffff00",
                            "18050514000102030405060708090a0b0c0d0e0f10111213000102030405060708090a0b0c0d0e0f",
                            "0205000005", "020a0001020600", "02ffffffffffffffff0000ffffffffffffffff"}) {
      CAPTURE(std::string(hex));
      FrameCollector collector;
      const std::vector<uint8_t> bytes = *from_hex(hex);
      CHECK(parse(bytes, collector));
    }
  }

  TEST_CASE("a visitor's error ends the parsing and gets the frame's type") {
    FrameCollector collector;
    collector.answer = close_with(TransportError::flow_control_error, "too much");
    const std::vector<uint8_t> bytes = *from_hex("0a04016101");
    const Result<PayloadTraits> result = parse(bytes, collector);
    REQUIRE(!result);
    CHECK_EQ(result.error().code, static_cast<uint64_t>(TransportError::flow_control_error));
    CHECK_EQ(result.error().frame_type, 0x0a);
    CHECK_EQ(collector.frames.size(), 1);
    collector.answer = close_with(TransportError::flow_control_error, "too much", 0x04);
    CHECK_EQ(parse(bytes, collector).error().frame_type, 0x04);
  }

  TEST_CASE("what a packet's frames make of it") {  // RFC 9000 §9.1, §13.2; RFC 9002 §2, §3
    struct Row {
      const char* hex;
      PayloadTraits traits;
    };
    const Row rows[] = {
        {"0000", {.ack_eliciting = false, .in_flight = true, .probing = true}},
        {"020a030002", {.ack_eliciting = false, .in_flight = false, .probing = false}},
        {"1d0000", {.ack_eliciting = false, .in_flight = false, .probing = false}},
        {"01", {.ack_eliciting = true, .in_flight = true, .probing = false}},
        {"1a01020304050607080000", {.ack_eliciting = true, .in_flight = true, .probing = true}},
        {"1a010203040506070801", {.ack_eliciting = true, .in_flight = true, .probing = false}},
        {"020a0300020000", {.ack_eliciting = false, .in_flight = true, .probing = false}},
        {"3100", {.ack_eliciting = true, .in_flight = true, .probing = false}},
    };
    for (const Row& row : rows) {
      CAPTURE(std::string(row.hex));
      FrameCollector collector;
      const std::vector<uint8_t> bytes = *from_hex(row.hex);
      const Result<PayloadTraits> result = parse(bytes, collector);
      REQUIRE(result);
      CHECK(*result == row.traits);
    }
  }

  TEST_CASE("a DATAGRAM frame knows its size on the wire") {  // RFC 9221 §3
    struct SizeTaker : FrameCollector {
      using FrameCollector::on_frame;
      Result<void> on_frame(const DatagramFrame& frame) {
        sizes.push_back(frame.frame_size);
        return {};
      }
      std::vector<size_t> sizes;
    } taker;
    const std::vector<uint8_t> bytes = *from_hex("3103616263314001aa30616263");
    REQUIRE(parse_frames({.type = PacketType::one_rtt, .receiver = Role::server, .frames = bytes}, taker));
    CHECK(taker.sizes == std::vector<size_t>{5, 4, 4});
  }

  TEST_CASE("random payloads never break the parser, and what is taken is written and read equal") {
    const uint64_t seed = tests::test_seed(20);
    INFO("QUOLL_TEST_SEED=" << seed);
    tests::SeededRng rng(seed);
    size_t taken = 0;
    for (int round = 0; round < 20'000; round++) {
      std::vector<uint8_t> bytes;
      for (uint64_t frames = rng.below(4); frames <= 4; frames++) {
        std::vector<uint8_t> frame = *from_hex(samples()[rng.below(samples().size())].hex);
        if (rng.below(4) == 0) frame[rng.below(frame.size())] ^= static_cast<uint8_t>(1 << rng.below(8));
        bytes.insert(bytes.end(), frame.begin(), frame.end());
      }
      bytes.resize(bytes.size() - rng.below(2));
      FrameCollector collector;
      const Result<PayloadTraits> result = parse(bytes, collector);
      if (!result) continue;
      taken++;
      FrameCollector again;
      const Result<PayloadTraits> traits = parse(collector.rewritten, again);
      REQUIRE(traits);
      CHECK(*traits == *result);
      CHECK(again.frames == collector.frames);
    }
    CHECK_GT(taken, 1000);
  }
}
