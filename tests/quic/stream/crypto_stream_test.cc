#include "quic/stream/crypto_stream.h"

#include <vector>

#include "tests/quic/stream/built_packet.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;

namespace {

std::vector<uint8_t> bytes_at(uint64_t offset, size_t size) {
  std::vector<uint8_t> bytes(size);
  for (size_t i = 0; i < size; i++) bytes[i] = static_cast<uint8_t>((offset + i) * 7);
  return bytes;
}

CryptoFrame frame_of(const std::vector<uint8_t>& data, uint64_t offset) { return {.offset = offset, .data = data}; }

bool is_exceeded(const Result<void>& result) {
  return !result && result.error().domain == ErrorDomain::transport &&
         result.error().code == static_cast<uint64_t>(TransportError::crypto_buffer_exceeded) &&
         result.error().frame_type == static_cast<uint64_t>(FrameType::crypto);
}

/// The frames of one packet that is written now, as [start, end) of the data, compared with what bytes_at() says.
std::vector<Interval> write(CryptoStream& stream, tests::BuiltTrain& train, size_t room) {
  tests::BuiltPacket packet(train, room, PacketType::initial);
  std::vector<Interval> ranges;
  const bool written = stream.write_frames(packet.builder);
  for (const auto& frame : packet.frames()) {
    const uint64_t offset = frame.numbers.at(0);
    CHECK_EQ(frame.bytes, bytes_at(offset, frame.bytes.size()));
    ranges.push_back({offset, offset + frame.bytes.size()});
  }
  CHECK_EQ(written, !ranges.empty());
  const std::vector<FrameToken> tokens = packet.take_tokens();
  REQUIRE_EQ(tokens.size(), ranges.size());
  for (size_t i = 0; i < tokens.size(); i++) {
    CHECK_EQ(tokens[i].kind, FrameToken::Kind::crypto);
    CHECK_EQ(Interval{tokens[i].offset, tokens[i].offset + tokens[i].size}, ranges[i]);
  }
  return ranges;
}

FrameToken token_of(Interval range) {
  return {.offset = range.start, .size = static_cast<uint32_t>(range.size()), .kind = FrameToken::Kind::crypto};
}

using Intervals = std::vector<Interval>;

}  // namespace

