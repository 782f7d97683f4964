#include "quic/stream/crypto_stream.h"

#include <vector>

#include "tests/quic/stream/built_packet.h"
#include "tests/support/random.h"

// Last, so that its CHECK takes the place of ours in this file alone.
#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;

namespace {

std::vector<uint8_t> bytes_at(uint64_t offset, size_t size) {
  std::vector<uint8_t> bytes(size);
  for (size_t i = 0; i < size; i++) bytes[i] = static_cast<uint8_t>((offset + i) * 7);
  return bytes;
}

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
}
