// Streams as the application uses them: opening, writing, reading, ends, resets.
#include "quic/stream/streams.h"

#include <map>

#include "tests/quic/stream/support.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;
using namespace quoll::tests;
using Sending = SendStream::State;
using Receiving = ReceiveStream::State;

TEST_SUITE("quic streams") {
  // RFC 9000 §2.1
  TEST_CASE("streams of each kind are numbered by themselves") {
    StreamsPair pair;
    CHECK_EQ(*pair.client.open(false), StreamId(0));
    CHECK_EQ(*pair.client.open(false), StreamId(4));
    CHECK_EQ(*pair.client.open(true), StreamId(2));
    CHECK_EQ(*pair.server.open(false), StreamId(1));
    CHECK_EQ(*pair.server.open(true), StreamId(3));
    CHECK_EQ(*pair.server.open(true), StreamId(7));
    CHECK_EQ(pair.server.statistics().open, 3);
    pair.client.check_invariants();
    pair.server.check_invariants();
  }

  // RFC 9000 §2.2, §3.4
  TEST_CASE("a request and its answer: data both ways, ends, and the stream is forgotten") {
    StreamsPair pair;
    const StreamId id = *pair.client.open(false);
    write_all(pair.client, id, "request");
    REQUIRE(pair.client.finish(id));
    REQUIRE(pair.exchange());
    auto events = events_of(pair.server);
    REQUIRE_EQ(events.size(), 2);
    CHECK_EQ(std::get<StreamOpened>(events[0]).stream_id, id);
    CHECK_EQ(std::get<StreamReadable>(events[1]).stream_id, id);
    const ReadAll request = read_all(pair.server, id);
    CHECK_EQ(request.text, "request");
    CHECK(request.fin);
    CHECK_EQ(*pair.client.send_state(id), Sending::data_recvd);
    CHECK_FALSE(pair.server.receive_state(id).has_value());
    events = events_of(pair.client);
    REQUIRE_EQ(events.size(), 1);
    CHECK_EQ(std::get<StreamDelivered>(events[0]).stream_id, id);
    write_all(pair.server, id, "answer");
    REQUIRE(pair.server.finish(id));
    REQUIRE(pair.exchange());
    CHECK_EQ(count_events<StreamDelivered>(events_of(pair.server)), 1);
    CHECK_FALSE(pair.server.has_open_streams());
    events = events_of(pair.client);
    REQUIRE_EQ(events.size(), 1);
    CHECK_EQ(std::get<StreamReadable>(events[0]).stream_id, id);
    CHECK_EQ(read_all(pair.client, id).text, "answer");
    CHECK_FALSE(pair.client.has_open_streams());
    CHECK_EQ(pair.client.statistics().bytes_sent, 7);
    CHECK_EQ(pair.client.statistics().bytes_received, 6);
    CHECK_EQ(pair.client.statistics().bytes_read, 6);
  }

  TEST_CASE("slices travel without a copy; what is not taken stays") {
    StreamLimits limits;
    limits.send_buffer_max = 1000;
    StreamsPair pair(limits);
    const StreamId id = *pair.client.open(true);
    Slice data = Slice::copy_of(as_bytes(repeat(1500)));
    CHECK_EQ(pair.client.write(id, data).value(), 1000);
    CHECK_EQ(data.size(), 500);
    CHECK_EQ(pair.client.write(id, data).value(), 0);
    CHECK_EQ(count_events<StreamWritable>(events_of(pair.client)), 0);
    REQUIRE(pair.exchange());
    CHECK_EQ(count_events<StreamWritable>(events_of(pair.client)), 1);
    CHECK_EQ(pair.client.write(id, data).value(), 500);
    REQUIRE(pair.exchange());
    CHECK_EQ(read_all(pair.server, id).text.size(), 1500);
    CHECK_EQ(count_events<StreamWritable>(events_of(pair.client)), 0);
  }

  TEST_CASE("what all streams have waiting is bounded, none starves, and all of it arrives") {
    StreamLimits limits;
    limits.unsent_max = 200'000;
    StreamsPair pair(limits);
    constexpr size_t kSize = 500'000;
    std::map<StreamId, size_t> left;
    size_t taken_sum = 0;
    for (size_t i = 0; i < 10; i++) {
      const StreamId id = *pair.client.open(true);
      const size_t taken = pair.client.write(id, as_bytes(repeat(kSize))).value();
      CHECK_EQ(taken, i == 0 ? limits.unsent_max : kStreamUnsentMin);
      taken_sum += taken;
      left[id] = kSize - taken;
      pair.client.check_invariants();
    }
    CHECK_EQ(taken_sum, limits.unsent_max + 9 * kStreamUnsentMin);

    std::map<StreamId, size_t> arrived;
    for (size_t round = 0; round < 1000 && pair.exchange(); round++) {
      for (const StreamEvent& event : events_of(pair.client)) {
        if (const auto* writable = std::get_if<StreamWritable>(&event)) {
          size_t& rest = left[writable->stream_id];
          rest -= pair.client.write(writable->stream_id, as_bytes(repeat(rest))).value();
          if (rest == 0) REQUIRE(pair.client.finish(writable->stream_id));
        }
      }
      for (const auto& [id, rest] : left) arrived[id] += read_all(pair.server, id).text.size();
      pair.client.check_invariants();
    }
    for (const auto& [id, rest] : left) CHECK_EQ(arrived[id], kSize);
  }

  TEST_CASE("readable is told once, and again after a read has come back empty") {
    Server server;
    REQUIRE(server.take(data_frame(kClientUni, 0, "ab")));
    CHECK_EQ(count_events<StreamReadable>(events_of(server.streams)), 1);
    REQUIRE(server.take(data_frame(kClientUni, 2, "cd")));
    CHECK_EQ(count_events<StreamReadable>(events_of(server.streams)), 0);
    CHECK_EQ(server.streams.read(kClientUni, 1).value()->data.size(), 1);
    REQUIRE(server.take(data_frame(kClientUni, 4, "ef")));
    CHECK_EQ(count_events<StreamReadable>(events_of(server.streams)), 0);
    CHECK_EQ(read_all(server.streams, kClientUni).text, "bcdef");
    REQUIRE(server.take(data_frame(kClientUni, 7, "h")));  // a gap
    CHECK_EQ(count_events<StreamReadable>(events_of(server.streams)), 0);
    REQUIRE(server.take(data_frame(kClientUni, 6, "g")));
    CHECK_EQ(count_events<StreamReadable>(events_of(server.streams)), 1);
    CHECK_EQ(read_all(server.streams, kClientUni).text, "gh");
    REQUIRE(server.take(data_frame(kClientUni, 8, "", true)));
    CHECK_EQ(count_events<StreamReadable>(events_of(server.streams)), 1);
    CHECK(read_all(server.streams, kClientUni).fin);
    CHECK_FALSE(server.streams.has_open_streams());
  }

  TEST_CASE("misuse is a usage error") {
    StreamsPair pair;
    const StreamId uni = *pair.client.open(true);
    CHECK(is_usage_error(pair.client.write(StreamId(400), as_bytes("x"))));
    CHECK(is_usage_error(pair.client.read(uni)));
    CHECK(is_usage_error(pair.client.stop(uni, kCode)));
    CHECK(is_usage_error(pair.client.set_priority(uni, {.urgency = 8})));
    CHECK(is_usage_error(pair.client.reset(uni, ApplicationErrorCode{uint64_t{1} << 62})));
    REQUIRE(pair.client.finish(uni));
    CHECK(is_usage_error(pair.client.finish(uni)));
    CHECK(is_usage_error(pair.client.write(uni, as_bytes("x"))));
    const StreamId other = *pair.client.open(true);
    REQUIRE(pair.client.reset(other, kCode));
    CHECK(is_usage_error(pair.client.write(other, as_bytes("x"))));
    CHECK(is_usage_error(pair.client.finish(other)));
    CHECK(pair.client.reset(other, kCode));
    REQUIRE(pair.exchange());
    CHECK(is_usage_error(pair.server.write(uni, as_bytes("x"))));
    CHECK(is_usage_error(pair.server.set_priority(uni, {})));
    REQUIRE(pair.server.stop(uni, kCode));
    CHECK(is_usage_error(pair.server.read(uni)));
  }

  // RFC 9000 §3.1, §3.2, §19.4
  TEST_CASE("reset drops what waits; the peer hears the code, by event or by read") {
    for (const bool by_event : {true, false}) {
      StreamsPair pair;
      const StreamId id = *pair.client.open(true);
      write_all(pair.client, id, repeat(10'000));
      REQUIRE(deliver(pair.server, write_packet(pair.client)));
      REQUIRE(pair.client.reset(id, kCode));
      CHECK_EQ(*pair.client.send_state(id), Sending::reset_sent);
      const StreamPacket packet = write_packet(pair.client);
      REQUIRE_EQ(frames_of(packet).size(), 1);
      CHECK_EQ(frames_of(packet)[0].type, FrameType::reset_stream);
      REQUIRE(deliver(pair.server, packet));
      CHECK_EQ(*pair.server.receive_state(id), Receiving::reset_recvd);
      if (by_event) {
        const auto events = events_of(pair.server);
        REQUIRE_EQ(events.size(), 2);  // and no StreamReadable
        CHECK_EQ(std::get<StreamReset>(events[1]).error, kCode);
      } else {
        const auto chunk = pair.server.read(id);
        REQUIRE_FALSE(chunk.has_value());
        CHECK_EQ(chunk.error().domain, ErrorDomain::application);
        CHECK_EQ(chunk.error().code, 7);
        CHECK_EQ(count_events<StreamReset>(events_of(pair.server)), 0);
      }
      CHECK_FALSE(pair.server.has_open_streams());
      pair.server.check_invariants();
      CHECK_FALSE(pair.client.wants_to_send());
      acknowledge(pair.client, packet);
      CHECK_FALSE(pair.client.has_open_streams());
      CHECK(events_of(pair.client).empty());
    }
  }

  // RFC 9000 §3.1
  TEST_CASE("reset after all data is acknowledged sends nothing") {
    StreamsPair pair;
    const StreamId id = *pair.client.open(true);
    write_all(pair.client, id, "abc");
    REQUIRE(pair.client.finish(id));
    REQUIRE(pair.exchange());
    CHECK(pair.client.reset(id, kCode));
    CHECK_FALSE(pair.client.wants_to_send());
    CHECK_EQ(count_events<StreamDelivered>(events_of(pair.client)), 1);
  }

  // RFC 9000 §3.5
  TEST_CASE("STOP_SENDING is answered by RESET_STREAM with its code, in Ready, Send and Data Sent") {
    for (const int state : {0, 1, 2}) {
      StreamsPair pair;
      const StreamId id = *pair.client.open(false);
      if (state >= 1) {
        write_all(pair.client, id, repeat(5000));
        (void)write_packet(pair.client);
      }
      if (state == 2) {
        REQUIRE(pair.client.finish(id));
        while (!write_packet(pair.client).bytes.empty()) {
        }
        CHECK_EQ(*pair.client.send_state(id), Sending::data_sent);
      }
      REQUIRE(deliver_frame(pair.client, StopSendingFrame{.stream_id = id, .application_error_code = 9}));
      CHECK_EQ(*pair.client.send_state(id), Sending::reset_sent);
      const auto events = events_of(pair.client);
      REQUIRE_EQ(events.size(), 1);
      CHECK_EQ(std::get<StreamStopped>(events[0]).error, ApplicationErrorCode{9});
      const auto write = pair.client.write(id, as_bytes("x"));
      REQUIRE_FALSE(write.has_value());
      CHECK_EQ(write.error().domain, ErrorDomain::application);
      CHECK_EQ(write.error().code, 9);
      CHECK(pair.client.finish(id).has_value());
      const auto frames = sent_frames(pair.client);
      REQUIRE_EQ(frames.size(), 1);
      CHECK_EQ(frames[0].type, FrameType::reset_stream);
      CHECK_EQ(frames[0].numbers[1], 9);
      // Once is enough.
      REQUIRE(deliver_frame(pair.client, StopSendingFrame{.stream_id = id, .application_error_code = 10}));
      CHECK_FALSE(pair.client.wants_to_send());
      CHECK(events_of(pair.client).empty());
      pair.client.check_invariants();
    }
  }

  // RFC 9000 §3.5, §4.5
  TEST_CASE("stop sends STOP_SENDING, and all that comes is thrown away but counted") {
    StreamsPair pair;
    const StreamId id = *pair.client.open(true);
    write_all(pair.client, id, repeat(3000));
    const StreamPacket first = write_packet(pair.client), second = write_packet(pair.client);
    REQUIRE(deliver(pair.server, first));
    events_of(pair.server);
    REQUIRE(pair.server.stop(id, kCode));
    REQUIRE(deliver(pair.server, second));
    CHECK(events_of(pair.server).empty());
    pair.server.check_invariants();
    REQUIRE(pair.exchange());
    CHECK_EQ(count_events<StreamStopped>(events_of(pair.client)), 1);
    REQUIRE(pair.exchange());
    CHECK_FALSE(pair.server.has_open_streams());
    CHECK_FALSE(pair.client.has_open_streams());
    CHECK(events_of(pair.server).empty());
  }
}
