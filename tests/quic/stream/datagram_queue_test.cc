#include "quic/stream/datagram_queue.h"

#include <vector>

#include "tests/quic/stream/built_packet.h"
#include "tests/support/heap.h"
#include "tests/support/random.h"

// Last, so that its CHECK takes the place of ours in this file alone.
#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;

namespace {

std::vector<uint8_t> filled(size_t size, uint8_t value = 7) { return std::vector<uint8_t>(size, value); }

}  // namespace

TEST_SUITE("quic datagrams") {
  TEST_CASE("datagrams go out whole, in order, as many as fit (RFC 9221 §5)") {
    DatagramQueue queue({}, 0);
    queue.set_peer_max_frame_size(65535);
    for (uint8_t i = 0; i < 5; i++) CHECK(queue.send(Slice::copy_of(filled(500, i))).value());
    CHECK(queue.wants_to_send());
    tests::BuiltTrain train;
    uint8_t next = 0;
    while (queue.wants_to_send()) {
      tests::BuiltPacket packet(train, 1200);
      queue.write_frames(packet.builder, 1200);
      const auto frames = packet.frames();
      CHECK_EQ(frames.size(), next < 4 ? 2 : 1);
      for (const auto& frame : frames) CHECK_EQ(frame.bytes, filled(500, next++));
      for (const FrameToken& token : packet.take_tokens()) {
        CHECK_EQ(token.kind, FrameToken::Kind::datagram);
        CHECK_EQ(token.size, 500);
      }
    }
    CHECK_EQ(next, 5);
    CHECK_EQ(queue.statistics().sent, 5);
    queue.on_sealed();
  }
}
