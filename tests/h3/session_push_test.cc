// Push (RFC 9114 §4.6), priorities (RFC 9218) and datagrams (RFC 9297) of h3::Session.
#include "h3/limits.h"
#include "tests/h3/raw.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::h3;
using namespace quoll::tests;

namespace {

constexpr uint64_t code_of(ErrorCode code) { return static_cast<uint64_t>(code); }

SessionOptions pushes(uint64_t max) {
  SessionOptions options;
  options.pushes_max = max;
  return options;
}

/// A client that takes pushes, with a request on stream 0 that the server knows.
struct Asked : H3Pair {
  explicit Asked(uint64_t pushes_max = 4, const http::FieldSection& fields = get(), bool end = true,
                 const SessionOptions& server_options = {})
      : H3Pair(pushes(pushes_max), server_options) {
    start();
    REQUIRE(client.session.request(fields, end).value() == 0);
    run();
    REQUIRE(server.next<RequestReceived>().has_value());
    (void)client.events();
  }
};

ByteVector push_stream(uint64_t push_id) { return stream_type(StreamType::push) + varint(push_id); }

Slice bytes(std::string_view text) { return Slice::copy_of(as_bytes(text)); }

}  // namespace

TEST_SUITE("h3 push") {
  // RFC 9114 §4.6
  TEST_CASE("a promise, its stream and its response reach the client in order") {
    Asked pair;
    const uint64_t stream = pair.server.session.push(0, get("/style.css")).value().value();
    REQUIRE(pair.server.session.respond(stream, 200, {}, false));
    Slice body = bytes("pushed");
    REQUIRE(pair.server.session.write_body(stream, body));
    REQUIRE(pair.server.session.finish(stream));
    pair.run();
    const auto promised = pair.client.next<PushPromised>();
    REQUIRE(promised.has_value());
    CHECK_EQ(promised->stream, 0);
    CHECK_EQ(promised->push_id, 0);
    CHECK_EQ(promised->request.find(":path"), "/style.css");
    const auto started = pair.client.next<PushStarted>();
    REQUIRE(started.has_value());
    CHECK_EQ(started->stream, stream);
    CHECK_EQ(pair.client.next<ResponseReceived>()->stream, stream);
    CHECK(pair.client.read_all(stream) == std::pair(text("pushed"), true));
    CHECK_EQ(pair.client.next<ExchangeClosed>()->stream, stream);
    pair.run();
    CHECK_EQ(pair.server.next<ExchangeClosed>()->stream, stream);
  }

  TEST_CASE("a push stream that comes before its promise waits for it") {
    ClientEnd end(pushes(4));
    end.receive(kServerEncoder, push_stream(1) + headers(status("200")) + data("x"), true);
    CHECK(end.events().empty());
    end.receive(0, promise(1, get("/p")));
    CHECK(end.next<PushPromised>().has_value());
    CHECK_EQ(end.next<PushStarted>()->stream, kServerEncoder);
    CHECK(end.next<ResponseReceived>().has_value());
    CHECK(end.read_all(kServerEncoder) == std::pair(text("x"), true));
  }

  // RFC 9114 §4.6, §7.2.7
  TEST_CASE("no push before the client allows it, nor more than it allows") {
    Asked none(0);
    CHECK_FALSE(none.server.session.push(0, get("/p")).value().has_value());
    Asked two(2);
    CHECK(two.server.session.push(0, get("/a")).value().has_value());
    CHECK(two.server.session.push(0, get("/b")).value().has_value());
    CHECK_FALSE(two.server.session.push(0, get("/c")).value().has_value());
  }

  // RFC 9114 §4.6, §6.2.2: each id once, or the client would fail.
  TEST_CASE("as pushes end, more are allowed") {
    Asked pair(2, get(), true, pushes(2));  // which a server has no use for
    for (int i = 0; i < 20; i++) {
      const auto stream = pair.server.session.push(0, get("/" + std::to_string(i))).value();
      REQUIRE(stream.has_value());
      REQUIRE(pair.server.session.respond(*stream, 204, {}, true));
      pair.run();
      CHECK(pair.client.next<ExchangeClosed>().has_value());
      pair.run();
    }
    CHECK_EQ(pair.client.session.statistics().pushes, 20);
    CHECK_FALSE(pair.client.close_code().has_value());
  }

  // RFC 9114 §4.6, §7.2.5
  TEST_CASE("a push to a client that allows none is an error, whether stream or promise comes first") {
    ClientEnd stream, request;
    stream.receive(kServerEncoder, push_stream(0));
    CHECK_EQ(stream.close_code(), code_of(ErrorCode::id_error));
    request.receive(0, promise(0, get("/p")));
    CHECK_EQ(request.close_code(), code_of(ErrorCode::id_error));
  }

  // RFC 9114 §7.2.5
  TEST_CASE("the same push may be promised to several requests, in the same words") {
    ClientEnd end(pushes(4));
    const uint64_t second = end.session.request(get(), true).value().value();
    end.receive(0, promise(0, get("/p")));
    end.receive(second, promise(0, get("/p")));
    CHECK_EQ(end.next<PushPromised>()->stream, 0);
    CHECK_EQ(end.next<PushPromised>()->stream, second);
    CHECK_FALSE(end.close_code().has_value());
  }

  // RFC 9114 §7.2.3
  TEST_CASE("a client cancels a push before its stream has come, or after") {
    Asked pair;
    const uint64_t stream = pair.server.session.push(0, get("/p")).value().value();
    pair.run();
    CHECK(pair.client.next<PushStarted>().has_value());
    pair.client.session.cancel_push(0);
    CHECK_EQ(pair.client.next<ExchangeClosed>()->stream, stream);
    pair.run();
    CHECK_EQ(pair.server.next<SendingStopped>()->stream, stream);
    CHECK_EQ(pair.server.next<ExchangeClosed>()->stream, stream);

    ServerEnd server;
    server.receive(kClientControl, frame(FrameType::max_push_id, varint(1)));
    server.receive(0, headers(get()), true);
    (void)server.session.push(0, get("/p")).value().value();
    server.receive(kClientControl, frame(FrameType::cancel_push, varint(0)));
    CHECK_EQ(server.next<PushCancelled>()->push_id, 0);
    CHECK(server.next<ExchangeClosed>().has_value());
    server.receive(kClientControl, frame(FrameType::cancel_push, varint(0)));
    CHECK_FALSE(server.close_code().has_value());
  }

  // RFC 9114 §7.2.3
  TEST_CASE("a server cancels a push, whether it was promised yet or not") {
    ClientEnd end(pushes(4));
    end.receive(0, promise(0, get("/p")));
    CHECK(end.next<PushPromised>().has_value());
    end.receive(kServerControl, frame(FrameType::cancel_push, varint(0)) + frame(FrameType::cancel_push, varint(1)));
    CHECK_EQ(end.next<PushCancelled>()->push_id, 0);
    end.receive(0, promise(1, get("/q")));
    CHECK_FALSE(end.next<PushPromised>().has_value());
    end.session.check_invariants();
  }

  TEST_CASE("a server that gives a push up says so, also where its stream never says whose it is") {
    SessionOptions options;
    options.encoder.table_capacity_max = 0;  // so that the promise waits for nothing
    Asked pair(4, get(), true, options);
    const uint64_t stream = pair.server.session.push(0, get("/p")).value().value();
    pair.server.session.abort(stream, ErrorCode::request_cancelled);
    pair.run();
    CHECK(pair.client.next<PushPromised>().has_value());
    CHECK_EQ(pair.client.next<PushCancelled>()->push_id, 0);
    CHECK_FALSE(pair.client.close_code().has_value());
  }

  // RFC 9114 §4.6
  TEST_CASE("a promise of what is not safe is cancelled, one that is malformed ends its stream") {
    ClientEnd end(pushes(4));
    end.receive(0, promise(0, with_method("DELETE")));
    CHECK_FALSE(end.next<PushPromised>().has_value());
    CHECK_FALSE(end.transport.in[0].stop.has_value());
    end.receive(0, promise(1, {{":method", "GET"}}));
    CHECK_EQ(end.transport.in[0].stop, code_of(ErrorCode::message_error));
  }

  // RFC 9114 §5.2
  TEST_CASE("no promise after the client's GOAWAY, and pushes above it are dropped") {
    Asked pair;
    const uint64_t stream = pair.server.session.push(0, get("/p")).value().value();
    (void)stream;
    pair.client.session.shutdown(true);
    pair.run();
    CHECK(pair.server.next<GoawayReceived>().has_value());
    CHECK_FALSE(pair.server.session.push(0, get("/q")).value().has_value());
    CHECK_FALSE(pair.server.close_code().has_value());
  }

  TEST_CASE("promises may not stand where they make no sense") {
    Asked pair;
    CHECK_FALSE(pair.client.session.push(0, get("/p")).has_value());
    CHECK_FALSE(pair.server.session.push(0, with_method("POST")).has_value());
    CHECK_FALSE(pair.server.session.push(4, get("/p")).has_value());
    const uint64_t stream = pair.server.session.push(0, get("/p")).value().value();
    CHECK_FALSE(pair.server.session.push(stream, get("/p")).has_value());
    REQUIRE(pair.server.session.respond(0, 204, {}, true));
    CHECK_FALSE(pair.server.session.push(0, get("/p")).has_value());
  }
}

