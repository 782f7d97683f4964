// Streams as a weapon: fragments, churn, limits and offsets at the edge (RFC 9000 §2, §4, §21.6, §21.7, §21.8).
#include "quic/stream/receive_buffer.h"
#include "tests/quic/attacks/attack.h"

#include <doctest/doctest.h>

namespace quoll::quic::tests {
namespace {

using T = FrameType;

StreamId of_peer(const Attack& s, bool one_way, uint64_t index) { return StreamId(s.puppet->role(), one_way, index); }

/// An application that reads all, and answers a bidirectional stream by its end; resets are noted by reading.
void serve(Attack& s) {
  s.on_event = [&s](const Event& event) {
    const auto* readable = std::get_if<StreamReadable>(&event);
    const auto* opened = std::get_if<StreamOpened>(&event);
    const auto* reset = std::get_if<StreamReset>(&event);
    if (!readable && !opened && !reset) return;
    const StreamId id = readable ? readable->stream_id : opened ? opened->stream_id : reset->stream_id;
    if (!s.connection()) return;
    for (;;) {
      const auto chunk = s.streams().read(id);
      if (!chunk || !*chunk || (*chunk)->fin) break;
    }
    if (!id.is_unidirectional()) (void)s.streams().finish(id);
  };
}

}  // namespace

TEST_SUITE("quic attacks: streams") {
  // RFC 9000 §21.8
  TEST_CASE("one-byte fragments in order cost a bounded multiple of the bytes that wait") {
    for (const Role role : kBothRoles) {
      Attack s(role);
      REQUIRE(s.handshake());
      s.mark();
      uint64_t at = 0;
      for (; at < 20'000;) {
        Data out;
        for (int i = 0; i < 100; i++, at++) {
          out = out + frames(StreamFrame{.stream_id = of_peer(s, true, 0), .offset = at, .data = Data{1}});
        }
        s.hit_with({.frames = out});
      }
      CHECK(s.is_open());
      CHECK_LE(s.heap, static_cast<int64_t>(kPinnedFactorMax * at + kReceiveSlack));
      s.mark();
      size_t read = 0;
      while (const auto chunk = *s.streams().read(of_peer(s, true, 0))) read += chunk->data.size();
      CHECK_EQ(read, 20'000);
    }
  }

  // RFC 9000 §21.8
  TEST_CASE("one-byte fragments with gaps: memory is bounded, what is too much is not acknowledged, nothing is lost") {
    for (const Role role : kBothRoles) {
      Attack s(role);
      REQUIRE(s.handshake());
      s.mark();
      const StreamId id = of_peer(s, true, 0);
      for (uint64_t at = 1; at < 20'000;) {
        Data out;
        for (int i = 0; i < 100; i++, at += 2) {
          out = out + frames(StreamFrame{.stream_id = id, .offset = at, .data = Data{1}});
        }
        s.hit_with({.frames = out});
      }
      CHECK(s.is_open());
      CHECK_LE(s.heap, static_cast<int64_t>(kReceiveSlack + 16 * 1024));
      CHECK_LE(s.datagrams_out, s.blows);
      // The stream goes on for an honest sender.
      for (uint64_t at = 0; at < 20'000; at += 1000) {
        s.hit_frames(StreamFrame{.stream_id = id, .offset = at, .data = Data(1000, 1)});
      }
      size_t read = 0;
      while (const auto chunk = *s.streams().read(id)) read += chunk->data.size();
      CHECK_EQ(read, 20'000);
    }
  }

  // RFC 9000 §21.8, §4.1
  TEST_CASE("fragments with gaps on all streams at once stay within what the connection's window allows") {
    for (const Role role : kBothRoles) {
      Attack s(role);
      s.transport.streams.max_unidirectional_streams = 100;
      REQUIRE(s.handshake());
      s.mark();
      for (uint64_t stream = 0; stream < 100; stream++) {
        for (uint64_t at = 1; at < 2 * kReceiveGapsMax;) {
          Data out;
          for (int i = 0; i < 128; i++, at += 2) {
            out = out + frames(StreamFrame{.stream_id = of_peer(s, true, stream), .offset = at, .data = Data{1}});
          }
          s.hit_with({.frames = out});
        }
      }
      CHECK(s.is_open());
      MESSAGE("100 streams of 1024 gaps each: ", s.heap, " bytes for ", s.bytes_in, " that were sent");
      // The books of a gap cost more than its byte; streams times gaps bound them.
      CHECK_LE(s.heap, static_cast<int64_t>(100 * kReceiveSlack));
      // All comes back with the streams.
      for (uint64_t stream = 0; stream < 100; stream++) {
        s.hit_frames(ResetStreamFrame{.stream_id = of_peer(s, true, stream), .final_size = 4000});
        (void)s.streams().read(of_peer(s, true, stream));
      }
      s.reply();
      s.reply();
      CHECK_LE(s.heap, kUnansweredMemory);
    }
  }

  // RFC 9000 §2.2
  TEST_CASE("the same bytes again, cut in all ways, cost nothing") {
    Attack s(Role::server);
    REQUIRE(s.handshake());
    const StreamId id = of_peer(s, true, 0);
    s.hit_frames(StreamFrame{.stream_id = id, .offset = 10, .data = Data(1000, 1)});
    for (uint64_t i = 0; i < 2000; i++) {
      if (i == 100) s.mark();
      s.hit_frames(StreamFrame{.stream_id = id, .offset = 10 + i % 900, .data = Data(1 + i % 100, 1)});
      if (i % 16 == 0) s.reply();
    }
    CHECK(s.is_open());
    CHECK_LE(s.heap, 2 * kSome);
  }

  // RFC 9000 §4.6, §21.6
  TEST_CASE("streams that are opened and ended at once, with an application that answers") {
    for (const Role role : kBothRoles) {
      for (const bool one_way : {false, true}) {
        for (const int way : {0, 1, 2, 3}) {
          CAPTURE(way);
          CAPTURE(one_way);
          Attack s(role);
          REQUIRE(s.handshake());
          serve(s);
          uint64_t index = 0, allowed = 100;
          size_t looked_at = 0;
          for (int i = 0; i < 1500 && s.is_open(); i++) {
            if (i == 700) s.mark();
            if (i % 20 == 0 || index >= allowed) s.reply();
            for (; looked_at < s.seen(); looked_at++) {
              const SeenPacket& seen = s.puppet->packets()[looked_at];
              if (const auto* f = seen.find(one_way ? T::max_streams_uni : T::max_streams_bidi)) {
                allowed = std::max(allowed, f->numbers[0]);
              }
            }
            if (index >= allowed) break;
            const StreamId id = of_peer(s, one_way, index++);
            Data out = frames(StreamFrame{.stream_id = id, .data = Data{1}, .fin = way == 1});
            if (way == 0 || way == 2) out = out + frames(ResetStreamFrame{.stream_id = id, .final_size = 1});
            if (way == 2) out = frames(ResetStreamFrame{.stream_id = id, .final_size = 0});
            if (way == 3) out = frames(StreamFrame{.stream_id = id, .fin = true});
            if (!one_way && way != 1) out = out + frames(StopSendingFrame{.stream_id = id});
            s.hit_with({.frames = out});
            s.now += Duration::milliseconds(1);
          }
          CHECK(s.is_open());
          CHECK_EQ(index, 1500);
          CHECK_LE(s.heap, 4 * kSome);
          CHECK_LE(s.datagrams_out, 2 * s.blows);
          CHECK_LE(s.connection()->statistics().streams.open, 100);
        }
      }
    }
  }

  // RFC 9000 §4.6, §21.6
  TEST_CASE("streams that are opened and reset with an application that takes no notice: the limit stays") {
    for (const Role role : kBothRoles) {
      Attack s(role);
      REQUIRE(s.handshake());
      s.polls_events = false;
      s.mark();
      for (uint64_t index = 0; index < 100; index++) {
        for (const bool one_way : {false, true}) {
          const StreamId id = of_peer(s, one_way, index);
          Data out = frames(ResetStreamFrame{.stream_id = id, .final_size = 0});
          if (!one_way) out = out + frames(StopSendingFrame{.stream_id = id});
          s.hit_with({.frames = out});
          s.reply();
        }
      }
      CHECK_LE(s.heap, 200 * 1024);
      // Again and again: nothing more.
      s.mark();
      for (uint64_t i = 0; i < 2000; i++) {
        const StreamId id = of_peer(s, i % 2 != 0, i / 2 % 100);
        Data out = frames(ResetStreamFrame{.stream_id = id, .final_size = 0});
        if (i % 2 == 0) out = out + frames(StopSendingFrame{.stream_id = id});
        s.hit_with({.frames = out});
        if (i % 16 == 0) s.reply();
      }
      CHECK(s.is_open());
      CHECK_LE(s.heap, 4 * kSome);
      CHECK_LE(s.datagrams_out, 2 * s.blows);
      CHECK_LE(s.connection()->statistics().streams.open, 200);
      s.hit_frames(StreamFrame{.stream_id = of_peer(s, false, 100), .data = Data{1}});
      CHECK(s.closed_with(TransportError::stream_limit_error));
    }
  }

  // RFC 9000 §3.5, §2.4
  TEST_CASE("STOP_SENDING for each stream that we open is answered once, and leaves nothing") {
    for (const Role role : kBothRoles) {
      Attack s(role);
      s.options.parameters.initial_max_streams_uni = 10'000;
      REQUIRE(s.handshake());
      for (int i = 0; i < 1000; i++) {
        if (i == 500) s.mark();
        const auto id = s.streams().open(true);
        REQUIRE(id);
        REQUIRE(s.streams().write(*id, Data(100, 1)));
        const size_t before = s.seen();
        s.hit_with({.frames = frames(StopSendingFrame{.stream_id = *id, .application_error_code = 7})});
        for (int again = 0; again < 3; again++) s.hit_frames(StopSendingFrame{.stream_id = *id});
        CHECK_LE(s.all(T::reset_stream, before).size(), 1);
        s.reply();
      }
      CHECK(s.is_open());
      CHECK_LE(s.heap, 4 * kSome);
      CHECK_EQ(s.connection()->statistics().streams.open, 0);
    }
  }

  // RFC 9000 §4.1, §19.9, §19.11
  TEST_CASE("floods of MAX_DATA, MAX_STREAM_DATA, MAX_STREAMS and *_BLOCKED change nothing and hold nothing") {
    for (const Role role : kBothRoles) {
      Attack s(role);
      REQUIRE(s.handshake());
      const auto id = s.streams().open(false);
      REQUIRE(id);
      REQUIRE(s.streams().write(*id, Data(10, 1)));
      s.hit_frames(PingFrame{});
      s.reply();
      for (uint64_t i = 0; i < 2000; i++) {
        if (i == 1000) s.mark();
        const uint64_t up = i < 500 ? 1 << 20 : kVarintMax - (i % 7);
        s.hit_frames(
            MaxDataFrame{up}, MaxStreamDataFrame{*id, up}, MaxStreamsFrame{false, std::min(up, kStreamCountMax)},
            MaxStreamsFrame{true, std::min(up, kStreamCountMax)}, DataBlockedFrame{i}, StreamDataBlockedFrame{*id, i},
            StreamsBlockedFrame{false, i % 100}, StreamsBlockedFrame{true, i % 100});
        if (i % 16 == 0) s.reply();
      }
      CHECK(s.is_open());
      CHECK_LE(s.heap, kSome);
      CHECK_LE(s.datagrams_out, s.blows + 10);
    }
  }

  // RFC 9000 §4.6, §2.1
  TEST_CASE("an endpoint that is allowed 2^60 streams opens as many as it allows itself") {
    Attack s(Role::client);
    s.transport.streams.max_own_streams = 50;
    REQUIRE(s.handshake());
    s.hit_frames(MaxStreamsFrame{true, kStreamCountMax}, MaxStreamsFrame{false, kStreamCountMax});
    size_t opened = 0;
    while (opened < 1000 && s.streams().open(true)) opened++;
    CHECK_LE(opened, 50);
    CHECK(s.is_open());
  }

  // RFC 9000 §4.1, §4.2
  TEST_CASE("credit of one byte at a time is one small frame at a time, and no memory") {
    for (const Role role : kBothRoles) {
      Attack s(role);
      s.options.parameters.initial_max_data = 0;
      REQUIRE(s.handshake());
      const auto id = s.streams().open(true);
      REQUIRE(id);
      static const Data block(100'000, 3);
      Slice data = Slice::of_static(block);
      REQUIRE(s.streams().write(*id, data));
      for (uint64_t i = 1; i <= 2000; i++) {
        if (i == 1000) s.mark();
        s.hit_frames(MaxDataFrame{i});
        s.reply();
        s.now += Duration::milliseconds(1);
      }
      CHECK(s.is_open());
      CHECK_EQ(s.connection()->statistics().streams.bytes_sent, 2000);
      CHECK_LE(s.heap, 2 * kSome);
      CHECK_LE(s.datagrams_out, 2 * s.blows);
    }
  }

  // RFC 9000 §4.1, §21.6
  TEST_CASE("a peer that never raises its limits is sent what they allow, and told so now and then") {
    for (const Role role : kBothRoles) {
      Attack s(role);
      s.options.parameters.initial_max_data = 1000;
      REQUIRE(s.handshake());
      const auto id = s.streams().open(true);
      REQUIRE(id);
      static const Data block(100'000, 3);
      Slice data = Slice::of_static(block);
      REQUIRE(s.streams().write(*id, data));
      s.mark();
      for (int i = 0; i < 3000; i++) {
        s.hit_frames(PingFrame{});
        s.reply();
        s.wait(Duration::milliseconds(10));
      }
      CHECK(s.is_open());
      CHECK_EQ(s.connection()->statistics().streams.bytes_sent, 1000);
      CHECK_LE(s.heap, 2 * kSome);
      CHECK_LE(s.datagrams_out, s.blows + 10);
    }
  }

  // RFC 9000 §4.1: an application that does not read
  TEST_CASE("an application that does not read holds the connection's window, whatever the peer tries") {
    for (const Role role : kBothRoles) {
      Attack s(role);
      s.transport.streams.initial_connection_window = 64 * 1024;
      s.transport.streams.initial_stream_window = 64 * 1024;
      REQUIRE(s.handshake());
      s.mark();
      uint64_t at = 0;
      for (; at + 1000 <= 64 * 1024; at += 1000) {
        s.hit_frames(StreamFrame{.stream_id = of_peer(s, true, 0), .offset = at, .data = Data(1000, 1)});
      }
      s.wait(Duration::seconds(2));
      CHECK_LE(s.heap, static_cast<int64_t>(kPinnedFactorMax * 64 * 1024 + kReceiveSlack));
      CHECK_FALSE(s.find(T::max_data));
      s.hit_frames(StreamFrame{.stream_id = of_peer(s, true, 0), .offset = at, .data = Data(1000, 1)});
      CHECK(s.closed_with(TransportError::flow_control_error));
    }
  }

  // RFC 9000 §4.5, §19.4, §19.8
  TEST_CASE("offsets and sizes at the edge of 2^62 are errors, not overflows") {
    const auto code = [](Role role, const auto& make) -> uint64_t {
      Attack s(role);
      if (!s.handshake()) return 999;
      s.hit_with({.frames = make(of_peer(s, true, 0))});
      return s.closed() ? s.closed()->error_code : 998;
    };
    for (const Role role : kBothRoles) {
      const auto flow = static_cast<uint64_t>(TransportError::flow_control_error);
      const auto encoding = static_cast<uint64_t>(TransportError::frame_encoding_error);
      CHECK_EQ(code(role, [](StreamId id) { return frames(StreamFrame{.stream_id = id, .offset = kVarintMax}); }),
               flow);
      CHECK_EQ(code(role,
                    [](StreamId id) {
                      return frames(StreamFrame{.stream_id = id, .offset = kVarintMax - 1, .data = Data{1}});
                    }),
               flow);
      // Beyond 2^62 - 1.
      const uint64_t past = code(role, [](StreamId id) {
        const Data largest(8, 0xff);
        return Data{0x0e, static_cast<uint8_t>(id.value())} + largest + Data{1, 7};
      });
      CHECK((past == flow || past == encoding));
      CHECK_EQ(
          code(role, [](StreamId id) { return frames(ResetStreamFrame{.stream_id = id, .final_size = kVarintMax}); }),
          flow);
      CHECK_EQ(code(role,
                    [](StreamId) {
                      return frames(StreamFrame{.stream_id = StreamId(kVarintMax - 3), .data = Data{1}});
                    }) != 998,
               true);
    }
  }

  // RFC 9000 §2.1, §4.6
  TEST_CASE("the highest stream that is allowed brings all below it into being, and they are few") {
    Attack s(Role::server);
    REQUIRE(s.handshake());
    s.mark();
    s.hit_frames(StreamFrame{.stream_id = of_peer(s, false, 99), .data = Data{1}},
                 StreamFrame{.stream_id = of_peer(s, true, 99), .data = Data{1}});
    CHECK(s.is_open());
    CHECK_EQ(s.connection()->statistics().streams.open, 200);
    CHECK_LE(s.heap, 200 * 1024);
  }
}

}  // namespace quoll::quic::tests
