#include "h3/session.h"

#include "h3/limits.h"
#include "tests/h3/raw.h"
#include "tests/support/heap.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::h3;
using namespace quoll::tests;

namespace {

constexpr uint64_t code_of(ErrorCode code) { return static_cast<uint64_t>(code); }

ByteVector pattern(size_t size, uint8_t seed = 0) {
  ByteVector bytes(size);
  for (size_t i = 0; i < size; i++) bytes[i] = static_cast<uint8_t>(seed + i * 13 + (i >> 8));
  return bytes;
}

uint64_t request(H3Pair& pair, const http::FieldSection& fields, bool end = true) {
  const auto stream = pair.client.session.request(fields, end);
  REQUIRE(stream.has_value());
  REQUIRE(stream->has_value());
  return **stream;
}

/// The whole answer of a server that has a request.
void answer(H3Pair& pair, uint64_t stream, std::string_view body) {
  Slice data = Slice::copy_of(as_bytes(body));
  REQUIRE(pair.server.session.respond(stream, 200, {}, false));
  REQUIRE(pair.server.session.write_body(stream, data));
  REQUIRE(data.empty());
  REQUIRE(pair.server.session.finish(stream));
}

/// A pair with a request on stream 0 that the server knows.
struct Asked : H3Pair {
  explicit Asked(const http::FieldSection& fields = get(), bool end = true, const SessionOptions& options = {})
      : H3Pair(options, options) {
    start();
    CHECK_EQ(request(*this, fields, end), 0);
    run();
    const auto event = server.next<RequestReceived>();
    REQUIRE(event.has_value());
    CHECK_EQ(event->has_body, !end);
  }
};

}  // namespace

