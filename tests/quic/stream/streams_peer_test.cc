// What the peer may say of streams, and which errors answer what it may not.
#include "quic/stream/streams.h"

#include "tests/quic/stream/support.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;
using namespace quoll::tests;
using Sending = SendStream::State;
using Receiving = ReceiveStream::State;

TEST_SUITE("quic streams: the peer") {
  // RFC 9000 §2.1, §3.2
  TEST_CASE("a stream opens with all lower-numbered ones of its kind, these first") {
    Server server;
    REQUIRE(server.take(data_frame(StreamId(8), 0, "x")));
    const auto events = events_of(server.streams);
    REQUIRE_EQ(events.size(), 4);
    for (size_t i = 0; i < 3; i++) CHECK_EQ(std::get<StreamOpened>(events[i]).stream_id, StreamId(4 * i));
    CHECK_EQ(*server.streams.receive_state(StreamId(0)), Receiving::recv);
    CHECK_EQ(*server.streams.send_state(StreamId(0)), Sending::ready);
    CHECK_EQ(server.streams.statistics().opened_by_peer, 3);
    CHECK_FALSE(server.streams.receive_state(kClientUni).has_value());
  }

  // RFC 9000 §3.2
  TEST_CASE("each frame that names a new stream of the peer's opens it") {
    const auto opens = [](const auto& frame) {
      Server server;
      REQUIRE(server.take(frame));
      return count_events<StreamOpened>(events_of(server.streams)) == 1;
    };
    CHECK(opens(data_frame(kClientBidi, 0, "")));
    CHECK(opens(ResetStreamFrame{.stream_id = kClientBidi}));
    CHECK(opens(StreamDataBlockedFrame{.stream_id = kClientBidi}));
    CHECK(opens(MaxStreamDataFrame{.stream_id = kClientBidi}));
    CHECK(opens(StopSendingFrame{.stream_id = kClientBidi}));
    CHECK(opens(data_frame(kClientUni, 0, "")));
  }

  // RFC 9000 §19.4, §19.5, §19.8, §19.10, §19.13
  TEST_CASE("a frame for the wrong direction of a stream is STREAM_STATE_ERROR") {
    Server server;
    const auto wrong = [&server](const auto& frame, uint64_t type) {
      return is_transport_error(server.take(frame), TransportError::stream_state_error, type);
    };
    (void)server.streams.open(true);
    for (const StreamId id : {kServerUni, StreamId(7)}) {  // open, and not yet
      CHECK(wrong(data_frame(id, 0, "x"), 0x0a));
      CHECK(wrong(ResetStreamFrame{.stream_id = id}, type_of(FrameType::reset_stream)));
      CHECK(wrong(StreamDataBlockedFrame{.stream_id = id}, type_of(FrameType::stream_data_blocked)));
    }
    REQUIRE(server.take(data_frame(kClientUni, 0, "")));
    for (const StreamId id : {kClientUni, StreamId(6)}) {
      CHECK(wrong(StopSendingFrame{.stream_id = id}, type_of(FrameType::stop_sending)));
      CHECK(wrong(MaxStreamDataFrame{.stream_id = id}, type_of(FrameType::max_stream_data)));
    }
  }

  // RFC 9000 §19.5, §19.8, §19.10
  TEST_CASE("a frame for a stream of ours that is not open is STREAM_STATE_ERROR") {
    Server server;
    (void)server.streams.open(false);
    const StreamId id(5);
    const auto wrong = [&server](const auto& frame, uint64_t type) {
      return is_transport_error(server.take(frame), TransportError::stream_state_error, type);
    };
    CHECK(wrong(data_frame(id, 0, "x", true), 0x0b));
    CHECK(wrong(data_frame(id, 4, "x"), 0x0e));
    CHECK(wrong(ResetStreamFrame{.stream_id = id}, type_of(FrameType::reset_stream)));
    CHECK(wrong(StopSendingFrame{.stream_id = id}, type_of(FrameType::stop_sending)));
    CHECK(wrong(MaxStreamDataFrame{.stream_id = id}, type_of(FrameType::max_stream_data)));
    CHECK(wrong(StreamDataBlockedFrame{.stream_id = id}, type_of(FrameType::stream_data_blocked)));
    CHECK(server.take(data_frame(kServerBidi, 0, "x")));
  }

  // RFC 9000 §4.6, §19.11
  TEST_CASE("a stream beyond the announced limit is STREAM_LIMIT_ERROR, whatever names it") {
    StreamLimits limits;
    limits.max_bidirectional_streams = 2;
    limits.max_unidirectional_streams = 1;
    Server server(limits);
    const auto wrong = [&server](const auto& frame, uint64_t type) {
      return is_transport_error(server.take(frame), TransportError::stream_limit_error, type);
    };
    CHECK(server.take(data_frame(StreamId(4), 0, "x")));
    CHECK(server.take(data_frame(kClientUni, 0, "x")));
    CHECK(wrong(data_frame(StreamId(8), 0, "x"), 0x0a));
    CHECK(wrong(data_frame(StreamId(6), 0, "x"), 0x0a));
    CHECK(wrong(ResetStreamFrame{.stream_id = StreamId(8)}, type_of(FrameType::reset_stream)));
    CHECK(wrong(StopSendingFrame{.stream_id = StreamId(8)}, type_of(FrameType::stop_sending)));
    CHECK(wrong(MaxStreamDataFrame{.stream_id = StreamId(8)}, type_of(FrameType::max_stream_data)));
    CHECK(wrong(StreamDataBlockedFrame{.stream_id = StreamId(8)}, type_of(FrameType::stream_data_blocked)));
    CHECK(wrong(data_frame(StreamId((uint64_t{1} << 62) - 4), 0, "x"), 0x0a));
  }

  // RFC 9000 §3.2
  TEST_CASE("frames for forgotten streams are ignored") {
    Server server;
    REQUIRE(server.take(data_frame(kClientUni, 0, "", true)));
    CHECK(read_all(server.streams, kClientUni).fin);
    events_of(server.streams);
    REQUIRE_FALSE(server.streams.has_open_streams());
    CHECK(server.take(data_frame(kClientUni, 0, "late")));
    CHECK(server.take(ResetStreamFrame{.stream_id = kClientUni}));
    CHECK(server.take(StreamDataBlockedFrame{.stream_id = kClientUni}));
    CHECK_FALSE(server.streams.has_open_streams());
    CHECK(events_of(server.streams).empty());
    const StreamId id = *server.streams.open(true);
    REQUIRE(server.streams.reset(id, kCode));
    const StreamPacket packet = write_packet(server.streams);
    acknowledge(server.streams, packet);
    REQUIRE_FALSE(server.streams.has_open_streams());
    CHECK(server.take(StopSendingFrame{.stream_id = id}));
    CHECK(server.take(MaxStreamDataFrame{.stream_id = id, .maximum_stream_data = 5}));
    lose(server.streams, packet);
    acknowledge(server.streams, packet);
    CHECK_FALSE(server.streams.wants_to_send());
  }

  // RFC 9000 §4.5
  TEST_CASE("a final size that changes or is passed closes the connection, by STREAM and by RESET_STREAM") {
    const auto refuses = [](const auto& frame, uint64_t type) {
      Server server;
      REQUIRE(server.take(data_frame(kClientBidi, 4, "ef")));
      REQUIRE(server.take(data_frame(kClientBidi, 8, "ij", true)));
      return is_transport_error(server.take(frame), TransportError::final_size_error, type);
    };
    CHECK(refuses(data_frame(kClientBidi, 10, "k"), 0x0e));
    CHECK(refuses(data_frame(kClientBidi, 10, "k", true), 0x0f));
    CHECK(refuses(data_frame(kClientBidi, 0, "a", true), 0x0b));
    CHECK(refuses(ResetStreamFrame{.stream_id = kClientBidi, .final_size = 9}, type_of(FrameType::reset_stream)));
    CHECK(refuses(ResetStreamFrame{.stream_id = kClientBidi, .final_size = 11}, type_of(FrameType::reset_stream)));
    CHECK_FALSE(refuses(ResetStreamFrame{.stream_id = kClientBidi, .final_size = 10}, 0));
    Server server;
    REQUIRE(server.take(data_frame(kClientBidi, 4, "ef")));
    CHECK(is_transport_error(server.take(ResetStreamFrame{.stream_id = kClientBidi, .final_size = 5}),
                             TransportError::final_size_error, type_of(FrameType::reset_stream)));
  }

  // RFC 9000 §4.1, §19.9, §19.10
  TEST_CASE("data beyond a limit of the stream or the connection is FLOW_CONTROL_ERROR") {
    StreamLimits limits;
    limits.initial_stream_window = 10;
    limits.initial_connection_window = 15;
    const auto refuses = [&limits](const auto& frame, uint64_t type) {
      Server server(limits);
      REQUIRE(server.take(data_frame(StreamId(4), 0, repeat(8))));
      return is_transport_error(server.take(frame), TransportError::flow_control_error, type);
    };
    CHECK(refuses(data_frame(StreamId(4), 10, "x"), 0x0e));
    CHECK(refuses(data_frame(StreamId(4), 11, "", true), 0x0f));
    CHECK(refuses(ResetStreamFrame{.stream_id = StreamId(4), .final_size = 11}, 4));
    CHECK(refuses(data_frame(StreamId(8), 7, "x"), 0x0e));
    CHECK(refuses(ResetStreamFrame{.stream_id = StreamId(8), .final_size = 8}, 4));
    CHECK_FALSE(refuses(data_frame(StreamId(8), 6, "x"), 0));
    CHECK_FALSE(refuses(ResetStreamFrame{.stream_id = StreamId(8), .final_size = 7}, 0));
    CHECK_FALSE(refuses(data_frame(StreamId(4), 0, repeat(10)), 0));
  }

  // RFC 9000 §2.2
  TEST_CASE("data that would leave too many gaps is refused; nothing changes, and it can come again") {
    StreamLimits limits;
    Server server(limits);
    uint64_t offset = 1;
    while (!server.streams.take_refusal()) {
      REQUIRE(server.take(data_frame(kClientUni, offset, "x")));
      offset += 2;
      REQUIRE_LT(offset, 10'000);
    }
    CHECK_FALSE(server.streams.take_refusal());
    const uint64_t received = server.streams.statistics().bytes_received;
    REQUIRE(server.take(data_frame(kClientUni, 0, "x")));
    CHECK_FALSE(server.streams.take_refusal());
    CHECK_EQ(server.streams.statistics().bytes_received, received + 1);
    REQUIRE(server.take(data_frame(kClientUni, offset - 2, "x")));
    CHECK_FALSE(server.streams.take_refusal());
  }
}
