// What a Session does of itself with messages: the order of trailers and end, requests that nobody wants the rest of, and what
// it refuses to send.
#include "h3/limits.h"
#include "h3/session.h"
#include "tests/h3/raw.h"
#include "tests/support/heap.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::h3;
using namespace quoll::tests;

namespace {

constexpr uint64_t code_of(ErrorCode code) { return static_cast<uint64_t>(code); }

}  // namespace

TEST_SUITE("h3 session") {
  TEST_CASE("an exchange that is over holds neither memory of its own nor what it arrived in") {
    if (!heap_is_counted()) {
      MESSAGE("SKIPPED: a sanitizer counts in its own way");
      return;
    }
    ServerEnd end;
    const ByteVector request = headers(with_method("GET", {{"a", std::string(3000, 'a')}}));
    size_t before = 0;
    for (const uint64_t stream : {0, 4}) {  // the second one finds the session warm
      end.session.start();                  // a call that has nothing to do
      before = heap_bytes();
      end.receive(stream, request, true);
      REQUIRE(end.next<RequestReceived>().has_value());
      REQUIRE(end.session.respond(stream, 200, {}, true).has_value());
      end.session.on_delivered(stream);
      REQUIRE(end.next<ExchangeClosed>().has_value());
      CHECK(end.events().empty());
      end.transport.in.erase(stream);
      end.transport.out.erase(stream);
    }
    CHECK(heap_bytes() < before + 64);
  }

  // RFC 9114 §4.1: whoever reads again before it looks for events must not lose them.
  TEST_CASE("the end is not told before the trailers were polled") {
    for (const bool late_fin : {false, true}) {
      ServerEnd end;
      end.transport.late_fin = late_fin;
      end.receive(0, headers(with_method("POST")) + data("abc") + headers({{"a", "b"}}), true);
      REQUIRE(end.next<RequestReceived>().has_value());
      CHECK(end.read_all(0) == std::pair(text("abc"), false));
      for (int i = 0; i < 3; i++) CHECK(end.read_all(0) == std::pair(ByteVector(), false));
      REQUIRE(end.next<TrailersReceived>().has_value());
      REQUIRE(end.next<BodyReadable>().has_value());
      CHECK(end.read_all(0) == std::pair(ByteVector(), true));
    }
  }

  // RFC 9114 §4.1, §4.1.2, §7.1
  TEST_CASE("what comes later is looked at although nobody reads, as far as no content is before it") {
    const auto after_head = [](const ByteVector& bytes, bool fin) {
      ServerEnd end;
      end.receive(0, headers(with_method("POST", {{"content-length", "5"}})));
      CHECK(end.next<RequestReceived>().has_value());
      end.receive(0, bytes, fin);
      end.session.check_invariants();
      if (end.close_code()) return *end.close_code();
      return end.transport.out[0].reset.value_or(0);
    };
    CHECK_EQ(after_head(frame(FrameType::goaway, varint(0)), false), code_of(ErrorCode::frame_unexpected));
    CHECK_EQ(after_head(frame(0x21, text("x")) + frame(0x06, {}), false), code_of(ErrorCode::frame_unexpected));
    CHECK_EQ(after_head(varint(0) + varint(5) + text("abc"), true), code_of(ErrorCode::frame_error));
    CHECK_EQ(after_head({0x40}, true), code_of(ErrorCode::frame_error));
    CHECK_EQ(after_head(data("abc"), true), code_of(ErrorCode::message_error));
    CHECK_EQ(after_head({}, true), code_of(ErrorCode::message_error));
    CHECK_EQ(after_head(data("abcde"), true), 0);
    CHECK_EQ(after_head(data("abc"), false), 0);
  }

  // RFC 9114 §4.1
  TEST_CASE("the rest of a request that nobody wants is read to its end") {
    for (const bool split : {false, true}) {
      ServerEnd end;
      end.receive(0, headers(with_method("POST")) + data("abc"), !split);
      REQUIRE(end.session.respond(0, 404, {}, true).has_value());
      end.session.discard(0);
      if (split) {
        end.receive(0, data("def") + headers({{"a", "b"}}));
        end.receive(0, ByteVector(), true);
      }
      CHECK_FALSE(end.transport.in[0].stop.has_value());
      CHECK(end.transport.in[0].fin_read);
      end.session.on_delivered(0);
      CHECK_EQ(end.session.open_exchanges(), 0);
      CHECK_FALSE(end.next<TrailersReceived>().has_value());
      CHECK_FALSE(end.close_code().has_value());
      end.session.discard(0);  // of nothing
    }
  }

  // RFC 9114 §4.1
  TEST_CASE("a client that goes on sending what nobody wants is stopped without an error") {
    ServerEnd end;
    end.receive(0, headers(with_method("POST")) + data("abc"));
    REQUIRE(end.session.respond(0, 404, {}, true).has_value());
    end.session.discard(0);
    end.receive(0, frame(FrameType::data, ByteVector(kDiscardedMax - 10)));
    CHECK_FALSE(end.transport.in[0].stop.has_value());
    end.receive(0, frame(FrameType::data, ByteVector(100)));
    CHECK_EQ(end.transport.in[0].stop, code_of(ErrorCode::no_error));
    CHECK_FALSE(end.transport.out[0].reset.has_value());
    // Or when it has the whole response.
    end.receive(4, headers(with_method("POST")));
    REQUIRE(end.session.respond(4, 404, {}, true).has_value());
    end.session.discard(4);
    CHECK_FALSE(end.transport.in[4].stop.has_value());
    end.session.on_delivered(4);
    CHECK_EQ(end.transport.in[4].stop, code_of(ErrorCode::no_error));
    // Or when it wants no response.
    end.receive(8, headers(with_method("POST")));
    REQUIRE(end.session.respond(8, 404, {}, true).has_value());
    end.session.discard(8);
    end.receive_stop(8, code_of(ErrorCode::request_cancelled));
    CHECK_EQ(end.transport.in[8].stop, code_of(ErrorCode::no_error));
    CHECK_EQ(end.session.open_exchanges(), 1);  // the first, whose response was not delivered
  }

  // RFC 9204 §2.1.3
  TEST_CASE("nothing is inserted that flow control would hold back") {
    for (const bool credit : {true, false}) {
      const Settings peers{.qpack_max_table_capacity = 4096, .qpack_blocked_streams = 10};
      ClientEnd end({}, peers);
      if (!credit) end.transport.credit_max = end.transport.out[6].bytes.size() + 20;
      const size_t before = end.transport.out[6].bytes.size();
      for (int i = 0; i < 10; i++) {
        REQUIRE(
            end.session.request(with_method("GET", {{"x-something", "that is worth an entry of the table"}}), true));
      }
      CHECK_EQ(end.transport.out[6].bytes.size() > before, credit);
      CHECK_FALSE(end.close_code().has_value());
    }
  }

  // RFC 9204 §4.2
  TEST_CASE("QPACK's streams are welcome where there is no table to fill") {
    SessionOptions options;
    options.decoder.max_table_capacity = options.encoder.table_capacity_max = 0;
    ServerEnd end(options);
    end.receive(kClientEncoder, stream_type(StreamType::qpack_encoder));
    end.receive(kClientDecoder, stream_type(StreamType::qpack_decoder));
    end.receive(0, headers(get()), true);
    CHECK(end.next<RequestReceived>().has_value());
    CHECK_FALSE(end.close_code().has_value());
    CHECK_FALSE(end.transport.in[kClientEncoder].stop.has_value());
  }

  TEST_CASE("our control and QPACK streams go before bodies") {
    ClientEnd end;
    for (const uint64_t stream : {2, 6, 10}) CHECK_EQ(end.transport.out[stream].priority.urgency, 0);
    CHECK_EQ(end.transport.out[0].priority.urgency, http::Priority().urgency);
  }

  // RFC 9297 §3.2, §3.4
  TEST_CASE("messages with capsules are checked both ways") {
    H3Pair pair;
    pair.start();
    http::FieldSection fields = extended_connect();
    fields.add("capsule-protocol", "?1");
    const uint64_t stream = pair.client.session.request(fields, false).value().value();
    fields.add("content-length", "5");
    CHECK_FALSE(pair.client.session.request(fields, false).has_value());
    pair.run();
    REQUIRE(pair.server.next<RequestReceived>().has_value());
    CHECK_FALSE(pair.server.session.respond(stream, 204, {{"capsule-protocol", "?1"}}, false).has_value());
    CHECK_FALSE(pair.server.session.respond(stream, 404, {{"capsule-protocol", "?1"}}, false).has_value());
    CHECK_FALSE(pair.server.session.inform(stream, 103, {{"capsule-protocol", "?1"}}).has_value());
    CHECK(pair.server.session.respond(stream, 200, {{"capsule-protocol", "?1"}}, false).has_value());
    ClientEnd end({}, {.enable_connect_protocol = true}, with_method("GET"));
    const uint64_t tunnel = end.session.request(extended_connect(), false).value().value();
    end.receive(tunnel, headers(status("206", {{"capsule-protocol", "?1"}})));
    CHECK_EQ(end.transport.out[tunnel].reset, code_of(ErrorCode::message_error));
  }

  // RFC 9114 §8
  TEST_CASE("a code that nobody knows, or that makes no sense, ends a message as H3_NO_ERROR does") {
    for (const uint64_t code :
         {code_of(ErrorCode::no_error), uint64_t{0x4242}, kVarintMax, code_of(ErrorCode::settings_error)}) {
      CAPTURE(code);
      ClientEnd end;
      end.receive(0, headers(status("200")) + data("half"));
      REQUIRE(end.next<ResponseReceived>().has_value());
      end.receive_reset(0, code);
      const auto aborted = end.next<MessageAborted>();
      REQUIRE(aborted.has_value());
      CHECK_EQ(aborted->code, code);
      CHECK(aborted->by_peer);
      CHECK_FALSE(end.close_code().has_value());
      ServerEnd server;
      server.receive(0, headers(get()), true);
      server.receive_stop(0, code);
      CHECK_EQ(server.next<SendingStopped>()->code, code);
      CHECK_FALSE(server.close_code().has_value());
    }
  }

  // RFC 9110 §8.6
  TEST_CASE("no length is said where there is no content, and of no tunnel") {
    const http::FieldSection length{{"content-length", "0"}};
    ServerEnd end;
    end.receive(0, headers(get()), true);
    CHECK_FALSE(end.session.inform(0, 103, length).has_value());
    CHECK_FALSE(end.session.respond(0, 204, length, true).has_value());
    CHECK(end.session.respond(0, 304, length, true).has_value());
    end.receive(4, headers(connect()));
    CHECK_FALSE(end.session.respond(4, 200, length, false).has_value());
    CHECK(end.session.respond(4, 403, length, true).has_value());
  }
}
