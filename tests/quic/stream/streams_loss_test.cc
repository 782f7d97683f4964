// RFC 9000 §13.3: what is said again when the packet that said it is lost, for every kind of frame, and what is not.
#include "quic/stream/streams.h"

#include "tests/quic/stream/support.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;
using namespace quoll::tests;

namespace {

StreamLimits small_limits() {
  StreamLimits limits;
  limits.initial_stream_window = limits.max_stream_window = 1000;
  limits.initial_connection_window = limits.max_connection_window = 1000;
  limits.max_unidirectional_streams = limits.max_bidirectional_streams = 1;
  return limits;
}

/// The only frame of the next packet.
CollectedFrame only_frame(const StreamPacket& packet) {
  const auto frames = frames_of(packet);
  REQUIRE_EQ(frames.size(), 1);
  return frames[0];
}

}  // namespace

TEST_SUITE("quic streams: loss") {
  // RFC 9000 §13.3
  TEST_CASE("STREAM: lost bytes and a lost end go again, before new bytes, in other cuts") {
    StreamsPair pair;
    const StreamId id = *pair.client.open(true);
    write_all(pair.client, id, repeat(1500));
    const StreamPacket first = write_packet(pair.client, 1000);
    REQUIRE(pair.client.finish(id));
    lose(pair.client, first);
    const StreamPacket again = write_packet(pair.client, 500);
    CHECK_EQ(only_frame(again).numbers, std::vector<uint64_t>{id.value(), 0, 0});
    const StreamPacket rest = write_packet(pair.client, 1200);
    CHECK_EQ(frames_of(rest).size(), 2);
    CHECK_EQ(frames_of(rest)[1].numbers, std::vector<uint64_t>{id.value(), 998, 1});
    lose(pair.client, rest);
    const StreamPacket last = write_packet(pair.client, 1200);
    CHECK_EQ(only_frame(last).numbers, std::vector<uint64_t>{id.value(), 498, 1});
    for (const StreamPacket* packet : {&again, &last}) {
      REQUIRE(deliver(pair.server, *packet));
      acknowledge(pair.client, *packet);
    }
    const ReadAll all = read_all(pair.server, id);
    CHECK_EQ(all.text.size(), 1500);
    CHECK(all.fin);
    CHECK_EQ(count_events<StreamDelivered>(events_of(pair.client)), 1);
    CHECK_EQ(pair.client.statistics().bytes_sent, 1500);
    CHECK_GT(pair.client.statistics().bytes_retransmitted, 1000);
    // Whatever is declared lost after the acknowledgement changes nothing.
    lose(pair.client, first);
    CHECK_FALSE(pair.client.wants_to_send());
  }

  // RFC 9000 §4.1, §13.3
  TEST_CASE("STREAM: what was sent once passes connection flow control again") {
    TransportParameters peers = open_parameters();
    peers.initial_max_data = 100;
    Server server({}, peers);
    const StreamId id = *server.streams.open(true);
    write_all(server.streams, id, repeat(200));
    const StreamPacket packet = write_packet(server.streams, 1200, Write::data);
    CHECK_EQ(only_frame(packet).bytes.size(), 100);
    CHECK_FALSE(server.streams.has_data());
    lose(server.streams, packet);
    CHECK(server.streams.has_data());
    CHECK_EQ(only_frame(write_packet(server.streams, 1200, Write::data)).bytes.size(), 100);
    CHECK_FALSE(server.streams.has_data());
    server.streams.check_invariants();
  }

  // RFC 9000 §13.3
  TEST_CASE("RESET_STREAM is sent until it is acknowledged, unchanged; no data goes with it") {
    StreamsPair pair;
    const StreamId id = *pair.client.open(true);
    write_all(pair.client, id, "abc");
    const StreamPacket data = write_packet(pair.client);
    REQUIRE(pair.client.reset(id, kCode));
    const StreamPacket reset = write_packet(pair.client);
    lose(pair.client, data);
    CHECK_FALSE(pair.client.wants_to_send());
    lose(pair.client, reset);
    const StreamPacket again = write_packet(pair.client);
    CHECK_EQ(only_frame(again), only_frame(reset));
    acknowledge(pair.client, again);
    lose(pair.client, again);
    CHECK_FALSE(pair.client.wants_to_send());
    CHECK_FALSE(pair.client.has_open_streams());
  }

  // RFC 9000 §3.5, §13.3
  TEST_CASE("STOP_SENDING is sent until the stream is reset") {
    Server server;
    REQUIRE(server.take(data_frame(kClientUni, 0, "abc")));
    REQUIRE(server.streams.stop(kClientUni, kCode));
    const StreamPacket stop = write_packet(server.streams);
    CHECK_EQ(only_frame(stop), CollectedFrame{FrameType::stop_sending, {2, 7}, {}});
    lose(server.streams, stop);
    const StreamPacket again = write_packet(server.streams);
    CHECK_EQ(only_frame(again), only_frame(stop));
    REQUIRE(server.take(ResetStreamFrame{.stream_id = kClientUni, .final_size = 3}));
    lose(server.streams, again);
    CHECK_FALSE(server.streams.wants_to_send());
  }

  // RFC 9000 §13.3
  TEST_CASE("MAX_DATA and MAX_STREAM_DATA: the newest value goes again, an older one does not") {
    Server server(small_limits());
    const auto use = [&server](uint64_t offset, size_t size) {
      REQUIRE(server.take(data_frame(kClientUni, offset, repeat(size))));
      CHECK_EQ(read_all(server.streams, kClientUni).text.size(), size);
    };
    use(0, 600);
    const StreamPacket first = write_packet(server.streams);
    REQUIRE_EQ(frames_of(first).size(), 2);
    CHECK_EQ(frames_of(first)[0], CollectedFrame{FrameType::max_data, {1600}, {}});
    CHECK_EQ(frames_of(first)[1], CollectedFrame{FrameType::max_stream_data, {2, 1600}, {}});
    lose(server.streams, first);
    const StreamPacket second = write_packet(server.streams);
    CHECK_EQ(frames_of(second), frames_of(first));
    use(600, 600);
    const StreamPacket third = write_packet(server.streams);
    CHECK_EQ(frames_of(third)[0], CollectedFrame{FrameType::max_data, {2200}, {}});
    lose(server.streams, second);
    CHECK_FALSE(server.streams.wants_to_send());
    // RFC 9000 §13.3: no MAX_STREAM_DATA once the size is known.
    REQUIRE(server.take(data_frame(kClientUni, 1300, "", true)));
    lose(server.streams, third);
    CHECK_EQ(only_frame(write_packet(server.streams)), CollectedFrame{FrameType::max_data, {2200}, {}});
    server.streams.check_invariants();
  }

  // RFC 9000 §13.3
  TEST_CASE("MAX_STREAMS: the newest value goes again, an older one does not") {
    for (const bool unidirectional : {false, true}) {
      const FrameType type = unidirectional ? FrameType::max_streams_uni : FrameType::max_streams_bidi;
      Server server(small_limits());
      const auto use = [&](uint64_t index) {
        const StreamId id(Role::client, unidirectional, index);
        REQUIRE(server.take(ResetStreamFrame{.stream_id = id}));
        if (!unidirectional) {
          REQUIRE(server.streams.reset(id, kCode));
          acknowledge(server.streams, write_packet(server.streams));
        }
        events_of(server.streams);
        CHECK_FALSE(server.streams.has_open_streams());
      };
      use(0);
      const StreamPacket first = write_packet(server.streams);
      CHECK_EQ(only_frame(first), CollectedFrame{type, {2}, {}});
      lose(server.streams, first);
      const StreamPacket second = write_packet(server.streams);
      CHECK_EQ(only_frame(second), only_frame(first));
      use(1);
      const StreamPacket third = write_packet(server.streams);
      CHECK_EQ(only_frame(third), CollectedFrame{type, {3}, {}});
      lose(server.streams, second);
      CHECK_FALSE(server.streams.wants_to_send());
      lose(server.streams, third);
      CHECK_EQ(only_frame(write_packet(server.streams)), only_frame(third));
    }
  }

  // RFC 9000 §13.3
  TEST_CASE("DATA_BLOCKED and STREAM_DATA_BLOCKED go again as long as they are true") {
    TransportParameters peers = open_parameters();
    peers.initial_max_data = 0;
    Server server({}, peers);
    const StreamId id = *server.streams.open(true);
    write_all(server.streams, id, "abc");
    const StreamPacket blocked = write_packet(server.streams);
    CHECK_EQ(only_frame(blocked), CollectedFrame{FrameType::data_blocked, {0}, {}});
    lose(server.streams, blocked);
    CHECK_EQ(only_frame(write_packet(server.streams)), only_frame(blocked));
    REQUIRE(server.streams.reset(id, kCode));
    acknowledge(server.streams, write_packet(server.streams));
    lose(server.streams, blocked);
    CHECK_FALSE(server.streams.wants_to_send());  // nobody waits any more

    peers = open_parameters();
    peers.initial_max_stream_data_uni = 0;
    Server other({}, peers);
    write_all(other.streams, *other.streams.open(true), "abc");
    const StreamPacket stream_blocked = write_packet(other.streams);
    CHECK_EQ(only_frame(stream_blocked), CollectedFrame{FrameType::stream_data_blocked, {id.value(), 0}, {}});
    lose(other.streams, stream_blocked);
    CHECK_EQ(only_frame(write_packet(other.streams)), only_frame(stream_blocked));
    REQUIRE(other.take(MaxStreamDataFrame{.stream_id = id, .maximum_stream_data = 10}));
    lose(other.streams, stream_blocked);
    CHECK_FALSE(other.streams.has_control_frames());
  }

  // RFC 9000 §13.3
  TEST_CASE("STREAMS_BLOCKED goes again as long as it is true") {
    for (const bool unidirectional : {false, true}) {
      TransportParameters none = open_parameters();
      none.initial_max_streams_bidi = none.initial_max_streams_uni = 0;
      Server server({}, none);
      CHECK_FALSE(server.streams.open(unidirectional).has_value());
      const StreamPacket packet = write_packet(server.streams);
      CHECK_EQ(only_frame(packet).type,
               unidirectional ? FrameType::streams_blocked_uni : FrameType::streams_blocked_bidi);
      lose(server.streams, packet);
      CHECK_EQ(only_frame(write_packet(server.streams)), only_frame(packet));
      REQUIRE(server.take(MaxStreamsFrame{.unidirectional = unidirectional, .maximum_streams = 1}));
      lose(server.streams, packet);
      CHECK_FALSE(server.streams.wants_to_send());
    }
  }
}