TEST_SUITE("h3 priorities") {
  // RFC 9218 §5
  TEST_CASE("a request's field drives the transport, at both ends") {
    H3Pair pair;
    pair.start();
    const http::Priority priority{.urgency = 1, .incremental = true};
    REQUIRE(pair.client.session.request(get(), true, priority).value() == 0);
    pair.run();
    CHECK(pair.client.transport.out[0].priority == priority);
    CHECK(pair.server.transport.out[0].priority == priority);
    CHECK(pair.server.next<RequestReceived>()->fields.find("priority").has_value());
  }

  // RFC 9218 §7
  TEST_CASE("PRIORITY_UPDATE changes it later, and the application hears of the last one") {
    Asked pair;
    pair.client.session.set_priority(0, {.urgency = 6});
    pair.client.session.set_priority(0, {.urgency = 2});
    pair.run();
    CHECK(pair.server.transport.out[0].priority == http::Priority{.urgency = 2});
    CHECK_EQ(pair.server.next<PriorityUpdated>()->priority.urgency, 2);
    CHECK_FALSE(pair.server.next<PriorityUpdated>().has_value());
  }

  // RFC 9218 §7
  TEST_CASE("an update that comes before its request stands against the request's field") {
    ServerEnd end;
    end.receive(kClientControl, frame(FrameType::priority_update_request, varint(4) + text("u=0")));
    http::FieldSection fields = get();
    fields.add("priority", "u=7");
    end.receive(4, headers(fields), true);
    CHECK(end.transport.out[4].priority == http::Priority{.urgency = 0});
    end.receive(0, headers(fields), true);
    CHECK(end.transport.out[0].priority == http::Priority{.urgency = 7});
  }

  TEST_CASE("updates for requests to come are kept in a number that is bounded") {
    ServerEnd end;
    for (uint64_t i = 0; i < 10 * kEarlyPrioritiesMax; i++) {
      end.receive(kClientControl, frame(FrameType::priority_update_request, varint(4 * i) + text("u=1")));
    }
    end.session.check_invariants();
  }

  TEST_CASE("what the server's application decides stands") {
    Asked pair;
    pair.server.session.set_priority(0, {.urgency = 5});
    pair.client.session.set_priority(0, {.urgency = 1});
    pair.run();
    CHECK(pair.server.transport.out[0].priority == http::Priority{.urgency = 5});
    CHECK_EQ(pair.server.next<PriorityUpdated>()->priority.urgency, 1);
  }

  // RFC 9218 §7.2
  TEST_CASE("a push has a priority too") {
    Asked pair;
    const uint64_t stream = pair.server.session.push(0, get("/p")).value().value();
    pair.run();
    pair.client.session.set_priority(stream, {.urgency = 6, .incremental = true});
    pair.run();
    CHECK(pair.server.transport.out[stream].priority == http::Priority{.urgency = 6, .incremental = true});
  }
}

