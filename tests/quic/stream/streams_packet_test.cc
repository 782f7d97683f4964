// How STREAM frames fill packets, and whose.
#include "quic/stream/streams.h"

#include "tests/quic/stream/support.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;
using namespace quoll::tests;

TEST_SUITE("quic streams: packets") {
  // RFC 9218 §4
  TEST_CASE("an urgent stream overtakes; incremental ones share, others go one after the other") {
    StreamsPair pair;
    std::vector<StreamId> ids;
    for (int i = 0; i < 4; i++) {
      ids.push_back(*pair.client.open(true));
      write_all(pair.client, ids.back(), repeat(12'000));
    }
    REQUIRE(pair.client.set_priority(ids[0], {.urgency = 5, .incremental = true}));
    REQUIRE(pair.client.set_priority(ids[1], {.urgency = 5, .incremental = true}));
    REQUIRE(pair.client.set_priority(ids[3], {.urgency = 0}));
    std::string order;
    for (StreamPacket packet = write_packet(pair.client); !packet.bytes.empty(); packet = write_packet(pair.client)) {
      for (const FrameToken& token : packet.tokens) {
        if (token.kind == FrameToken::Kind::stream) {
          const char name = static_cast<char>('0' + StreamId(token.id).index());
          if (order.empty() || order.back() != name) order += name;
        }
      }
    }
    INFO(order);
    CHECK_EQ(order.substr(0, 2), "32");
    CHECK_GE(order.size(), 12);
    CHECK_EQ(order.substr(2, 6), "010101");
    pair.client.check_invariants();
  }

  // RFC 9000 §19.8
  TEST_CASE("a frame that fills the packet has no length; the others have one") {
    StreamsPair pair;
    const StreamId a = *pair.client.open(true), b = *pair.client.open(true);
    write_all(pair.client, a, repeat(100));
    write_all(pair.client, b, repeat(5000));
    const StreamPacket packet = write_packet(pair.client, 1000);
    CHECK_EQ(packet.bytes.size(), 1000);
    REQUIRE_EQ(packet.tokens.size(), 2);
    CHECK_EQ(packet.bytes[0], 0x0a);
    CHECK_EQ(packet.bytes[1 + 1 + 2 + 100], 0x08);
    CHECK_EQ(packet.tokens[1].size, 1000 - 104 - 2);
    REQUIRE(deliver(pair.server, packet));
    CHECK_EQ(read_all(pair.server, a).text.size(), 100);
    CHECK_EQ(read_all(pair.server, b).text.size(), 894);
  }

  TEST_CASE("any room is used without a frame that is broken or pointless") {
    for (size_t room = 0; room < 200; room++) {
      StreamsPair pair;
      const StreamId a = *pair.client.open(true), b = *pair.client.open(true);
      write_all(pair.client, a, repeat(70));
      write_all(pair.client, b, repeat(90));
      REQUIRE(pair.client.finish(b));
      for (int i = 0; i < 500 && pair.client.wants_to_send(); i++) {
        const StreamPacket packet = write_packet(pair.client, room);
        if (room >= 8) REQUIRE_FALSE(packet.bytes.empty());
        REQUIRE(deliver(pair.server, packet));
      }
      if (room < 8) continue;
      CHECK_EQ(read_all(pair.server, a).text.size(), 70);
      CHECK(read_all(pair.server, b).fin);
    }
  }

  TEST_CASE("a token ring that is full leaves nothing behind") {
    StreamsPair pair;
    const StreamId id = *pair.client.open(true);
    write_all(pair.client, id, repeat(100));
    std::vector<uint8_t> bytes(1200);
    FrameTokens tokens(1);
    std::vector<Gap> gaps;
    PacketBuilder packet(PacketType::one_rtt, bytes, tokens, gaps, true);
    CHECK(packet.add(MaxDataFrame{}, FrameType::max_data, FrameToken{.kind = FrameToken::Kind::max_data}));
    const size_t before = packet.size();
    pair.client.write_stream_frames(packet);
    CHECK_EQ(packet.size(), before);
    CHECK_EQ(pair.client.statistics().bytes_sent, 0);
    pair.client.check_invariants();
    FrameTokens more(10);
    PacketBuilder next(PacketType::one_rtt, bytes, more, gaps, true);
    pair.client.write_stream_frames(next);
    CHECK_EQ(gaps.size(), 1);  // gathered
    CHECK_EQ(pair.client.statistics().bytes_sent, 100);
  }
}
