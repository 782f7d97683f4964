// Flow control and numbers of streams, from both sides.
#include "quic/stream/streams.h"

#include "tests/quic/stream/support.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;
using namespace quoll::tests;

TEST_SUITE("quic streams: limits") {
  // RFC 9000 §4.6
  TEST_CASE("a limit counts from when it is sent, and ends of streams raise it in batches") {
    StreamLimits limits;
    limits.max_unidirectional_streams = 8;
    Server server(limits);
    for (uint64_t i = 0; i < 8; i++) {
      REQUIRE(server.take(data_frame(StreamId(4 * i + 2), 0, "", true)));
      CHECK(read_all(server.streams, StreamId(4 * i + 2)).fin);
      CHECK_EQ(server.streams.statistics().open, 1);  // StreamOpened waits
      events_of(server.streams);
      CHECK_EQ(server.streams.has_control_frames(), i >= 1);
    }
    CHECK(is_transport_error(server.take(data_frame(StreamId(34), 0, "")), TransportError::stream_limit_error, 0x0a));
    const auto frames = sent_frames(server.streams);
    REQUIRE_EQ(frames.size(), 1);
    CHECK_EQ(frames[0], CollectedFrame{FrameType::max_streams_uni, {16}, {}});
    CHECK(server.take(data_frame(StreamId(34), 0, "")));
  }

  // RFC 9000 §4.1, §4.6
  TEST_CASE("limits of streams and the credit of one are there to be asked for") {
    StreamLimits limits;
    limits.max_bidirectional_streams = 7;
    limits.initial_stream_window = 1000;
    limits.initial_connection_window = 1500;
    StreamsPair pair(limits);
    CHECK_EQ(pair.server.stream_limit(Role::client, false), 7);
    CHECK_EQ(pair.client.stream_limit(Role::client, false), 7);
    const StreamId first = *pair.client.open(true), second = *pair.client.open(true);
    CHECK_EQ(pair.client.send_credit(first), 1000);
    write_all(pair.client, first, repeat(300));
    CHECK_EQ(pair.client.send_credit(first), 700);
    CHECK_EQ(pair.client.send_credit(second), 1000);
    REQUIRE(pair.exchange());
    write_all(pair.client, second, repeat(700));
    CHECK_EQ(pair.client.send_credit(second), 300);
    REQUIRE(pair.exchange());
    CHECK_EQ(pair.client.send_credit(first), 500);  // of the connection
    REQUIRE(pair.client.finish(second));
    CHECK_EQ(pair.client.send_credit(second), 0);
    CHECK_EQ(pair.client.send_credit(StreamId(3)), 0);
  }

  // RFC 9000 §4.6, §19.14
  TEST_CASE("open() keeps to the peer's limit and says STREAMS_BLOCKED once for it") {
    StreamLimits limits;
    Streams client(Role::client, limits);
    CHECK_FALSE(client.open(false).has_value());
    TransportParameters peers = open_parameters();
    peers.initial_max_streams_bidi = 1;
    client.set_peer_parameters(peers);
    auto events = events_of(client);
    REQUIRE_EQ(events.size(), 1);
    CHECK_FALSE(std::get<StreamsAvailable>(events[0]).unidirectional);
    CHECK_FALSE(client.has_control_frames());  // no longer true
    CHECK(client.open(false).has_value());
    CHECK_FALSE(client.open(false).has_value());
    CHECK_FALSE(client.open(false).has_value());
    const auto frames = sent_frames(client);
    REQUIRE_EQ(frames.size(), 1);
    CHECK_EQ(frames[0], CollectedFrame{FrameType::streams_blocked_bidi, {1}, {}});
    CHECK_FALSE(client.open(false).has_value());
    CHECK_FALSE(client.has_control_frames());
    // RFC 9000 §4.6: a limit that does not grow is ignored.
    REQUIRE(deliver_frame(client, MaxStreamsFrame{.maximum_streams = 1}));
    CHECK(events_of(client).empty());
    REQUIRE(deliver_frame(client, MaxStreamsFrame{.maximum_streams = 2}));
    CHECK_EQ(count_events<StreamsAvailable>(events_of(client)), 1);
    CHECK_EQ(*client.open(false), StreamId(4));
    REQUIRE(deliver_frame(client, MaxStreamsFrame{.maximum_streams = 1}));
    CHECK_FALSE(client.open(false).has_value());
  }

  TEST_CASE("our own limit on open streams holds whatever the peer allows") {
    StreamLimits limits;
    limits.max_own_streams = 2;
    StreamsPair pair(limits);
    const StreamId id = *pair.client.open(true);
    CHECK(pair.client.open(false).has_value());
    CHECK_FALSE(pair.client.open(true).has_value());
    CHECK_FALSE(pair.client.has_control_frames());  // the peer is not to blame
    CHECK(events_of(pair.client).empty());
    REQUIRE(pair.client.finish(id));
    REQUIRE(pair.exchange());
    const auto events = events_of(pair.client);
    CHECK_EQ(count_events<StreamsAvailable>(events), 1);
    CHECK(pair.client.open(true).has_value());
  }

  // RFC 9000 §4.1, §4.2
  TEST_CASE("reading extends the windows, and connection credit comes back for what was thrown away") {
    StreamLimits limits;
    limits.initial_stream_window = limits.max_stream_window = 1000;
    limits.initial_connection_window = limits.max_connection_window = 1500;
    StreamsPair pair(limits);
    const StreamId id = *pair.client.open(true);
    write_all(pair.client, id, repeat(50'000));
    REQUIRE(pair.client.finish(id));
    std::string text;
    for (bool fin = false; !fin;) {
      REQUIRE(pair.exchange());
      CHECK_FALSE(pair.client.wants_to_send());
      const ReadAll part = read_all(pair.server, id);
      REQUIRE_LE(part.text.size(), 1000);
      REQUIRE_FALSE(part.text.empty());
      text += part.text;
      fin = part.fin;
    }
    CHECK_EQ(text.size(), 50'000);
    // Thousands of bytes that nobody reads, on streams that are reset.
    for (int i = 0; i < 20; i++) {
      const StreamId other = *pair.client.open(true);
      write_all(pair.client, other, repeat(1000));
      REQUIRE(pair.exchange());
      CHECK_EQ(pair.client.statistics().bytes_sent, 50'000 + 1000 * (i + 1));
      REQUIRE(pair.client.reset(other, kCode));
      REQUIRE(pair.exchange());
      events_of(pair.server);
      REQUIRE(pair.exchange());
    }
    CHECK_EQ(events_of(pair.client).size(), 1);
    CHECK_FALSE(pair.client.has_open_streams());
    CHECK_FALSE(pair.server.has_open_streams());
  }

  // RFC 9000 §4.1, §19.12, §19.13
  TEST_CASE("who is blocked says so once for each limit") {
    TransportParameters peers = open_parameters();
    peers.initial_max_data = 15;
    peers.initial_max_stream_data_uni = 10;
    Server server({}, peers);
    const StreamId a = *server.streams.open(true), b = *server.streams.open(true);
    write_all(server.streams, a, repeat(100));
    CHECK_EQ(frames_of(write_packet(server.streams, 1200, Write::data)).size(), 1);
    CHECK_FALSE(server.streams.has_data());
    auto frames = frames_of(write_packet(server.streams, 1200, Write::control));
    REQUIRE_EQ(frames.size(), 1);
    CHECK_EQ(frames[0], CollectedFrame{FrameType::stream_data_blocked, {a.value(), 10}, {}});
    write_all(server.streams, b, repeat(100));
    frames = sent_frames(server.streams);
    REQUIRE_EQ(frames.size(), 1);
    CHECK_EQ(frames[0].bytes.size(), 5);
    frames = sent_frames(server.streams);
    REQUIRE_EQ(frames.size(), 1);
    CHECK_EQ(frames[0], CollectedFrame{FrameType::data_blocked, {15}, {}});
    write_all(server.streams, b, repeat(100));
    CHECK_FALSE(server.streams.wants_to_send());
    REQUIRE(server.take(MaxDataFrame{.maximum_data = 15}));
    CHECK_FALSE(server.streams.wants_to_send());
    REQUIRE(server.take(MaxDataFrame{.maximum_data = 1000}));
    REQUIRE(server.streams.has_data());
    CHECK_FALSE(server.streams.has_control_frames());
    frames = sent_frames(server.streams);
    REQUIRE_EQ(frames.size(), 1);
    CHECK_EQ(frames[0].bytes.size(), 5);
    frames = sent_frames(server.streams);
    REQUIRE_EQ(frames.size(), 1);
    CHECK_EQ(frames[0], CollectedFrame{FrameType::stream_data_blocked, {b.value(), 10}, {}});
    REQUIRE(server.take(MaxStreamDataFrame{.stream_id = b, .maximum_stream_data = 20}));
    CHECK_EQ(sent_frames(server.streams)[0].bytes.size(), 10);
    server.streams.check_invariants();
  }

  // RFC 9000 §4.1
  TEST_CASE("a peer that says that it waits gets credit that was only being collected") {
    StreamLimits limits;
    limits.initial_stream_window = 1000;
    limits.initial_connection_window = 2000;
    limits.max_unidirectional_streams = 8;
    Server server(limits);
    REQUIRE(server.take(data_frame(kClientUni, 0, repeat(10))));
    CHECK_EQ(read_all(server.streams, kClientUni).text.size(), 10);
    CHECK_FALSE(server.streams.wants_to_send());
    REQUIRE(server.take(StreamDataBlockedFrame{.stream_id = kClientUni, .maximum_stream_data = 1000}));
    REQUIRE(server.take(DataBlockedFrame{.maximum_data = 2000}));
    auto frames = sent_frames(server.streams);
    REQUIRE_EQ(frames.size(), 2);
    CHECK_EQ(frames[0], CollectedFrame{FrameType::max_data, {2010}, {}});
    CHECK_EQ(frames[1], CollectedFrame{FrameType::max_stream_data, {2, 1010}, {}});
    REQUIRE(server.take(data_frame(kClientUni, 10, "", true)));
    CHECK(read_all(server.streams, kClientUni).fin);
    events_of(server.streams);
    CHECK_FALSE(server.streams.wants_to_send());
    REQUIRE(server.take(StreamsBlockedFrame{.unidirectional = true, .maximum_streams = 8}));
    frames = sent_frames(server.streams);
    REQUIRE_EQ(frames.size(), 1);
    CHECK_EQ(frames[0], CollectedFrame{FrameType::max_streams_uni, {9}, {}});
    REQUIRE(server.take(StreamsBlockedFrame{.unidirectional = true, .maximum_streams = 8}));
    REQUIRE(server.take(DataBlockedFrame{.maximum_data = 2000}));
    CHECK_FALSE(server.streams.wants_to_send());
  }

  // RFC 9000 §4.2
  TEST_CASE("windows grow when they are consumed fast, the connection's to 1.5 times the largest stream's") {
    StreamLimits limits;
    limits.initial_stream_window = 10'000;
    limits.max_stream_window = 80'000;
    limits.initial_connection_window = 15'000;
    limits.max_connection_window = 200'000;
    StreamsPair pair(limits);
    pair.server.set_smoothed_rtt(Duration::milliseconds(100));
    const StreamId id = *pair.client.open(true);
    uint64_t stream_limit = 0, connection_limit = 0, read = 0;
    for (int i = 0; i < 60; i++) {
      const Instant now = Instant() + Duration::milliseconds(50) * i;
      (void)pair.client.write(id, as_bytes(repeat(200'000)));
      for (StreamPacket packet = write_packet(pair.client); !packet.bytes.empty(); packet = write_packet(pair.client)) {
        REQUIRE(deliver(pair.server, packet, now));
        acknowledge(pair.client, packet);
      }
      read += read_all(pair.server, id).text.size();
      const StreamPacket packet = write_packet(pair.server);
      for (const CollectedFrame& frame : frames_of(packet)) {
        if (frame.type == FrameType::max_data) connection_limit = frame.numbers[0];
        if (frame.type == FrameType::max_stream_data) stream_limit = frame.numbers[1];
      }
      REQUIRE(deliver(pair.client, packet, now));
    }
    CHECK_GE(stream_limit - read, 40'000);
    CHECK_LE(stream_limit - read, 80'000);
    CHECK_GE(connection_limit - read, 60'000);
    CHECK_LE(connection_limit - read, 200'000);
  }
}
