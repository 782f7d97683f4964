// Every error code of RFC 9114 §8.1, RFC 9204 §6 and RFC 9297 §5.2, provoked by a misbehaving peer: of a server by a client,
// of a client by a server. The last test looks at the table: a code without a row for a role says why there is none.
#include <functional>
#include <set>

#include "h3/error.h"
#include "h3/limits.h"
#include "qpack/error.h"
#include "tests/h3/raw.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::h3;
using namespace quoll::tests;

namespace {

constexpr uint64_t code_of(ErrorCode code) { return static_cast<uint64_t>(code); }
constexpr uint64_t code_of(qpack::ErrorCode code) { return static_cast<uint64_t>(code); }

/// What the error ends.
enum class Ends : uint8_t { connection, stream };

struct Row {
  uint64_t code;
  Role role;  // of the session that finds the error
  Ends ends;
  const char* what;
  std::function<void(H3End&)> provoke;
  uint64_t stream = 0;  // that ends
};

template <class Code>
Row connection(Code code, Role role, const char* what, std::function<void(H3End&)> provoke) {
  return {code_of(code), role, Ends::connection, what, std::move(provoke)};
}
template <class Code>
Row stream(Code code, Role role, const char* what, std::function<void(H3End&)> provoke, uint64_t id = 0) {
  return {code_of(code), role, Ends::stream, what, std::move(provoke), id};
}

SessionOptions options_with_pushes() {
  SessionOptions options;
  options.pushes_max = 4;
  return options;
}

constexpr Role kServer = Role::server, kClient = Role::client;

/// The stream of the peer's that begins with its header.
uint64_t peers_uni(const H3End& end, uint64_t index) { return index * 4 + 2 + (end.role == Role::client ? 1 : 0); }
uint64_t peers_control(const H3End& end) { return peers_uni(end, 0); }

// Rows that are the same for both roles.

std::vector<Row> common_rows(Role role) {
  using E = ErrorCode;
  using Q = qpack::ErrorCode;
  const auto on_control = [](ByteVector bytes) {
    return [bytes](H3End& end) { end.receive(peers_control(end), bytes); };
  };
  const auto on_new = [](uint64_t index, ByteVector bytes, bool fin = false) {
    return [=](H3End& end) { end.receive(peers_uni(end, index), bytes, fin); };
  };
  const auto on_message = [](ByteVector bytes, bool fin = false) {
    return [=](H3End& end) { end.receive(0, bytes, fin); };
  };
  const ByteVector head = role == kServer ? headers(get()) : headers(status("200"));
  const auto type = [](StreamType t) { return stream_type(t); };
  std::vector<Row> rows = {
      // RFC 9114 §6.2.1
      connection(E::stream_creation_error, role, "a second control stream", on_new(1, control())),
      // RFC 9204 §4.2
      connection(E::stream_creation_error, role, "a second encoder stream",
                 [=](H3End& end) {
                   end.receive(peers_uni(end, 1), type(StreamType::qpack_encoder));
                   end.receive(peers_uni(end, 2), type(StreamType::qpack_encoder));
                 }),
      connection(E::stream_creation_error, role, "a second decoder stream",
                 [=](H3End& end) {
                   end.receive(peers_uni(end, 1), type(StreamType::qpack_decoder));
                   end.receive(peers_uni(end, 2), type(StreamType::qpack_decoder));
                 }),
      // RFC 9114 §6.2: of the stream, not of the connection
      stream(E::stream_creation_error, role, "a stream of an unknown type", on_new(1, varint(0x21 + 0x1f) + text("x")),
             role == kServer ? 6 : 7),
      // RFC 9114 §6.2.1
      connection(E::closed_critical_stream, role, "the control stream ends",
                 [](H3End& end) { end.receive(peers_control(end), ByteVector(), true); }),
      connection(E::closed_critical_stream, role, "the control stream is reset",
                 [](H3End& end) { end.receive_reset(peers_control(end), 0); }),
      connection(E::closed_critical_stream, role, "our control stream is stopped",
                 [](H3End& end) { end.receive_stop(end.role == Role::client ? 2 : 3, 0); }),
      // RFC 9204 §4.2
      connection(E::closed_critical_stream, role, "the encoder stream ends with its type",
                 on_new(1, type(StreamType::qpack_encoder), true)),
      connection(E::closed_critical_stream, role, "the decoder stream is reset",
                 [=](H3End& end) {
                   end.receive(peers_uni(end, 1), type(StreamType::qpack_decoder));
                   end.receive_reset(peers_uni(end, 1), 0);
                 }),
      connection(E::closed_critical_stream, role, "our encoder stream is stopped",
                 [](H3End& end) { end.receive_stop(end.role == Role::client ? 6 : 7, 0); }),
      connection(E::closed_critical_stream, role, "our decoder stream is stopped",
                 [](H3End& end) { end.receive_stop(end.role == Role::client ? 10 : 11, 0); }),
      // RFC 9114 §7.2.1, §7.2.2, §7.2.4, §7.2.5, §7.2.8
      connection(E::frame_unexpected, role, "DATA on the control stream", on_control(data("x"))),
      connection(E::frame_unexpected, role, "HEADERS on the control stream", on_control(headers(get()))),
      connection(E::frame_unexpected, role, "PUSH_PROMISE on the control stream", on_control(promise(0, get()))),
      connection(E::frame_unexpected, role, "a second SETTINGS frame", on_control(frame(FrameType::settings, {}))),
      connection(E::frame_unexpected, role, "DATA before the head", on_message(data("x"))),
      connection(E::frame_unexpected, role, "DATA after the trailers",
                 [=](H3End& end) {
                   end.receive(0, head + headers({{"a", "b"}}) + data("x"));
                   (void)end.read_all(0);
                   (void)end.read_all(0);
                 }),
      connection(E::frame_unexpected, role, "HEADERS after the trailers",
                 [=](H3End& end) {
                   end.receive(0, head + headers({{"a", "b"}}) + headers({{"a", "b"}}));
                   (void)end.read_all(0);
                   (void)end.read_all(0);
                 }),
      connection(E::frame_unexpected, role, "SETTINGS on a request stream", on_message(frame(FrameType::settings, {}))),
      connection(E::frame_unexpected, role, "GOAWAY on a request stream",
                 on_message(frame(FrameType::goaway, varint(0)))),
      connection(E::frame_unexpected, role, "MAX_PUSH_ID on a request stream",
                 on_message(frame(FrameType::max_push_id, varint(0)))),
      connection(E::frame_unexpected, role, "CANCEL_PUSH on a request stream",
                 on_message(frame(FrameType::cancel_push, varint(0)))),
      connection(E::frame_unexpected, role, "PRIORITY_UPDATE on a request stream",
                 on_message(frame(FrameType::priority_update_request, varint(0)))),
      // RFC 9114 §7.1
      connection(E::frame_error, role, "a GOAWAY frame with more than an id",
                 on_control(frame(FrameType::goaway, varint(0) + text("x")))),
      connection(E::frame_error, role, "a GOAWAY frame without an id", on_control(frame(FrameType::goaway, {}))),
      connection(E::frame_error, role, "a stream that ends within a frame of its head",
                 on_message(ByteVector(head.begin(), head.end() - 1), true)),
      connection(E::frame_error, role, "a stream that ends within a frame's header", on_message({0x40}, true)),
      connection(E::frame_error, role, "a stream that ends within DATA",
                 [=](H3End& end) {
                   end.receive(0, head + varint(0) + varint(5) + text("abc"), true);
                   (void)end.read_all(0);
                 }),
      connection(E::frame_error, role, "a stream that ends within DATA, which nobody reads",
                 on_message(head + varint(0) + varint(5) + text("abc"), true)),
      connection(E::frame_error, role, "a stream that ends within a frame's header after the head",
                 on_message(head + ByteVector{0x40}, true)),
      connection(E::frame_error, role, "a stream that ends within an unknown frame",
                 on_message(head + varint(0x21) + varint(5) + text("abc"), true)),
      connection(E::frame_error, role, "a stream that ends within its trailers",
                 [=](H3End& end) {
                   end.receive(0, head + ByteVector(head.begin(), head.end() - 1), true);
                   (void)end.read_all(0);
                 }),
      connection(E::frame_error, role, "a CANCEL_PUSH frame with more than an id",
                 on_control(frame(FrameType::cancel_push, varint(0) + varint(0)))),
      connection(E::frame_error, role, "a CANCEL_PUSH frame without an id",
                 on_control(frame(FrameType::cancel_push, {}))),
      // RFC 9114 §10.5
      connection(E::excessive_load, role, "a flood of unknown frames",
                 [](H3End& end) {
                   ByteVector flood;
                   for (uint32_t i = 0; i <= kUselessMax; i++) flood = std::move(flood) + frame(0x21, {});
                   end.receive(peers_control(end), flood);
                 }),
      connection(E::excessive_load, role, "a flood of empty DATA frames",
                 [=](H3End& end) {
                   ByteVector flood = head;
                   for (uint32_t i = 0; i <= 2 * kUselessMax; i++) flood = std::move(flood) + data("");
                   end.receive(0, flood);
                   (void)end.read_all(0);
                 }),
      connection(E::excessive_load, role, "streams without a type",
                 [](H3End& end) { end.tell_opened(peers_uni(end, kUntypedStreamsMax + 1)); }),
      // RFC 9114 §5.2
      connection(E::id_error, role, "GOAWAY with a larger id than before",
                 on_control(frame(FrameType::goaway, varint(4)) + frame(FrameType::goaway, varint(8)))),
      connection(E::id_error, role, "CANCEL_PUSH above the limit",
                 on_control(frame(FrameType::cancel_push, varint(99)))),
      // RFC 9114 §4.1.2
      stream(E::message_error, role, "a pseudo-header field in trailers",
             [=](H3End& end) {
               end.receive(0, head + headers({{":path", "/"}}));
               (void)end.read_all(0);
             }),
      stream(E::message_error, role, "more content than content-length says",
             [=](H3End& end) {
               const http::FieldSection length{{"content-length", "2"}};
               end.receive(
                   0, headers(role == kServer ? with_method("POST", length) : status("200", length)) + data("abc"));
               (void)end.read_all(0);
             }),
      stream(E::message_error, role, "less content than content-length says",
             [=](H3End& end) {
               const http::FieldSection length{{"content-length", "5"}};
               end.receive(0,
                           headers(role == kServer ? with_method("POST", length) : status("200", length)) + data("abc"),
                           true);
               (void)end.read_all(0);
             }),
      stream(E::message_error, role, "no content where content-length says some",
             on_message(headers(role == kServer ? with_method("POST", {{"content-length", "5"}})
                                                : status("200", {{"content-length", "5"}})),
                        true)),
      // RFC 9297 §2.1
      connection(E::datagram_error, role, "an empty datagram",
                 [](H3End& end) { end.session.on_datagram(Slice::copy_of(ByteVector())); }),
      connection(E::datagram_error, role, "a datagram of a stream that cannot be",
                 [](H3End& end) { end.session.on_datagram(Slice::copy_of(varint(uint64_t{1} << 60))); }),
      connection(E::id_error, role, "a datagram of a stream beyond the limit",
                 [](H3End& end) {
                   end.session.on_datagram(Slice::copy_of(varint(end.transport.request_limit() / 4) + text("x")));
                 }),
      stream(E::datagram_error, role, "a datagram of a request that has none",
             [=](H3End& end) {
               end.receive(0, head);
               end.session.on_datagram(Slice::copy_of(varint(0) + text("x")));
             }),
      // RFC 9204 §2.2.1, §3.1, §6
      connection(Q::decompression_failed, role, "a section that is no QPACK",
                 on_message(frame(FrameType::headers, {0x00, 0x00, 0xff, 0xff, 0xff}))),
      connection(Q::decompression_failed, role, "an empty section", on_message(frame(FrameType::headers, {}))),
      connection(Q::encoder_stream_error, role, "a capacity above the limit",
                 on_new(1, type(StreamType::qpack_encoder) + ByteVector{0x3f, 0xff, 0xff, 0x7f})),
      connection(Q::decoder_stream_error, role, "an acknowledgment of a section that was not sent",
                 on_new(1, type(StreamType::qpack_decoder) + ByteVector{0xff, 0x7f})),
      connection(Q::decoder_stream_error, role, "an increment of zero",
                 on_new(1, type(StreamType::qpack_decoder) + ByteVector{0x00})),
  };
  // RFC 9114 §7.2.8, §11.2.1
  for (const uint64_t number : {0x02, 0x06, 0x08, 0x09}) {
    rows.push_back(connection(E::frame_unexpected, role, "a frame of HTTP/2 on the control stream",
                              on_control(frame(number, {}))));
    rows.push_back(
        connection(E::frame_unexpected, role, "a frame of HTTP/2 on a request stream", on_message(frame(number, {}))));
    rows.push_back(connection(E::frame_unexpected, role, "a frame of HTTP/2 after a head",
                              on_message(head + frame(number, text("x")))));
  }
  // RFC 9114 §7.2.3, §7.2.4, §7.2.6, §7.2.7, RFC 9218 §7.2: found although nobody reads the body
  for (const FrameType stray : {FrameType::settings, FrameType::goaway, FrameType::cancel_push, FrameType::max_push_id,
                                FrameType::priority_update_request, FrameType::priority_update_push}) {
    rows.push_back(connection(E::frame_unexpected, role, "a frame of the control stream after a head",
                              on_message(head + frame(stray, varint(0)))));
    rows.push_back(
        connection(E::frame_unexpected, role, "a frame of the control stream after trailers", [=](H3End& end) {
          end.receive(0, head + data("x") + headers({{"a", "b"}}) + frame(stray, varint(0)));
          (void)end.read_all(0);
        }));
  }
  // RFC 9114 §6.2.1, §7.2.4: of an end to which nothing was sent yet.
  const auto fresh = [role](uint64_t code, const char* what, ByteVector bytes) {
    return Row{code, role, Ends::connection, what, [bytes](H3End& end) {
                 H3End other(end.role);
                 other.session.start();
                 other.receive(peers_control(other), stream_type(StreamType::control) + bytes);
                 REQUIRE(other.transport.closed.has_value());
                 end.session.close(ErrorCode{other.transport.closed->first}, "");
               }};
  };
  rows.push_back(fresh(code_of(E::missing_settings), "GOAWAY before SETTINGS", frame(FrameType::goaway, varint(0))));
  rows.push_back(fresh(code_of(E::missing_settings), "an unknown frame before SETTINGS", frame(0x21, {})));
  rows.push_back(fresh(code_of(E::missing_settings), "DATA before SETTINGS", data("x")));
  // RFC 9114 §7.2.4.1, §11.2.2
  for (const uint64_t id : {0x00, 0x02, 0x03, 0x04, 0x05}) {
    rows.push_back(
        fresh(code_of(E::settings_error), "a setting of HTTP/2", frame(FrameType::settings, varint(id) + varint(1))));
  }
  rows.push_back(fresh(code_of(E::settings_error), "ENABLE_CONNECT_PROTOCOL that is 2",
                       frame(FrameType::settings, varint(0x08) + varint(2))));
  rows.push_back(
      fresh(code_of(E::settings_error), "a setting twice", frame(FrameType::settings, {0x06, 0x01, 0x06, 0x01})));
  rows.push_back(
      fresh(code_of(E::settings_error), "H3_DATAGRAM that is 2", frame(FrameType::settings, varint(0x33) + varint(2))));
  ByteVector settings;
  for (uint64_t i = 0; i < 300; i++) settings = settings + varint(reserved_id(i)) + varint(0);
  rows.push_back(fresh(code_of(E::excessive_load), "hundreds of settings", frame(FrameType::settings, settings)));
  rows.push_back(fresh(code_of(E::excessive_load), "a large frame on the control stream",
                       varint(static_cast<uint64_t>(FrameType::settings)) + varint(kControlPayloadMax + 1)));
  rows.push_back(fresh(code_of(E::frame_error), "half a setting", frame(FrameType::settings, {0x06})));
  return rows;
}

std::vector<Row> server_rows() {
  using E = ErrorCode;
  const auto on_control = [](ByteVector bytes) { return [bytes](H3End& end) { end.receive(kClientControl, bytes); }; };
  return {
      connection(E::stream_creation_error, kServer, "a push stream of a client's",
                 [](H3End& end) { end.receive(kClientEncoder, stream_type(StreamType::push)); }),
      connection(E::frame_unexpected, kServer, "PUSH_PROMISE of a client's",
                 [](H3End& end) { end.receive(0, headers(get()) + promise(0, get())), (void)end.read_all(0); }),
      connection(E::frame_unexpected, kServer, "HEADERS in a tunnel",
                 [](H3End& end) {
                   end.receive(0, headers(connect()) + headers({{"a", "b"}}));
                   (void)end.read_all(0);
                 }),
      // RFC 9114 §7.2.7, §7.2.3
      connection(E::id_error, kServer, "a MAX_PUSH_ID that shrinks",
                 on_control(frame(FrameType::max_push_id, varint(5)) + frame(FrameType::max_push_id, varint(4)))),
      connection(E::id_error, kServer, "CANCEL_PUSH of what was not promised",
                 on_control(frame(FrameType::max_push_id, varint(5)) + frame(FrameType::cancel_push, varint(0)))),
      connection(E::id_error, kServer, "CANCEL_PUSH without a MAX_PUSH_ID",
                 on_control(frame(FrameType::cancel_push, varint(0)))),
      connection(E::frame_error, kServer, "a MAX_PUSH_ID frame with more than an id",
                 on_control(frame(FrameType::max_push_id, varint(0) + varint(0)))),
      // RFC 9218 §7.2
      connection(E::id_error, kServer, "PRIORITY_UPDATE of a stream beyond the limit",
                 [](H3End& end) {
                   end.transport.peer_requests_max = 100;
                   end.receive(kClientControl, frame(FrameType::priority_update_request, varint(4 * 99) + text("u=1")));
                   CHECK_FALSE(end.close_code().has_value());
                   end.receive(kClientControl, frame(FrameType::priority_update_request, varint(400) + text("u=1")));
                 }),
      connection(E::id_error, kServer, "PRIORITY_UPDATE of a push above the limit",
                 on_control(frame(FrameType::max_push_id, varint(5)) +
                            frame(FrameType::priority_update_push, varint(6) + text("u=1")))),
      connection(E::id_error, kServer, "PRIORITY_UPDATE of a stream that is no request",
                 on_control(frame(FrameType::priority_update_request, varint(3) + text("u=1")))),
      connection(E::id_error, kServer, "PRIORITY_UPDATE of a push that was not promised",
                 on_control(frame(FrameType::priority_update_push, varint(0) + text("u=1")))),
      connection(E::general_protocol_error, kServer, "PRIORITY_UPDATE that does not parse",
                 on_control(frame(FrameType::priority_update_request, varint(0) + text("=")))),
      connection(E::frame_error, kServer, "PRIORITY_UPDATE without an id",
                 on_control(frame(FrameType::priority_update_request, {}))),
      connection(E::excessive_load, kServer, "priorities over and over",
                 [](H3End& end) {
                   ByteVector flood;
                   for (uint32_t i = 0; i <= kUselessMax; i++) {
                     flood = std::move(flood) + frame(FrameType::priority_update_request, varint(400));
                   }
                   end.receive(kClientControl, flood);
                 }),
      // RFC 9114 §4.1
      stream(E::request_incomplete, kServer, "a stream that ends without a request",
             [](H3End& end) { end.receive(0, ByteVector(), true); }),
      stream(E::request_incomplete, kServer, "a stream with nothing but unknown frames",
             [](H3End& end) { end.receive(0, frame(0x21, text("x")), true); }),
      // RFC 9114 §4.1.1, §5.2
      stream(E::request_rejected, kServer, "a request after GOAWAY",
             [](H3End& end) {
               end.session.shutdown(true);
               end.receive(0, headers(get()), true);
             }),
      stream(E::request_rejected, kServer, "a request that is reset before its head came",
             [](H3End& end) {
               end.receive(0, {0x01});
               end.receive_reset(0, code_of(ErrorCode::request_cancelled));
             }),
      // RFC 9114 §4.1.2: nobody needs to read the body for it
      stream(E::message_error, kServer, "content that content-length does not fit, and nobody reads",
             [](H3End& end) {
               end.receive(0, headers(with_method("POST", {{"content-length", "5"}})) + data("abc"), true);
               CHECK_FALSE(end.next<RequestReceived>().has_value());
             }),
      stream(E::message_error, kServer, "content that nobody wants, and content-length does not fit",
             [](H3End& end) {
               end.receive(0, headers(with_method("POST", {{"content-length", "5"}})));
               CHECK(end.session.respond(0, 404, {}, true).has_value());
               end.session.discard(0);
               end.receive(0, data("abc"), true);
             }),
      connection(E::frame_unexpected, kServer, "a frame that is not allowed, after content that nobody wants",
                 [](H3End& end) {
                   end.receive(0, headers(with_method("POST")));
                   CHECK(end.session.respond(0, 404, {}, true).has_value());
                   end.session.discard(0);
                   end.receive(0, data("abc") + headers({{"a", "b"}}));
                   end.receive(0, data("abc"));
                 }),
      // RFC 9114 §4.1: more than one request on a stream
      stream(E::message_error, kServer, "a second request on a stream",
             [](H3End& end) {
               end.receive(0, headers(get()) + headers(get()), true);
               (void)end.read_all(0);
             }),
      // RFC 9297 §3.2
      stream(E::message_error, kServer, "a length beside capsules",
             [](H3End& end) {
               http::FieldSection fields = extended_connect();
               fields.append({{"capsule-protocol", "?1"}, {"content-length", "0"}});
               end.receive(0, headers(fields));
             }),
      // RFC 9114 §7.2.3
      stream(
          E::request_cancelled, kServer, "a push that the client cancels",
          [](H3End& end) {
            end.receive(kClientControl, frame(FrameType::max_push_id, varint(5)));
            end.receive(0, headers(get()), true);
            REQUIRE(end.session.push(0, get("/pushed")).value().has_value());
            end.receive(kClientControl, frame(FrameType::cancel_push, varint(0)));
          },
          kServerOther + 4),
      // RFC 9114 §4.1: the rest is not needed to answer
      stream(E::no_error, kServer, "a head that is larger than the limit",
             [](H3End& end) {
               end.receive(0, varint(1) + varint(1 << 24));
               CHECK_EQ(end.transport.out[0].bytes.empty(), false);
               CHECK(end.transport.out[0].fin);
             }),
  };
}

std::vector<Row> client_rows() {
  using E = ErrorCode;
  const auto on_message = [](ByteVector bytes, bool fin = false) {
    return [=](H3End& end) { end.receive(0, bytes, fin); };
  };
  const auto on_control = [](ByteVector bytes) { return [bytes](H3End& end) { end.receive(kServerControl, bytes); }; };
  const auto push_stream = [](uint64_t push_id) { return stream_type(StreamType::push) + varint(push_id); };
  return {
      // RFC 9114 §6.1
      connection(E::stream_creation_error, kClient, "a bidirectional stream of the server's",
                 [](H3End& end) { end.receive(1, ByteVector()); }),
      // RFC 9114 §7.2.7, RFC 9218 §7.2
      connection(E::frame_unexpected, kClient, "MAX_PUSH_ID of a server's",
                 on_control(frame(FrameType::max_push_id, varint(0)))),
      connection(E::frame_unexpected, kClient, "PRIORITY_UPDATE of a server's",
                 on_control(frame(FrameType::priority_update_request, varint(0)))),
      connection(E::frame_unexpected, kClient, "PUSH_PROMISE on a push stream",
                 [=](H3End& end) {
                   end.receive(0, promise(0, get("/p")));
                   end.receive(kServerEncoder, push_stream(0) + promise(1, get("/p")));
                 }),
      // RFC 9114 §4.1, §7.1, §7.2: push streams
      connection(E::frame_unexpected, kClient, "DATA before the head of a push",
                 [=](H3End& end) {
                   end.receive(0, promise(0, get("/p")));
                   end.receive(kServerEncoder, push_stream(0) + data("x"));
                 }),
      connection(E::frame_unexpected, kClient, "SETTINGS on a push stream",
                 [=](H3End& end) {
                   end.receive(0, promise(0, get("/p")));
                   end.receive(kServerEncoder, push_stream(0) + frame(FrameType::settings, {}));
                 }),
      connection(E::frame_error, kClient, "a push stream that ends within a frame",
                 [=](H3End& end) {
                   end.receive(0, promise(0, get("/p")));
                   end.receive(kServerEncoder, push_stream(0) + headers(status("200")) + varint(0) + varint(9), true);
                 }),
      // RFC 9114 §4.5, §4.1: interim responses have no content
      connection(E::frame_unexpected, kClient, "DATA after an interim response",
                 on_message(headers(status("103")) + data("x"))),
      // RFC 9114 §7.2.6
      connection(E::id_error, kClient, "GOAWAY with a stream that is no request",
                 on_control(frame(FrameType::goaway, varint(3)))),
      // RFC 9114 §4.6, §6.2.2, §7.2.5
      connection(E::id_error, kClient, "a promise above the limit", on_message(promise(4, get("/p")))),
      connection(E::id_error, kClient, "a push stream above the limit",
                 [=](H3End& end) { end.receive(kServerEncoder, push_stream(4)); }),
      connection(E::id_error, kClient, "two streams of one push",
                 [=](H3End& end) {
                   end.receive(kServerEncoder, push_stream(0));
                   end.receive(kServerDecoder, push_stream(0));
                 }),
      connection(E::general_protocol_error, kClient, "two promises that differ",
                 on_message(promise(0, get("/a")) + promise(0, get("/b")))),
      connection(E::frame_error, kClient, "a promise without an id", on_message(frame(FrameType::push_promise, {}))),
      connection(E::excessive_load, kClient, "interim responses without end",
                 [](H3End& end) {
                   ByteVector flood;
                   for (uint32_t i = 0; i <= kUselessMax; i++) flood = std::move(flood) + headers(status("103"));
                   end.receive(0, flood);
                 }),
      connection(E::excessive_load, kClient, "the same promise without end",
                 [](H3End& end) {
                   ByteVector flood;
                   for (uint32_t i = 0; i <= kUselessMax + 1; i++) flood = std::move(flood) + promise(0, get("/p"));
                   end.receive(0, flood);
                 }),
      // RFC 9114 §7.2.4.2
      connection(E::settings_error, kClient, "settings that are less than those remembered",
                 [](H3End& end) {
                   SessionOptions options;
                   options.remembered = Settings{.max_field_section_size = 1000};
                   H3End other(Role::client, options);
                   other.session.start();
                   other.receive(kServerControl, control({.max_field_section_size = 999}));
                   REQUIRE(other.transport.closed.has_value());
                   end.session.close(ErrorCode{other.transport.closed->first}, "");
                 }),
      // RFC 9204 §3.2.3
      connection(qpack::ErrorCode::decoder_stream_error, kClient, "another table capacity than the one remembered",
                 [](H3End& end) {
                   SessionOptions options;
                   options.remembered = Settings{.qpack_max_table_capacity = 4096};
                   H3End other(Role::client, options);
                   other.session.start();
                   other.receive(kServerControl, control({.qpack_max_table_capacity = 8192}));
                   REQUIRE(other.transport.closed.has_value());
                   end.session.close(ErrorCode{other.transport.closed->first}, "");
                 }),
      // RFC 9114 §4.1: more than one response to a request
      stream(E::message_error, kClient, "a second final response",
             [](H3End& end) {
               end.receive(0, headers(status("200")) + headers(status("200")), true);
               (void)end.read_all(0);
             }),
      // RFC 9114 §4.1, §4.3.2, §4.5
      stream(E::message_error, kClient, "a stream that ends without a response", on_message({}, true)),
      stream(E::message_error, kClient, "a stream that ends after an interim response",
             on_message(headers(status("103")), true)),
      stream(E::message_error, kClient, "content of a response with 304, which nobody reads",
             on_message(headers(status("304")) + data("x"), true)),
      stream(E::message_error, kClient, "content of a response with 204",
             [](H3End& end) {
               end.receive(0, headers(status("204")) + data("x"));
               (void)end.read_all(0);
             }),
      // RFC 9114 §4.2.2
      stream(E::excessive_load, kClient, "a head that is larger than the limit",
             on_message(varint(1) + varint(1 << 24))),
      // RFC 9114 §4.6, §7.2.3
      stream(
          E::request_cancelled, kClient, "a push stream after its push was cancelled",
          [=](H3End& end) {
            end.receive(0, promise(0, get("/p")));
            end.session.cancel_push(0);
            end.receive(kServerEncoder, push_stream(0));
          },
          kServerEncoder),
      // RFC 9114 §5.2: the server will not answer it
      stream(E::request_cancelled, kClient, "a request above the server's GOAWAY",
             on_control(frame(FrameType::goaway, varint(0)))),
  };
}

std::vector<Row> all_rows() {
  std::vector<Row> rows = common_rows(kServer);
  for (std::vector<Row> more : {common_rows(kClient), server_rows(), client_rows()}) {
    rows.insert(rows.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  }
  return rows;
}

/// Codes that no misbehaviour of a peer's provokes, in that role.
struct Exempt {
  uint64_t code;
  Role role;
  const char* why;
};
const Exempt kExempt[] = {
    {code_of(ErrorCode::no_error), kClient, "a client that has its response goes on reading"},
    {code_of(ErrorCode::internal_error), kServer, "a fault of our own"},
    {code_of(ErrorCode::internal_error), kClient, "a fault of our own"},
    {code_of(ErrorCode::request_rejected), kClient, "RFC 9114 §4.1.1: servers alone reject"},
    {code_of(ErrorCode::request_incomplete), kClient, "of requests alone"},
    {code_of(ErrorCode::connect_error), kServer, "the application's, of a TCP connection"},
    {code_of(ErrorCode::connect_error), kClient, "the application's, of a TCP connection"},
    {code_of(ErrorCode::version_fallback), kServer, "the application's, of a resource"},
    {code_of(ErrorCode::version_fallback), kClient, "of servers alone"},
};

}  // namespace

TEST_SUITE("h3 conformance") {
  // RFC 9114 §8.1, RFC 9204 §6, RFC 9297 §5.2
  TEST_CASE("each misbehaviour of a peer's ends in its error") {
    for (const Row& row : all_rows()) {
      CAPTURE(std::string(row.what));
      CAPTURE(row.role == kServer);
      std::optional<H3End> end;
      end.emplace(row.role, row.role == kClient ? options_with_pushes() : SessionOptions{});
      end->session.start();
      end->receive(peers_control(*end), control());
      if (row.role == kClient) REQUIRE(end->session.request(get(), true).value() == 0);
      (void)end->events();
      row.provoke(*end);
      end->session.check_invariants();
      if (row.ends == Ends::connection) {
        CHECK_EQ(end->close_code(), row.code);
        continue;
      }
      CHECK_FALSE(end->close_code().has_value());
      const std::optional<uint64_t> reset = end->transport.out[row.stream].reset;
      const std::optional<uint64_t> stopped = end->transport.in[row.stream].stop;
      CHECK_EQ(reset ? reset : stopped, row.code);
    }
  }

  // RFC 9114 §8.1, RFC 9204 §6
  TEST_CASE("no code is without a test, unless it says why") {
    std::set<std::pair<uint64_t, Role>> seen;
    for (const Row& row : all_rows()) seen.emplace(row.code, row.role);
    for (const Exempt& exempt : kExempt) {
      CHECK_FALSE(seen.contains({exempt.code, exempt.role}));
      seen.emplace(exempt.code, exempt.role);
    }
    size_t codes = 0;
    for (uint64_t code = 0; code < 0x300; code++) {
      if (name_of(code).empty()) continue;
      codes++;
      CAPTURE(std::string(name_of(code)));
      CHECK(seen.contains({code, kServer}));
      CHECK(seen.contains({code, kClient}));
    }
    CHECK_EQ(codes, 17 + 1 + 3);
  }
}
