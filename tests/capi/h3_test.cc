// The C interface: requests and responses of HTTP/3, without a socket.
#include <span>

#include "tests/capi/support.h"

#include <doctest/doctest.h>

namespace quoll::tests {
namespace {

const quoll_field kGet[] = {QUOLL_FIELD(":method", "GET"), QUOLL_FIELD(":scheme", "https"),
                            QUOLL_FIELD(":authority", "localhost"), QUOLL_FIELD(":path", "/a?b"),
                            QUOLL_FIELD("x-colour", "green")};
const quoll_field kPost[] = {QUOLL_FIELD(":method", "POST"), QUOLL_FIELD(":scheme", "https"),
                             QUOLL_FIELD(":authority", "localhost"), QUOLL_FIELD(":path", "/")};

uint64_t request(Pair& pair, std::span<const quoll_field> fields, int end) {
  uint64_t stream = QUOLL_NO_STREAM;
  REQUIRE(quoll_h3_request(pair.client.endpoint, pair.client.connection, fields.data(), fields.size(), end, &stream) ==
          QUOLL_OK);
  return stream;
}

int respond(Pair& pair, uint64_t stream, unsigned status, std::span<const quoll_field> fields, int end) {
  return quoll_h3_respond(pair.server.endpoint, pair.server.connection, stream, status, fields.data(), fields.size(),
                          end);
}

TEST_CASE("a request and its response, with bodies, an interim response and trailers") {
  Pair pair(true);
  pair.establish();
  const uint64_t stream = request(pair, kPost, 0);
  CHECK(pair.client.write(stream, "question") == 8);
  CHECK(pair.client.finish(stream) == QUOLL_OK);
  pair.run();
  REQUIRE(pair.server.find(QUOLL_EVENT_H3_REQUEST));
  const Event head = *pair.server.find(QUOLL_EVENT_H3_REQUEST);
  CHECK(head.stream == stream);
  CHECK(head.field(":path") == "/");
  CHECK(head.has_body == 1);
  CHECK(head.early == 0);
  CHECK(pair.server.find(QUOLL_EVENT_STREAM_READABLE));
  CHECK(pair.server.read(stream) == "question");
  CHECK(pair.server.ended);

  const quoll_field type[] = {QUOLL_FIELD("content-type", "text/plain")};
  const quoll_field trailers[] = {QUOLL_FIELD("checksum", "7")};
  CHECK(respond(pair, stream, 103, {}, 0) == QUOLL_OK);
  CHECK(respond(pair, stream, 200, type, 0) == QUOLL_OK);
  CHECK(pair.server.write(stream, "answer") == 6);
  CHECK(quoll_h3_finish_with_trailers(pair.server.endpoint, pair.server.connection, stream, trailers, 1) == QUOLL_OK);
  pair.run();
  CHECK(pair.client.count(QUOLL_EVENT_H3_RESPONSE) == 2);
  CHECK(pair.client.find(QUOLL_EVENT_H3_RESPONSE)->http_status == 103);
  CHECK(pair.client.read(stream) == "answer");
  pair.run();
  CHECK(pair.client.read(stream) == "");
  CHECK(pair.client.ended);
  REQUIRE(pair.client.find(QUOLL_EVENT_H3_TRAILERS));
  CHECK(pair.client.find(QUOLL_EVENT_H3_TRAILERS)->field("checksum") == "7");
  pair.run();
  REQUIRE(pair.server.find(QUOLL_EVENT_H3_CLOSED));
  CHECK(pair.server.find(QUOLL_EVENT_H3_CLOSED)->delivered == 1);
  CHECK(pair.client.find(QUOLL_EVENT_H3_CLOSED));
}

TEST_CASE("fields arrive as they were sent, and a body larger than any window too") {
  Pair pair(true);
  pair.establish();
  const uint64_t stream = request(pair, kGet, 1);
  pair.run();
  CHECK(pair.server.find(QUOLL_EVENT_H3_REQUEST)->field("x-colour") == "green");
  CHECK(pair.server.find(QUOLL_EVENT_H3_REQUEST)->has_body == 0);
  CHECK(respond(pair, stream, 200, {}, 0) == QUOLL_OK);
  const std::string whole(20'000'000, 'q');
  size_t sent = 0, received = 0;
  bool finished = false;
  for (int i = 0; i < 10'000 && !pair.client.ended; i++) {
    if (sent < whole.size()) sent += pair.server.write(stream, std::string_view(whole).substr(sent));
    if (sent == whole.size() && !std::exchange(finished, true)) CHECK(pair.server.finish(stream) == QUOLL_OK);
    pair.run();
    received += pair.client.read(stream).size();
  }
  CHECK(received == whole.size());
  CHECK(pair.client.ended);
  CHECK(pair.server.find(QUOLL_EVENT_STREAM_WRITABLE));
}

TEST_CASE("a malformed request is refused before it is sent") {
  Pair pair(true);
  const quoll_field bad[] = {QUOLL_FIELD(":method", "GET"), QUOLL_FIELD("Upper", "case")};
  uint64_t stream = 0;
  CHECK(pair.connect(pair.options()) == QUOLL_OK);
  CHECK(quoll_h3_request(pair.client.endpoint, pair.client.connection, kGet, 5, 1, &stream) == QUOLL_E_STATE);
  pair.run();
  CHECK(quoll_h3_request(pair.client.endpoint, pair.client.connection, bad, 2, 1, &stream) == QUOLL_E_INVALID);
  CHECK(quoll_stream_open(pair.client.endpoint, pair.client.connection, 0, &stream) == QUOLL_E_STATE);
  CHECK(respond(pair, 0, 99, {}, 1) == QUOLL_E_INVALID);
  CHECK(respond(pair, 0, 200, {}, 1) == QUOLL_E_STATE);  // there was no request
}

TEST_CASE("a reset by the client is told to the server") {
  Pair pair(true);
  pair.establish();
  const uint64_t stream = request(pair, kPost, 0);
  pair.run();
  CHECK(quoll_stream_reset(pair.client.endpoint, pair.client.connection, stream, 0x10c) == QUOLL_OK);
  pair.run();
  REQUIRE(pair.server.find(QUOLL_EVENT_STREAM_RESET));
  CHECK(pair.server.find(QUOLL_EVENT_STREAM_RESET)->error_code == 0x10c);
}

TEST_CASE("after a shutdown there are no further requests") {
  Pair pair(true);
  pair.establish();
  const uint64_t stream = request(pair, kGet, 1);
  pair.run();
  CHECK(quoll_h3_shutdown(pair.server.endpoint, pair.server.connection, 1) == QUOLL_OK);
  pair.run();
  REQUIRE(pair.client.find(QUOLL_EVENT_H3_GOAWAY));
  CHECK(pair.client.find(QUOLL_EVENT_H3_GOAWAY)->stream > stream);
  uint64_t another = 0;
  CHECK(quoll_h3_request(pair.client.endpoint, pair.client.connection, kGet, 5, 1, &another) == QUOLL_E_STATE);
  CHECK(respond(pair, stream, 204, {}, 1) == QUOLL_OK);
  pair.run();
  CHECK(pair.client.find(QUOLL_EVENT_H3_RESPONSE)->http_status == 204);
}

TEST_CASE("the end of a connection is its last event, after those of its requests") {
  Pair pair(true);
  pair.establish();
  request(pair, kGet, 1);
  pair.run();
  CHECK(quoll_connection_close(pair.server.endpoint, pair.server.connection, pair.now, 0x102, "broken") == QUOLL_OK);
  pair.run();
  for (Side* side : {&pair.client, &pair.server}) {
    CHECK(side->count(QUOLL_EVENT_H3_CLOSED) == 1);
    CHECK(side->count(QUOLL_EVENT_CLOSED) == 1);
    CHECK(side->events.back().kind == QUOLL_EVENT_CLOSED);
  }
  CHECK(pair.client.events.back().error_code == 0x102);
  CHECK(pair.client.finish(0) == QUOLL_E_GONE);
}

TEST_CASE("a request in 0-RTT says that it may be a replay") {
  const Identity identity;
  Pair pair(true, identity);
  pair.establish();
  REQUIRE(pair.client.find(QUOLL_EVENT_RESUMPTION));
  std::string resumption;
  for (const Event& event : pair.client.events) {
    if (event.kind == QUOLL_EVENT_RESUMPTION) resumption = event.bytes;
  }
  quoll_connect_options options = pair.options();
  options.resumption = reinterpret_cast<const uint8_t*>(resumption.data());
  options.resumption_size = resumption.size();
  options.early_data = 1;
  pair.client.events.clear();
  pair.server.events.clear();
  CHECK(pair.connect(options) == QUOLL_OK);
  const uint64_t stream = request(pair, kGet, 1);
  pair.run();
  REQUIRE(pair.server.find(QUOLL_EVENT_H3_REQUEST));
  CHECK(pair.client.find(QUOLL_EVENT_CONNECTED)->early == 1);
  CHECK(pair.server.find(QUOLL_EVENT_H3_REQUEST)->early == 1);
  CHECK(respond(pair, stream, 200, {}, 1) == QUOLL_OK);
  pair.run();
  CHECK(pair.client.find(QUOLL_EVENT_H3_RESPONSE)->http_status == 200);
}

TEST_CASE("datagrams belong to a CONNECT request") {
  Pair pair(true);
  pair.establish();
  const quoll_field fields[] = {QUOLL_FIELD(":method", "CONNECT"), QUOLL_FIELD(":protocol", "test"),
                                QUOLL_FIELD(":scheme", "https"), QUOLL_FIELD(":authority", "localhost"),
                                QUOLL_FIELD(":path", "/")};
  const uint64_t stream = request(pair, fields, 0);
  pair.run();
  CHECK(respond(pair, stream, 200, {}, 0) == QUOLL_OK);
  CHECK(quoll_datagram_send(pair.server.endpoint, pair.server.connection, stream, "hey", 3) == QUOLL_OK);
  pair.run();
  REQUIRE(pair.client.find(QUOLL_EVENT_DATAGRAM));
  CHECK(pair.client.find(QUOLL_EVENT_DATAGRAM)->stream == stream);
  char memory[2];
  size_t size = 0;
  Side& client = pair.client;
  CHECK(quoll_datagram_receive(client.endpoint, client.connection, stream, memory, 2, &size) == QUOLL_E_SIZE);
  CHECK(quoll_datagram_receive(client.endpoint, client.connection, stream, memory, 2, &size) == QUOLL_E_AGAIN);
}

}  // namespace
}  // namespace quoll::tests