TEST_SUITE("h3 datagrams") {
  // RFC 9297 §2.1
  TEST_CASE("datagrams of a tunnel go both ways") {
    Asked pair(0, extended_connect(), false);
    CHECK_EQ(pair.client.session.max_datagram_size(0), 1199);
    CHECK(pair.client.session.send_datagram(0, as_bytes("ping")).value());
    pair.run();
    CHECK_EQ(pair.server.next<DatagramReceived>()->stream, 0);
    CHECK_EQ(as_text(pair.server.session.receive_datagram(0)->bytes()), "ping");
    CHECK_FALSE(pair.server.session.receive_datagram(0).has_value());
    CHECK(pair.server.session.send_datagram(0, as_bytes("")).value());
    pair.run();
    CHECK(pair.client.next<DatagramReceived>().has_value());
    CHECK(pair.client.session.receive_datagram(0)->empty());
    CHECK_FALSE(pair.client.session.send_datagram(0, Bytes(ByteVector(1200))).has_value());
  }

  // RFC 9297 §2.1.1
  TEST_CASE("none is sent to a peer that does not take them, nor for other requests, nor after the end") {
    SessionOptions without;
    without.datagrams = false;
    H3Pair pair({}, without);
    pair.start();
    REQUIRE(pair.client.session.request(extended_connect(), false).value() == 0);
    CHECK_FALSE(pair.client.session.max_datagram_size(0).has_value());
    CHECK_FALSE(pair.client.session.send_datagram(0, as_bytes("x")).has_value());
    Asked ordinary(0, get());
    CHECK_FALSE(ordinary.server.session.send_datagram(0, as_bytes("x")).has_value());
    Asked over(0, extended_connect(), false);
    REQUIRE(over.client.session.finish(0));
    CHECK_FALSE(over.client.session.send_datagram(0, as_bytes("x")).has_value());
    // Nor before the peer has said anything, nor by who takes none.
    for (const bool settings : {true, false}) {
      SessionOptions options;
      options.datagrams = !settings;
      H3End end(Role::client, options);
      end.session.start();
      if (settings) end.receive(kServerControl, control({.h3_datagram = true}));
      REQUIRE(end.session.request(connect(), false).value() == 0);
      CHECK_FALSE(end.session.send_datagram(0, as_bytes("x")).has_value());
      CHECK(end.transport.datagrams.empty());
    }
  }

  // RFC 9297 §2.1
  TEST_CASE("a datagram after the end of the peer's part is dropped") {
    ServerEnd end;
    end.receive(0, headers(extended_connect()), true);
    end.session.on_datagram(Slice::copy_of(Bytes(varint(0) + text("late"))));
    CHECK_EQ(end.session.statistics().datagrams_dropped, 1);
    CHECK_FALSE(end.next<DatagramReceived>().has_value());
    CHECK_FALSE(end.close_code().has_value());
    CHECK_EQ(end.session.open_exchanges(), 1);
  }

  // RFC 9297 §2.1
  TEST_CASE("a datagram that overtakes its request waits for it, in a number that is bounded") {
    ServerEnd end;
    for (size_t i = 0; i < kEarlyDatagramsMax + 5; i++) {
      end.session.on_datagram(Slice::copy_of(Bytes(varint(0) + varint(i))));
    }
    end.receive(0, headers(extended_connect()));
    CHECK(end.next<DatagramReceived>().has_value());
    size_t count = 0;
    while (end.session.receive_datagram(0)) count++;
    CHECK_EQ(count, kEarlyDatagramsMax);
    CHECK_EQ(end.session.statistics().datagrams_dropped, 5);
    end.session.check_invariants();
  }

  TEST_CASE("datagrams that nobody takes are dropped beyond the limit") {
    SessionOptions options;
    options.datagrams_waiting_max = 10;
    ServerEnd end(options);
    end.receive(0, headers(extended_connect()));
    for (int i = 0; i < 30; i++) end.session.on_datagram(Slice::copy_of(Bytes(varint(0) + text("x"))));
    CHECK_EQ(end.session.statistics().datagrams_dropped, 20);
    end.session.abort(0, ErrorCode::connect_error);
    end.session.check_invariants();
    end.session.on_datagram(Slice::copy_of(Bytes(varint(0) + text("late"))));
    CHECK_EQ(end.session.statistics().datagrams_dropped, 21);
  }
}
