// Memory and work under a peer that opens and closes as fast as it can.
#include "quic/stream/streams.h"

#include "tests/quic/stream/support.h"
#include "tests/support/heap.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;
using namespace quoll::tests;

TEST_SUITE("quic streams against a peer that churns") {
  TEST_CASE("streams that the peer opens and resets in a loop leave no memory behind") {
    StreamLimits limits;
    StreamsPair pair(limits);
    size_t steady = 0;
    for (int i = 0; i < 5000; i++) {
      if (const auto id = pair.client.open(i % 2 == 0)) {
        write_all(pair.client, *id, "x");
        REQUIRE(pair.client.reset(*id, kCode));
        if (!id->is_unidirectional()) REQUIRE(pair.client.stop(*id, kCode));
      }
      REQUIRE(pair.exchange());
      events_of(pair.server);
      events_of(pair.client);
      REQUIRE(pair.exchange());
      if (i == 500) steady = heap_bytes();
    }
    CHECK_LE(heap_bytes(), steady + 4096);
    CHECK_LE(pair.server.statistics().open, 1);
    CHECK_EQ(pair.client.statistics().opened_by_us, 5000);
  }

  TEST_CASE("when the application does not poll, the peer runs into the limit of streams") {
    StreamLimits limits;
    limits.max_bidirectional_streams = 10;
    Server server(limits);
    uint64_t opened = 0;
    for (uint64_t i = 0; i < 100; i++) {
      const StreamId id(4 * i);
      if (!server.take(ResetStreamFrame{.stream_id = id})) break;
      opened++;
      REQUIRE(server.take(StopSendingFrame{.stream_id = id}));
      const StreamPacket packet = write_packet(server.streams);
      acknowledge(server.streams, packet);
      REQUIRE(server.take(StopSendingFrame{.stream_id = id}));
      REQUIRE(server.take(ResetStreamFrame{.stream_id = id}));
    }
    CHECK_EQ(opened, 10);
    CHECK_EQ(server.streams.statistics().open, 10);
    CHECK_FALSE(server.streams.wants_to_send());
    CHECK_EQ(events_of(server.streams).size(), 30);
    CHECK_FALSE(server.streams.has_open_streams());
  }

  TEST_CASE("streams without data cost little") {
    StreamLimits limits;
    Server server(limits);
    if (!heap_is_counted()) return;
    const size_t before = heap_bytes();
    for (uint64_t i = 0; i < 3; i++) REQUIRE(server.take(data_frame(StreamId(4 * i + 2), 0, "")));
    for (uint64_t i = 0; i < 3; i++) (void)server.streams.open(true);
    events_of(server.streams);
    const size_t used = heap_bytes() - before;
    INFO(used);
    CHECK_LE(used, 4096);
  }
}
