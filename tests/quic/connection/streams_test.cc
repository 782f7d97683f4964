// Streams and flow control, seen on the wire (RFC 9000 §2, §3, §4, §19.4 to §19.14).
#include <map>
#include <set>

#include "tests/quic/connection/stage.h"

#include <doctest/doctest.h>

namespace quoll::quic::tests {
namespace {

using T = FrameType;

StreamId bidi(Role opened_by, uint64_t index = 0) { return StreamId(opened_by, false, index); }
StreamId uni(Role opened_by, uint64_t index = 0) { return StreamId(opened_by, true, index); }

/// How an endpoint closes for frames of its peer; the endpoint itself has opened one stream of each kind.
bool closes(Role role, const Data& with, TransportError code) {
  Stage s(role);
  if (!s.handshake()) return false;
  for (const bool one_way : {false, true}) {
    const auto id = s.streams().open(one_way);
    if (!id || !s.streams().write(*id, Data{1})) return false;
  }
  s.drain();
  s.send({.frames = with});
  return s.closed_with(code);
}

/// The largest end of data that each stream sent.
std::map<uint64_t, uint64_t> stream_ends(const Stage& s) {
  std::map<uint64_t, uint64_t> ends;
  for (const CollectedFrame& f : s.all(T::stream)) {
    uint64_t& end = ends[f.numbers[0]];
    end = std::max(end, f.numbers[1] + f.bytes.size());
  }
  return ends;
}

constexpr Role kBoth[] = {Role::client, Role::server};

}  // namespace

TEST_SUITE("quic connection: streams") {
  // RFC 9000 §19.4, §19.5, §19.8, §19.10, §19.13
  TEST_CASE("frames for a stream that cannot have them are STREAM_STATE_ERROR") {
    for (const Role role : kBoth) {
      CAPTURE(static_cast<int>(role));
      const Role peer = other(role);
      const auto wrong = [&](const auto& frame) {
        return closes(role, frames(frame), TransportError::stream_state_error);
      };
      // Send-only for us, or ours and not opened.
      CHECK(wrong(ResetStreamFrame{.stream_id = uni(role)}));
      CHECK(wrong(StreamFrame{.stream_id = uni(role)}));
      CHECK(wrong(StreamFrame{.stream_id = bidi(role, 1)}));
      CHECK(wrong(StreamDataBlockedFrame{.stream_id = uni(role)}));
      CHECK(wrong(StopSendingFrame{.stream_id = bidi(role, 1)}));
      CHECK(wrong(StopSendingFrame{.stream_id = uni(role, 1)}));
      CHECK(wrong(MaxStreamDataFrame{.stream_id = bidi(role, 1), .maximum_stream_data = 1}));
      CHECK(wrong(MaxStreamDataFrame{.stream_id = uni(role, 1), .maximum_stream_data = 1}));
      // Receive-only for us.
      CHECK(wrong(StopSendingFrame{.stream_id = uni(peer)}));
      CHECK(wrong(MaxStreamDataFrame{.stream_id = uni(peer), .maximum_stream_data = 1}));
    }
  }

  // RFC 9000 §4.1, §19.9, §19.10
  TEST_CASE("data beyond a limit of a stream or of the connection is FLOW_CONTROL_ERROR") {
    for (const Role role : kBoth) {
      const auto refused = [role](const Data& with, uint64_t stream_window, uint64_t connection_window) {
        Stage s(role);
        s.transport.streams.initial_stream_window = stream_window;
        s.transport.streams.initial_connection_window = connection_window;
        REQUIRE(s.handshake());
        s.send({.frames = with});
        return s.closed_with(TransportError::flow_control_error);
      };
      const StreamId id = bidi(other(role));
      const Data byte = {1};
      CHECK(refused(frames(StreamFrame{.stream_id = id, .offset = 1000, .data = byte}), 1000, 5000));
      CHECK(refused(frames(StreamFrame{.stream_id = uni(other(role)), .offset = 1000, .data = byte}), 1000, 5000));
      CHECK_FALSE(refused(frames(StreamFrame{.stream_id = id, .offset = 999, .data = byte}), 1000, 5000));
      CHECK(refused(frames(StreamFrame{.stream_id = id, .offset = 1000, .data = byte}), 5000, 1000));
      CHECK(refused(frames(ResetStreamFrame{.stream_id = id, .final_size = 1001}), 1000, 5000));
      CHECK(refused(frames(ResetStreamFrame{.stream_id = id, .final_size = 1001}), 5000, 1000));
    }
  }

  // RFC 9000 §4.5
  TEST_CASE("the final size of a stream that was reset counts against the connection's limit") {
    Stage s(Role::server);
    s.transport.streams.initial_stream_window = 8000;
    s.transport.streams.initial_connection_window = 10'000;
    REQUIRE(s.handshake());
    s.send_frames(ResetStreamFrame{.stream_id = uni(Role::client), .final_size = 6000});
    s.advance(Duration::milliseconds(100));
    uint64_t limit = 10'000;
    for (const CollectedFrame& f : s.all(T::max_data)) limit = std::max(limit, f.numbers[0]);
    // Over several streams, so that no stream's own limit is in the way: exactly what is left is taken.
    uint64_t left = limit - 6000;
    for (uint64_t index = 1; left != 0; index++) {
      const uint64_t size = std::min<uint64_t>(left, 8000);
      s.send_frames(StreamFrame{.stream_id = uni(Role::client, index), .offset = size - 1, .data = Data{1}});
      left -= size;
    }
    CHECK_FALSE(s.close());
    s.send_frames(StreamFrame{.stream_id = uni(Role::client, 90), .offset = 0, .data = Data{1}});
    CHECK(s.closed_with(TransportError::flow_control_error));
  }

  // RFC 9000 §4.6, §19.11
  TEST_CASE("a stream beyond the limit is STREAM_LIMIT_ERROR") {
    for (const Role role : kBoth) {
      for (const bool one_way : {false, true}) {
        Stage s(role);
        s.transport.streams.max_bidirectional_streams = s.transport.streams.max_unidirectional_streams = 5;
        REQUIRE(s.handshake());
        s.send_frames(StreamFrame{.stream_id = StreamId(other(role), one_way, 4), .data = Data{1}});
        CHECK_FALSE(s.close());
        s.send_frames(StreamFrame{.stream_id = StreamId(other(role), one_way, 5), .data = Data{1}});
        CHECK(s.closed_with(TransportError::stream_limit_error));
      }
    }
  }

  // RFC 9000 §4.6, §19.11
  TEST_CASE("a count of streams that no stream id can say is FRAME_ENCODING_ERROR") {
    for (const Role role : kBoth) {
      CHECK(closes(role, Data{0x12, 0xd0, 0, 0, 0, 0, 0, 0, 1}, TransportError::frame_encoding_error));
      CHECK(closes(role, Data{0x13, 0xd0, 0, 0, 0, 0, 0, 0, 1}, TransportError::frame_encoding_error));
    }
  }

  // RFC 9000 §2.1, §4.6, §19.11
  TEST_CASE("streams are opened up to the peer's limit, each id once, and lower limits change nothing") {
    for (const Role role : kBoth) {
      Stage s(role);
      s.options.parameters.initial_max_streams_bidi = 3;
      s.options.parameters.initial_max_streams_uni = 2;
      REQUIRE(s.handshake());
      std::set<uint64_t> ids;
      const auto open_all = [&](bool one_way) {
        size_t count = 0;
        while (const auto id = s.streams().open(one_way)) {
          CHECK(ids.insert(id->value()).second);
          CHECK(s.streams().write(*id, Data{1}));
          count++;
        }
        s.drain();
        return count;
      };
      CHECK_EQ(open_all(false), 3);
      CHECK_EQ(open_all(true), 2);
      s.advance(Duration::milliseconds(100));
      s.send_frames(MaxStreamsFrame{.unidirectional = false, .maximum_streams = 2});
      CHECK_EQ(open_all(false), 0);
      s.send_frames(MaxStreamsFrame{.unidirectional = false, .maximum_streams = 5});
      s.send_frames(MaxStreamsFrame{.unidirectional = false, .maximum_streams = 4});
      CHECK_EQ(open_all(false), 2);
      CHECK_FALSE(s.close());
      for (const auto& [id, end] : stream_ends(s)) CHECK(ids.contains(id));
    }
  }

  // RFC 9000 §2.2, §4.1, §19.9, §19.10
  TEST_CASE("a sender keeps to the limits of streams and connection, and lower limits change nothing") {
    for (const Role role : kBoth) {
      Stage s(role);
      s.options.parameters.initial_max_data = 1500;
      s.options.parameters.initial_max_stream_data_bidi_local = 1000;
      s.options.parameters.initial_max_stream_data_bidi_remote = 1000;
      REQUIRE(s.handshake());
      const Data much(5000, 7);
      const StreamId a = *s.streams().open(false), b = *s.streams().open(false);
      for (const StreamId id : {a, b}) {
        CHECK(s.streams().write(id, much));
        CHECK(s.streams().finish(id));
      }
      s.advance(Duration::milliseconds(200));
      const auto total = [&] {
        uint64_t sum = 0;
        for (const auto& [id, end] : stream_ends(s)) sum += end;
        return sum;
      };
      CHECK_EQ(stream_ends(s)[a.value()], 1000);
      CHECK_EQ(total(), 1500);
      s.send_frames(MaxDataFrame{.maximum_data = 1400}, MaxStreamDataFrame{.stream_id = b, .maximum_stream_data = 900});
      s.advance(Duration::milliseconds(200));
      CHECK_EQ(total(), 1500);
      s.send_frames(MaxDataFrame{.maximum_data = 3000});
      s.advance(Duration::milliseconds(200));
      CHECK_EQ(total(), 2000);
      s.send_frames(MaxStreamDataFrame{.stream_id = b, .maximum_stream_data = 4000},
                    MaxStreamDataFrame{.stream_id = b, .maximum_stream_data = 500});
      s.advance(Duration::milliseconds(200));
      CHECK_EQ(stream_ends(s)[b.value()], 2000);
      CHECK_EQ(total(), 3000);
    }
  }

  // RFC 9000 §4.2, §4.6
  TEST_CASE("credit for data and streams is given without being asked for") {
    for (const Role role : kBoth) {
      Stage s(role);
      s.transport.streams.initial_stream_window = 4000;
      s.transport.streams.initial_connection_window = 4000;
      s.transport.streams.max_bidirectional_streams = 4;
      REQUIRE(s.handshake());
      for (uint64_t i = 0; i < 4; i++) {
        const StreamId id = bidi(other(role), i);
        s.send_frames(StreamFrame{.stream_id = id, .data = Data(900, 1), .fin = true});
        while (true) {
          const auto chunk = s.streams().read(id);
          if (!chunk || !*chunk) break;
          if ((*chunk)->fin) break;
        }
        CHECK(s.streams().finish(id));
        s.drain();
        s.advance(Duration::milliseconds(100));
      }
      REQUIRE(s.find(T::max_data));
      CHECK_GT(s.find(T::max_data)->numbers[0], 4000);
      REQUIRE(s.find(T::max_streams_bidi));
      CHECK_GT(s.find(T::max_streams_bidi)->numbers[0], 4);
      // A long stream gets its own credit, too.
      const StreamId id = uni(other(role));
      s.send_frames(StreamFrame{.stream_id = id, .data = Data(1100, 1)});
      s.send_frames(StreamFrame{.stream_id = id, .offset = 1100, .data = Data(1100, 1)});
      while (true) {
        const auto chunk = s.streams().read(id);
        if (!chunk || !*chunk) break;
      }
      s.advance(Duration::milliseconds(100));
      REQUIRE(s.find(T::max_stream_data));
      CHECK_GT(s.find(T::max_stream_data)->numbers[1], 4000);
    }
  }

  // RFC 9000 §2.2
  TEST_CASE("a stream's bytes are read in order, however they come") {
    Stage s(Role::server);
    REQUIRE(s.handshake());
    const StreamId id = bidi(Role::client);
    s.send_frames(StreamFrame{.stream_id = id, .offset = 2, .data = Data{3, 4}, .fin = true});
    REQUIRE(s.event<StreamOpened>());
    CHECK_FALSE(*s.streams().read(id));
    s.send_frames(StreamFrame{.stream_id = id, .offset = 0, .data = Data{1, 2}});
    s.send_frames(StreamFrame{.stream_id = id, .offset = 1, .data = Data{2, 3}});
    Data read;
    bool fin = false;
    while (!fin) {
      const auto chunk = s.streams().read(id);
      REQUIRE(chunk);
      REQUIRE(*chunk);
      const Bytes bytes = (*chunk)->data.bytes();
      read.insert(read.end(), bytes.begin(), bytes.end());
      fin = (*chunk)->fin;
    }
    CHECK(read == Data{1, 2, 3, 4});
  }

  // RFC 9000 §3.2
  TEST_CASE("a stream brings the lower ones of its kind into being") {
    for (const Role role : kBoth) {
      Stage s(role);
      REQUIRE(s.handshake());
      s.send_frames(StreamFrame{.stream_id = bidi(other(role), 2), .data = Data{1}});
      std::set<uint64_t> opened;
      for (const EndpointEvent& e : s.events) {
        const auto* general = std::get_if<Event>(&e.event);
        if (const auto* event = general ? std::get_if<StreamOpened>(general) : nullptr) {
          opened.insert(event->stream_id.value());
        }
      }
      for (uint64_t i = 0; i < 3; i++) {
        CHECK(opened.contains(bidi(other(role), i).value()));
        CHECK(s.streams().write(bidi(other(role), i), Data{1}));  // usable at once
      }
    }
  }

  // RFC 9000 §3.3, §3.5, §4.5
  TEST_CASE("STOP_SENDING is answered by RESET_STREAM, after which the stream sends nothing") {
    for (const Role role : kBoth) {
      Stage s(role);
      s.options.parameters.initial_max_stream_data_bidi_local = 1000;
      s.options.parameters.initial_max_stream_data_bidi_remote = 1000;
      REQUIRE(s.handshake());
      const StreamId id = *s.streams().open(false);
      CHECK(s.streams().write(id, Data(3000, 1)));
      s.drain();
      s.send_frames(StopSendingFrame{.stream_id = id, .application_error_code = 77});
      const CollectedFrame* reset = s.find(T::reset_stream);
      REQUIRE(reset);
      CHECK(reset->numbers == std::vector<uint64_t>{id.value(), 77, 1000});
      const size_t before = s.seen();
      s.send_frames(MaxStreamDataFrame{.stream_id = id, .maximum_stream_data = 5000});
      s.advance(Duration::seconds(1));
      CHECK(s.all(T::stream, before).empty());
      CHECK(s.all(T::stream_data_blocked, before).empty());
      CHECK_EQ(stream_ends(s)[id.value()], 1000);
    }
  }

  // RFC 9000 §3.3
  TEST_CASE("a stream in a terminal state sends nothing more") {
    Stage s(Role::client);
    REQUIRE(s.handshake());
    const StreamId done = *s.streams().open(true), gone = *s.streams().open(true);
    CHECK(s.streams().write(done, Data{1}));
    CHECK(s.streams().finish(done));
    CHECK(s.streams().write(gone, Data{1}));
    CHECK(s.streams().reset(gone, ApplicationErrorCode{1}));
    s.advance(Duration::milliseconds(200));  // both are acknowledged
    const size_t before = s.seen();
    s.send_frames(StopSendingFrame{.stream_id = done}, StopSendingFrame{.stream_id = gone},
                  MaxStreamDataFrame{.stream_id = done, .maximum_stream_data = 1 << 20},
                  MaxStreamDataFrame{.stream_id = gone, .maximum_stream_data = 1 << 20});
    s.advance(Duration::seconds(1));
    for (const T type : {T::stream, T::reset_stream, T::stream_data_blocked}) CHECK(s.all(type, before).empty());
    CHECK_FALSE(s.close());
  }

  // RFC 9000 §4.4
  TEST_CASE("a reset of one direction leaves flow control of the other") {
    Stage s(Role::server);
    s.options.parameters.initial_max_stream_data_bidi_local = 1000;
    s.transport.streams.initial_stream_window = 1000;
    REQUIRE(s.handshake());
    const StreamId id = bidi(Role::client);
    s.send_frames(ResetStreamFrame{.stream_id = id, .application_error_code = 1, .final_size = 10});
    CHECK(s.streams().write(id, Data(3000, 1)));
    s.advance(Duration::milliseconds(100));
    CHECK_EQ(stream_ends(s)[id.value()], 1000);
    s.send_frames(MaxStreamDataFrame{.stream_id = id, .maximum_stream_data = 2000});
    s.advance(Duration::milliseconds(100));
    CHECK_EQ(stream_ends(s)[id.value()], 2000);
    // And the other way round: our reset does not lift the limit of what comes.
    const StreamId second = bidi(Role::client, 1);
    s.send_frames(StreamFrame{.stream_id = second, .data = Data{1}});
    CHECK(s.streams().reset(second, ApplicationErrorCode{1}));
    s.drain();
    s.send_frames(StreamFrame{.stream_id = second, .offset = 1000, .data = Data{1}});
    CHECK(s.closed_with(TransportError::flow_control_error));
  }

  // RFC 9000 §2.2, §13.3
  TEST_CASE("what is sent again is the same: RESET_STREAM, and the bytes of each offset") {
    Stage s(Role::server);
    REQUIRE(s.handshake());
    s.puppet->acknowledges = false;
    const StreamId kept = *s.streams().open(true), reset = *s.streams().open(true);
    Data data(3000);
    for (size_t i = 0; i < data.size(); i++) data[i] = static_cast<uint8_t>(i * 7 + i / 256);
    CHECK(s.streams().write(kept, data));
    CHECK(s.streams().write(reset, Data(500, 1)));
    s.drain();
    CHECK(s.streams().reset(reset, ApplicationErrorCode{9}));
    s.drain();
    s.advance(Duration::seconds(3));
    const PacketNumber last = s.puppet->packets().back().number;
    s.send({.frames = ack_of({{last, last + 1}})});
    s.advance(Duration::seconds(1));
    const auto resets = s.all(T::reset_stream);
    REQUIRE_GE(resets.size(), 2);
    for (const CollectedFrame& f : resets) CHECK(f == resets[0]);
    size_t bytes = 0;
    for (const CollectedFrame& f : s.all(T::stream)) {
      if (f.numbers[0] != kept.value()) continue;
      for (size_t i = 0; i < f.bytes.size(); i++) CHECK_EQ(f.bytes[i], data[f.numbers[1] + i]);
      bytes += f.bytes.size();
    }
    CHECK_GT(bytes, data.size());
  }

  // RFC 9000 §11.2
  TEST_CASE("nothing but the application, or the peer's STOP_SENDING, resets a stream") {
    Stage s(Role::server);
    REQUIRE(s.handshake());
    const StreamId id = bidi(Role::client);
    s.send_frames(StreamFrame{.stream_id = id, .data = Data{1}});
    CHECK(s.streams().write(id, Data(2000, 1)));
    s.drain();
    s.send_frames(ResetStreamFrame{.stream_id = id, .application_error_code = 3, .final_size = 1});
    s.puppet->acknowledges = false;
    s.advance(Duration::seconds(2));
    CHECK(s.all(T::reset_stream).empty());
    CHECK(s.all(T::stop_sending).empty());
  }
}

}  // namespace quoll::quic::tests