TEST_SUITE("quic crypto stream") {
  TEST_CASE("handshake data crosses in CRYPTO frames from offset 0 (RFC 9000 §19.6)") {
    CryptoStream sender, receiver;
    sender.write(bytes_at(0, 3000));
    CHECK(sender.wants_to_send());
    tests::BuiltTrain train;
    uint64_t offset = 0;
    std::vector<uint8_t> read;
    while (sender.wants_to_send()) {
      tests::BuiltPacket packet(train, 1200, PacketType::handshake);
      CHECK(sender.write_frames(packet.builder));
      CHECK(packet.builder.traits().ack_eliciting);
      const auto frames = packet.frames();
      REQUIRE_EQ(frames.size(), 1);
      CHECK_EQ(frames[0].type, FrameType::crypto);
      CHECK_EQ(frames[0].numbers.at(0), offset);
      CHECK(receiver.on_frame(CryptoFrame{.offset = offset, .data = frames[0].bytes}));
      offset += frames[0].bytes.size();
      while (const auto slice = receiver.read()) {
        read.insert(read.end(), slice->bytes().begin(), slice->bytes().end());
      }
      for (const FrameToken& token : packet.take_tokens()) sender.on_acked(token);
    }
    CHECK_EQ(read, bytes_at(0, 3000));
    CHECK(sender.all_acked());
    CHECK_FALSE(receiver.has_unread());
  }

  TEST_CASE("data out of order is held, 4096 bytes and more (RFC 9000 §7.5)") {
    CryptoStream stream;
    for (uint64_t at = 4096; at > 0; at -= 64) REQUIRE(stream.on_frame(frame_of(bytes_at(at, 64), at)));
    CHECK(stream.has_unread());
    CHECK_FALSE(stream.read());
    REQUIRE(stream.on_frame(frame_of(bytes_at(0, 64), 0)));
    std::vector<uint8_t> read;
    while (const auto slice = stream.read()) read.insert(read.end(), slice->bytes().begin(), slice->bytes().end());
    CHECK_EQ(read, bytes_at(0, 4160));
    CHECK_FALSE(stream.has_unread());
  }

  TEST_CASE("data too far ahead closes with CRYPTO_BUFFER_EXCEEDED (RFC 9000 §7.5)") {
    CryptoStream stream;
    const std::vector<uint8_t> data(1000);
    CHECK(is_exceeded(stream.on_frame(frame_of(data, kCryptoBufferMax - 999))));
    CHECK(is_exceeded(stream.on_frame(frame_of(data, kVarintMax - 1000))));
    CHECK(stream.on_frame(frame_of(data, kCryptoBufferMax - 1000)));
    CHECK(stream.on_frame(frame_of(data, 0)));
    CHECK(is_exceeded(stream.on_frame(frame_of(data, kCryptoBufferMax))));
    CHECK(stream.read());  // the window moves with what TLS takes
    CHECK(stream.on_frame(frame_of(data, kCryptoBufferMax)));
    CHECK(stream.on_frame(frame_of(data, 0)));
    CHECK_FALSE(stream.read());
  }

  TEST_CASE("too many pieces close with CRYPTO_BUFFER_EXCEEDED (RFC 9000 §7.5)") {
    CryptoStream stream;
    const std::vector<uint8_t> byte(1);
    for (uint64_t i = 1; i <= kReceiveGapsMax; i++) REQUIRE(stream.on_frame(frame_of(byte, 2 * i)));
    CHECK(is_exceeded(stream.on_frame(frame_of(byte, 2 * kReceiveGapsMax + 2))));
    CHECK(stream.on_frame(frame_of(byte, 0)));
  }

  TEST_CASE("lost handshake data is sent again, acknowledged data is not (RFC 9000 §13.3)") {
    CryptoStream stream;
    tests::BuiltTrain train;
    stream.write(bytes_at(0, 1000));
    stream.write(bytes_at(1000, 1000));
    CHECK_EQ(write(stream, train, 603), Intervals{{0, 599}});
    CHECK_EQ(write(stream, train, 605), Intervals{{599, 1199}});
    stream.on_lost(token_of({0, 599}));
    CHECK_EQ(write(stream, train, 1200), Intervals{{0, 599}, {1199, 1791}});
    stream.on_acked(token_of({0, 599}));
    stream.on_lost(token_of({0, 599}));
    CHECK_EQ(write(stream, train, 1200), Intervals{{1791, 2000}});
    CHECK_FALSE(stream.wants_to_send());
    CHECK_EQ(write(stream, train, 1200), Intervals{});
    CHECK_FALSE(stream.all_acked());
    stream.on_acked(token_of({599, 2000}));
    CHECK(stream.all_acked());
  }

  TEST_CASE("a packet without room gets nothing, and nothing is lost of it") {
    CryptoStream stream;
    tests::BuiltTrain train;
    stream.write(bytes_at(0, 100));
    for (size_t room = 0; room < 4; room++) CHECK_EQ(write(stream, train, room), Intervals{});
    CHECK_EQ(write(stream, train, 4), Intervals{{0, 1}});
    CHECK_EQ(write(stream, train, 200), Intervals{{1, 100}});
  }

  TEST_CASE("without a place for its token a frame is not written") {
    CryptoStream stream;
    tests::BuiltTrain train;
    while (train.tokens.push({})) {
    }
    stream.write(bytes_at(0, 100));
    tests::BuiltPacket packet(train, 200);
    CHECK_FALSE(stream.write_frames(packet.builder));
    CHECK(packet.builder.empty());
    CHECK(stream.wants_to_send());
  }

  TEST_CASE("rewind() sends the whole flight anew (RFC 9000 §17.2.5.3)") {
    CryptoStream stream;
    tests::BuiltTrain train;
    stream.write(bytes_at(0, 300));
    CHECK_EQ(write(stream, train, 1200), Intervals{{0, 300}});
    stream.rewind();
    CHECK_EQ(write(stream, train, 1200), Intervals{{0, 300}});
  }
}