TEST_SUITE("h3 session") {
  // RFC 9114 §6.2.1, §7.2.4
  TEST_CASE("each side begins with its settings, and tells the other's") {
    SessionOptions server_options;
    server_options.decoder.max_field_section_size = 12345;
    H3Pair pair({}, server_options);
    pair.start();
    const auto of_server = pair.client.next<SettingsReceived>();
    REQUIRE(of_server.has_value());
    CHECK_EQ(of_server->settings.max_field_section_size, 12345);
    CHECK(of_server->settings.enable_connect_protocol);
    CHECK(of_server->settings.h3_datagram);
    CHECK_EQ(pair.client.session.peer_settings(), of_server->settings);
    const auto of_client = pair.server.next<SettingsReceived>();
    REQUIRE(of_client.has_value());
    CHECK_FALSE(of_client->settings.enable_connect_protocol);
  }

  // RFC 9114 §6.2: streams that the peer does not allow yet follow in order.
  TEST_CASE("our streams are opened as the peer allows them, the control stream first") {
    H3Pair pair;
    pair.client.transport.streams_max[1] = 0;
    pair.start();
    CHECK_FALSE(pair.server.session.peer_settings().has_value());
    pair.client.transport.streams_max[1] = 1;
    pair.run();
    CHECK(pair.server.session.peer_settings().has_value());
    pair.client.transport.streams_max[1] = 10;
    pair.run();
    CHECK_EQ(pair.client.transport.opened[1], 4);  // and one without a meaning
    request(pair, get());
    pair.run();
    CHECK(pair.server.next<RequestReceived>().has_value());
  }

  // RFC 9114 §4.1
  TEST_CASE("a request and its response come whole, with their ends") {
    Asked pair;
    answer(pair, 0, "hello");
    pair.run();
    const auto response = pair.client.next<ResponseReceived>();
    REQUIRE(response.has_value());
    CHECK_EQ(response->status, 200);
    CHECK(response->has_body);
    CHECK(pair.client.next<BodyReadable>().has_value());
    CHECK(pair.client.read_all(0) == std::pair(text("hello"), true));
    pair.run();
    const auto closed = pair.client.next<ExchangeClosed>();
    REQUIRE(closed.has_value());
    CHECK(closed->delivered);
    CHECK(pair.server.next<ExchangeClosed>()->delivered);
    CHECK_EQ(pair.client.session.open_exchanges() + pair.server.session.open_exchanges(), 0);
  }

  TEST_CASE("a response without a body says so with its head") {
    Asked pair;
    REQUIRE(pair.server.session.respond(0, 304, {}, true));
    pair.run();
    const auto response = pair.client.next<ResponseReceived>();
    REQUIRE(response.has_value());
    CHECK_FALSE(response->has_body);
    CHECK(pair.client.next<ExchangeClosed>()->delivered);
  }

  // RFC 9114 §4.1, RFC 9110 §15.2
  TEST_CASE("interim responses come before the final one, and none after it") {
    Asked pair;
    CHECK(pair.server.session.inform(0, 103, {{"link", "</a>; rel=preload"}}));
    CHECK_FALSE(pair.server.session.inform(0, 101, {}));
    CHECK_FALSE(pair.server.session.inform(0, 200, {}));
    REQUIRE(pair.server.session.respond(0, 204, {}, true));
    CHECK_FALSE(pair.server.session.inform(0, 103, {}));
    CHECK_FALSE(pair.server.session.respond(0, 200, {}, true));
    pair.run();
    const auto events = pair.client.events();
    const auto is_interim = [](const Event& event) { return std::holds_alternative<InformationReceived>(event); };
    const auto is_final = [](const Event& event) { return std::holds_alternative<ResponseReceived>(event); };
    const auto interim = std::ranges::find_if(events, is_interim);
    const auto final = std::ranges::find_if(events, is_final);
    REQUIRE(interim < final);
    CHECK_EQ(std::get<InformationReceived>(*interim).status, 103);
    CHECK_EQ(std::get<ResponseReceived>(*final).status, 204);
  }

  TEST_CASE("interim responses that nobody polls are left out, and do not pile up") {
    ClientEnd end;
    ByteVector many;
    for (int i = 0; i < 50; i++) many = std::move(many) + headers(status("103"));
    end.receive(0, many + headers(status("200")));
    const auto events = end.events();
    CHECK_EQ(
        std::ranges::count_if(events, [](const Event& e) { return std::holds_alternative<InformationReceived>(e); }),
        kInterimWaitingMax);
    CHECK(std::ranges::any_of(events, [](const Event& e) { return std::holds_alternative<ResponseReceived>(e); }));
  }

  // RFC 9114 §4.1
  TEST_CASE("trailers are told after the body and before its end") {
    Asked pair(with_method("POST"), false);
    Slice body = Slice::copy_of(as_bytes("body"));
    REQUIRE(pair.client.session.write_body(0, body));
    REQUIRE(pair.client.session.finish(0, {{"checksum", "7"}}));
    pair.run();
    const auto [bytes, ended] = pair.server.read_all(0);
    CHECK_EQ(bytes, text("body"));
    CHECK_FALSE(ended);
    const auto trailers = pair.server.next<TrailersReceived>();
    REQUIRE(trailers.has_value());
    CHECK_EQ(trailers->fields.find("checksum"), "7");
    CHECK(pair.server.next<BodyReadable>().has_value());
    CHECK(pair.server.read_all(0) == std::pair(ByteVector(), true));
  }

  TEST_CASE("trailers alone, without a body") {
    Asked pair(with_method("POST"), false);
    REQUIRE(pair.client.session.finish(0, {{"a", "b"}}));
    pair.run();
    CHECK_FALSE(pair.server.read_all(0).second);
    CHECK(pair.server.next<TrailersReceived>().has_value());
    CHECK(pair.server.read_all(0).second);
  }

  TEST_CASE("whatever the pieces that bytes arrive in, the message is the same") {
    for (const size_t split : {1, 2, 3, 7, 100}) {
      for (const bool late_fin : {false, true}) {
        CAPTURE(split);
        ServerEnd end;
        end.transport.split = split;
        end.transport.late_fin = late_fin;
        end.receive(0,
                    headers(with_method("POST", {{"content-length", "8"}})) + frame(0x21, text("grease")) +
                        data("abc") + frame(0x40, {}) + data("") + data("defgh") + headers({{"a", "b"}}) +
                        frame(0x5f, text("x")),
                    true);
        CHECK(end.next<RequestReceived>().has_value());
        CHECK(end.read_all(0).first == text("abcdefgh"));
        CHECK(end.next<TrailersReceived>().has_value());
        CHECK(end.read_all(0) == std::pair(ByteVector(), true));
        CHECK_FALSE(end.close_code().has_value());
      }
    }
  }

  TEST_CASE("bytes that come one by one make the same message") {
    ServerEnd end;
    const ByteVector whole = headers(with_method("POST")) + data("abc") + headers({{"a", "b"}});
    for (const uint8_t byte : whole) end.receive(0, ByteVector{byte});
    end.receive(0, ByteVector(), true);
    CHECK(end.next<RequestReceived>().has_value());
    CHECK(end.read_all(0, 1).first == text("abc"));
    CHECK(end.next<TrailersReceived>().has_value());
    CHECK(end.read_all(0).second);
  }

  TEST_CASE("read_body gives no more than it is asked for") {
    ServerEnd end;
    end.receive(0, headers(with_method("POST")) + data("abcdef"), true);
    REQUIRE(end.next<RequestReceived>().has_value());
    const auto first = end.session.read_body(0, 4);
    CHECK_EQ(as_text((**first).data.bytes()), "abcd");
    CHECK_FALSE((**first).fin);
    const auto second = end.session.read_body(0, 4);
    CHECK_EQ(as_text((**second).data.bytes()), "ef");
    CHECK((**second).fin);
  }

  // Backpressure: what the application does not read stays with the transport, and what does not fit with the application.
  TEST_CASE("a large body goes through small windows and buffers, both ways") {
    for (const size_t squeeze : {1, 3, 100, 5000}) {
      CAPTURE(squeeze);
      Asked pair(with_method("POST"), false);
      pair.window = squeeze;
      pair.client.transport.buffer_max = pair.server.transport.buffer_max = squeeze;
      const ByteVector sent = pattern(20'000);
      Slice rest = Slice::copy_of(Bytes(sent));
      ByteVector got;
      bool finished = false, ended = false;
      for (int i = 0; i < 200'000 && !ended; i++) {
        if (!finished) {
          REQUIRE(pair.client.session.write_body(0, rest));
          if (rest.empty()) {
            REQUIRE(pair.client.session.finish(0));
            finished = true;
          }
        }
        pair.run();
        const auto [bytes, end] = pair.server.read_all(0);
        got = std::move(got) + bytes;
        ended = end;
        pair.server.transport.in[0].told = false;
      }
      CHECK(ended);
      CHECK(got == sent);
    }
  }

  TEST_CASE("a frame that is begun is all that is kept of a body") {
    Asked pair(with_method("POST"), false);
    pair.client.transport.buffer_max = pair.client.transport.out[0].bytes.size() + 100;
    pair.window = 0;
    Slice body = Slice::copy_of(Bytes(pattern(3 * kDataFrameMax)));
    REQUIRE(pair.client.session.write_body(0, body));
    CHECK_EQ(body.size(), 2 * kDataFrameMax);
    CHECK_FALSE(pair.client.next<BodyWritable>().has_value());
    pair.client.transport.buffer_max = SIZE_MAX;
    pair.window = SIZE_MAX;
    pair.run();
    CHECK(pair.client.next<BodyWritable>().has_value());
  }

  TEST_CASE("no more of a body is read than a piece before the application asks") {
    ServerEnd end;
    end.receive(0, headers(with_method("POST")) + varint(0) + varint(1 << 20) + pattern(1 << 20));
    CHECK(end.transport.in[0].read <= kReadSize);
    end.tell_readable(0);
    CHECK(end.transport.in[0].read <= kReadSize);
  }

  // RFC 9114 §4.1.2
  TEST_CASE("a content-length that we announced is kept") {
    Asked pair;
    REQUIRE(pair.server.session.respond(0, 200, {{"content-length", "3"}}, false));
    Slice body = Slice::copy_of(as_bytes("abcd"));
    CHECK_FALSE(pair.server.session.write_body(0, body));
    CHECK_FALSE(pair.server.session.finish(0));
    body.truncate(3);
    CHECK(pair.server.session.write_body(0, body));
    CHECK(pair.server.session.finish(0));
    Asked other;
    CHECK_FALSE(other.server.session.respond(0, 200, {{"content-length", "3"}}, true));
  }

  // RFC 9110 §9.3.2, §8.6
  TEST_CASE("the response to HEAD has a content-length and no content") {
    Asked pair(with_method("HEAD"));
    REQUIRE(pair.server.session.respond(0, 200, {{"content-length", "1000"}}, false));
    Slice body = Slice::copy_of(as_bytes("x"));
    CHECK_FALSE(pair.server.session.write_body(0, body));
    REQUIRE(pair.server.session.finish(0));
    pair.run();
    CHECK_FALSE(pair.client.next<ResponseReceived>()->has_body);
    CHECK_EQ(pair.client.session.open_exchanges(), 0);
  }

  // RFC 9114 §4.4
  TEST_CASE("CONNECT makes a tunnel of DATA both ways") {
    Asked pair(connect(), false);
    REQUIRE(pair.server.session.respond(0, 200, {}, false));
    pair.run();
    CHECK_EQ(pair.client.next<ResponseReceived>()->status, 200);
    Slice up = Slice::copy_of(as_bytes("up")), down = Slice::copy_of(as_bytes("down"));
    REQUIRE(pair.client.session.write_body(0, up));
    REQUIRE(pair.server.session.write_body(0, down));
    pair.run();
    CHECK(pair.server.read_all(0).first == text("up"));
    CHECK(pair.client.read_all(0).first == text("down"));
    CHECK_FALSE(pair.client.session.finish(0, {{"a", "b"}}));
    CHECK(pair.client.session.finish(0));
    pair.run();
    CHECK(pair.server.read_all(0).second);
    CHECK(pair.server.session.finish(0));
  }

  // RFC 9220 §3, RFC 8441 §3
  TEST_CASE("extended CONNECT waits for the server's setting") {
    H3Pair pair;
    CHECK_FALSE(pair.client.session.request(extended_connect(), false).has_value());
    pair.start();
    const uint64_t stream = request(pair, extended_connect(), false);
    pair.run();
    CHECK_EQ(pair.server.next<RequestReceived>()->fields.find(":protocol"), "websocket");
    CHECK_EQ(stream, 0);
    SessionOptions without;
    without.enable_connect_protocol = false;
    H3Pair other({}, without);
    other.start();
    CHECK_FALSE(other.client.session.request(extended_connect(), false).has_value());
    // And a server that did not announce it takes it for malformed.
    ServerEnd server(without);
    server.receive(0, headers(extended_connect()));
    CHECK_EQ(server.transport.out[0].reset, code_of(ErrorCode::message_error));
  }

  TEST_CASE("a request that is malformed, or larger than the server takes, is not sent") {
    SessionOptions small;
    small.decoder.max_field_section_size = 300;
    H3Pair pair({}, small);
    pair.start();
    CHECK_FALSE(pair.client.session.request({{":method", "GET"}}, true).has_value());
    CHECK_FALSE(pair.client.session.request(with_method("GET", {{"Upper", "x"}}), true).has_value());
    CHECK_FALSE(pair.client.session.request(with_method("POST", {{"content-length", "5"}}), true).has_value());
    const std::string large(200, 'x');
    CHECK_FALSE(pair.client.session.request(with_method("GET", {{"large", large}}), true).has_value());
    CHECK_EQ(pair.client.transport.opened[0], 0);
  }

  // RFC 9114 §4.2.2
  TEST_CASE("a head beyond the limit is answered with 431, and the next request is served") {
    SessionOptions small;
    small.decoder.max_field_section_size = 300;
    ServerEnd end(small);
    end.receive(0, headers(with_method("GET", {{"large", std::string(400, 'x')}})), true);
    CHECK(end.transport.out[0].fin);
    CHECK_FALSE(end.transport.out[0].bytes.empty());
    CHECK(end.events().empty());
    end.receive(4, headers(get()), true);
    CHECK(end.next<RequestReceived>().has_value());
  }

  // RFC 9114 §4.2.2
  TEST_CASE("a response head or trailers beyond the limit end the exchange, and nothing calls them malformed") {
    SessionOptions small;
    small.decoder.max_field_section_size = 300;
    const ByteVector large = headers(status("200", {{"large", std::string(400, 'x')}}));
    for (const ByteVector& response : {large, headers(status("200")) + headers({{"large", std::string(400, 'x')}})}) {
      ClientEnd end(small);
      end.receive(0, response);
      (void)end.read_all(0);
      const auto aborted = end.next<MessageAborted>();
      REQUIRE(aborted.has_value());
      CHECK_EQ(aborted->code, code_of(ErrorCode::excessive_load));
      CHECK_FALSE(aborted->by_peer);
      CHECK_FALSE(end.transport.closed.has_value());
      CHECK(end.session.request(get(), true).value().has_value());
    }
  }

  TEST_CASE("requests wait for streams, and are told when there are some") {
    H3Pair pair;
    pair.client.transport.streams_max[0] = 1;
    pair.start();
    request(pair, get());
    CHECK_FALSE(pair.client.session.request(get(), true).value().has_value());
    pair.run();
    CHECK_FALSE(pair.client.next<RequestsAvailable>().has_value());
    pair.client.transport.streams_max[0] = 2;
    pair.run();
    CHECK(pair.client.next<RequestsAvailable>().has_value());
    CHECK(pair.client.session.request(get(), true).value().has_value());
  }

  // RFC 9204 §2.1.2, §2.2.1
  TEST_CASE("a section that waits for the dynamic table is told when its entries have come") {
    ServerEnd end;
    // Inserts "a: bcd" and is referenced before it has come: Required Insert Count 1, base 1, relative index 0.
    ByteVector head = section(get());
    const uint64_t max_entries = SessionOptions().decoder.max_table_capacity / 32;
    head[0] = static_cast<uint8_t>((1 % (2 * max_entries)) + 1);
    head.push_back(0x80);
    end.receive(0, frame(FrameType::headers, head) + data("body"), true);
    CHECK_FALSE(end.next<RequestReceived>().has_value());
    end.session.check_invariants();
    const ByteVector inserts{0x3f, 0xe1, 0x1f, 0x41, 'a', 0x03, 'b', 'c', 'd'};  // capacity 4096 first
    end.receive(kClientEncoder, stream_type(StreamType::qpack_encoder));
    for (const uint8_t byte : inserts) end.receive(kClientEncoder, ByteVector{byte});
    CHECK_FALSE(end.close_code().has_value());
    const auto event = end.next<RequestReceived>();
    REQUIRE(event.has_value());
    CHECK_EQ(event->fields.find("a"), "bcd");
    CHECK(end.read_all(0) == std::pair(text("body"), true));
    // RFC 9204 §4.4.1: our decoder stream acknowledges the section.
    CHECK(end.transport.out[11].bytes.size() > 1);
  }

  // RFC 9204 §2.2.2.2
  TEST_CASE("a blocked section of a request that is reset is forgotten") {
    ServerEnd end;
    ByteVector head = section(get());
    head[0] = 2;
    head.push_back(0x80);
    end.receive(0, frame(FrameType::headers, head));
    end.receive_reset(0, code_of(ErrorCode::request_cancelled));
    end.session.check_invariants();
    CHECK_EQ(end.session.open_exchanges(), 0);
    CHECK(end.transport.out[11].bytes.size() > 1);  // Stream Cancellation
    end.receive(kClientEncoder,
                stream_type(StreamType::qpack_encoder) + ByteVector{0x3f, 0xe1, 0x1f, 0x41, 'a', 0x01, 'b'});
    CHECK_FALSE(end.close_code().has_value());
  }

  // RFC 9114 §4.1.1
  TEST_CASE("a client that aborts ends both parts, and the server hears of both") {
    Asked pair(with_method("POST"), false);
    pair.client.session.abort(0, ErrorCode::request_cancelled);
    CHECK_FALSE(pair.client.next<ExchangeClosed>()->delivered);
    pair.run();
    CHECK_EQ(pair.server.next<MessageAborted>()->code, code_of(ErrorCode::request_cancelled));
    CHECK_EQ(pair.server.next<SendingStopped>()->code, code_of(ErrorCode::request_cancelled));
    CHECK(pair.server.next<ExchangeClosed>().has_value());
    CHECK_EQ(pair.server.session.open_exchanges(), 0);
    CHECK_FALSE(pair.server.transport.out[0].reset.has_value());  // rejected is what nobody has seen
  }

  // RFC 9114 §4.1
  TEST_CASE("a server that has answered need not read the rest, and the response arrives all the same") {
    Asked pair(with_method("POST"), false);
    answer(pair, 0, "enough");
    pair.server.session.stop_reading(0, ErrorCode::no_error);
    pair.run();
    CHECK(pair.client.next<ResponseReceived>().has_value());
    CHECK(pair.client.read_all(0) == std::pair(text("enough"), true));
    Slice more = Slice::copy_of(as_bytes("more"));
    CHECK_FALSE(pair.client.session.write_body(0, more).has_value());  // closed: both parts are over
    CHECK(pair.server.next<ExchangeClosed>()->delivered);
  }

  TEST_CASE("what is written after the peer wants no more is swallowed") {
    Asked pair(with_method("POST"), false);
    pair.server.session.stop_reading(0, ErrorCode::no_error);
    pair.run();
    CHECK_EQ(pair.client.next<SendingStopped>()->code, code_of(ErrorCode::no_error));
    Slice more = Slice::copy_of(as_bytes("more"));
    CHECK(pair.client.session.write_body(0, more));
    CHECK(more.empty());
    CHECK(pair.client.session.finish(0));
    answer(pair, 0, "done");
    pair.run();
    CHECK(pair.client.next<ResponseReceived>().has_value());
    CHECK(pair.client.read_all(0).second);
    CHECK_FALSE(pair.client.next<ExchangeClosed>()->delivered);
  }

  // RFC 9114 §6.2, §6.2.3, §7.2.8, §9
  TEST_CASE("unknown streams and frames are borne, and streams that end before their type") {
    ServerEnd end;
    end.receive(kClientOther, varint(0x21), true);
    end.receive(kClientOther + 4, ByteVector(), true);
    end.receive(kClientOther + 8, ByteVector{0x40});
    end.receive_reset(kClientOther + 8, 5);
    end.receive(kClientControl, frame(0x21 + 31 * 7, text("anything")) + frame(0x1234, {}));
    CHECK_FALSE(end.close_code().has_value());
    CHECK_EQ(end.session.statistics().unknown_streams, 1);
    CHECK_EQ(end.session.statistics().unknown_frames, 2);
  }

  TEST_CASE("without grease there is none") {
    SessionOptions options;
    options.grease = false;
    H3End end(Role::client, options);
    end.session.start();
    CHECK_EQ(end.transport.opened[1], 3);
  }

  // RFC 9114 §5.2
  TEST_CASE("an orderly end lets requests under way through and takes no new ones") {
    Asked pair;
    pair.server.session.shutdown(false);
    pair.run();
    CHECK_EQ(pair.client.next<GoawayReceived>()->id, kVarintMax - 3);
    CHECK(pair.client.session.is_going_away());
    CHECK_FALSE(pair.client.session.request(get(), true).value().has_value());
    pair.server.session.shutdown(true);
    pair.run();
    CHECK_EQ(pair.client.next<GoawayReceived>()->id, 4);
    answer(pair, 0, "bye");
    pair.run();
    CHECK(pair.client.next<ResponseReceived>().has_value());
    pair.server.session.shutdown(true);   // said already
    pair.server.session.shutdown(false);  // which would be more than before
    pair.run();
    CHECK_FALSE(pair.client.close_code().has_value());
  }

  // RFC 9114 §5.2
  TEST_CASE("requests above the server's GOAWAY are as if they had been rejected") {
    ClientEnd end;
    const uint64_t second = end.session.request(get(), true).value().value();
    end.receive(kServerControl, frame(FrameType::goaway, varint(second)));
    CHECK_EQ(end.next<GoawayReceived>()->id, second);
    const auto aborted = end.next<MessageAborted>();
    REQUIRE(aborted.has_value());
    CHECK_EQ(aborted->stream, second);
    CHECK_EQ(aborted->code, code_of(ErrorCode::request_rejected));
    CHECK_EQ(end.session.open_exchanges(), 1);
  }

  // RFC 9114 §5.2
  TEST_CASE("a response that is under way goes on, though GOAWAY names its request or an earlier one") {
    ClientEnd end;
    end.receive(0, headers(status("200")) + data("half"));
    REQUIRE(end.next<ResponseReceived>().has_value());
    end.receive(kServerControl, frame(FrameType::goaway, varint(0)));
    CHECK_EQ(end.next<GoawayReceived>()->id, 0);
    CHECK_FALSE(end.session.request(get(), true).value_or(std::nullopt).has_value());
    end.receive(0, data(" and half"), true);
    CHECK(end.read_all(0) == std::pair(text("half and half"), true));
    CHECK_FALSE(end.next<MessageAborted>().has_value());
  }

  // RFC 9114 §7.2.4.2
  TEST_CASE("remembered settings bind until the real ones come, unless early data was refused") {
    SessionOptions options;
    options.remembered = Settings{.max_field_section_size = 300, .enable_connect_protocol = true};
    H3End end(Role::client, options);
    end.session.start();
    CHECK(end.session.request(extended_connect(), false).value().has_value());
    CHECK_FALSE(end.session.request(with_method("GET", {{"large", std::string(300, 'x')}}), true).has_value());
    end.session.on_early_data_rejected();
    CHECK_FALSE(end.session.request(extended_connect(), false).has_value());
    end.receive(kServerControl, control({.max_field_section_size = 200}));
    CHECK_FALSE(end.close_code().has_value());
    CHECK(end.session.request(get(), true).value().has_value());
    CHECK_FALSE(end.session.request(with_method("GET", {{"large", std::string(50, 'x')}}), true).has_value());
  }

  TEST_CASE("after the end every exchange is told closed, and nothing more happens") {
    Asked pair;
    request(pair, get());
    pair.run();
    pair.server.session.close(ErrorCode::no_error, "enough");
    CHECK_EQ(pair.server.close_code(), code_of(ErrorCode::no_error));
    CHECK_FALSE(pair.server.session.respond(0, 200, {}, true));
    pair.server.session.on_closed();
    CHECK(pair.server.next<ExchangeClosed>().has_value());
    CHECK(pair.server.next<ExchangeClosed>().has_value());
    CHECK_FALSE(pair.server.next<ExchangeClosed>().has_value());
    CHECK_EQ(pair.server.session.open_exchanges(), 0);
  }

  TEST_CASE("a failed session tells its error last") {
    ServerEnd end;
    end.receive(0, headers(get()) + headers({{"a", "b"}}) + data("x"), true);
    (void)end.read_all(0);
    (void)end.read_all(0);
    end.session.on_closed();
    const auto events = end.events();
    REQUIRE_FALSE(events.empty());
    REQUIRE(std::holds_alternative<SessionFailed>(events.back()));
    CHECK_EQ(std::get<SessionFailed>(events.back()).code, code_of(ErrorCode::frame_unexpected));
  }

  // RFC 9204 §7.3
  TEST_CASE("a peer that gives no credit for our acknowledgments is not served for ever") {
    SessionOptions options;
    ServerEnd end(options);
    end.transport.buffer_max = 0;
    uint64_t stream = 0;
    for (; stream < 400'000 && !end.close_code(); stream += 4) {
      end.receive(stream, ByteVector{0x01});
      end.receive_reset(stream, 0);  // makes a Stream Cancellation
    }
    CHECK_EQ(end.close_code(), code_of(ErrorCode::excessive_load));
  }
}
