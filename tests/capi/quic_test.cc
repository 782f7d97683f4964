// The C interface: connections, streams, datagrams and resumption over QUIC, without a socket.
#include "tests/capi/support.h"

#include <doctest/doctest.h>

namespace quoll::tests {
namespace {

uint64_t open(Pair& pair) {
  uint64_t stream = QUOLL_NO_STREAM;
  REQUIRE(quoll_stream_open(pair.client.endpoint, pair.client.connection, 0, &stream) == QUOLL_OK);
  return stream;
}

TEST_CASE("a stream goes there and back") {
  Pair pair(false);
  pair.establish();
  const uint64_t stream = open(pair);
  CHECK(pair.client.write(stream, "ping") == 4);
  CHECK(pair.client.finish(stream) == QUOLL_OK);
  pair.run();
  REQUIRE(pair.server.find(QUOLL_EVENT_STREAM_OPENED));
  CHECK(pair.server.find(QUOLL_EVENT_STREAM_OPENED)->stream == stream);
  CHECK(pair.server.read(stream) == "ping");
  CHECK(pair.server.ended);
  CHECK(pair.server.write(stream, "pong") == 4);
  CHECK(pair.server.finish(stream) == QUOLL_OK);
  pair.run();
  CHECK(pair.client.read(stream) == "pong");
  CHECK(pair.client.find(QUOLL_EVENT_STREAM_DELIVERED));
  // The stream is over and forgotten.
  CHECK(pair.client.write(stream, "more") == 0);
  CHECK(pair.client.status == QUOLL_E_STATE);
  CHECK(std::string_view(quoll_last_reason()).size() > 0);
}

TEST_CASE("what an info says of a connection") {
  Pair pair(false);
  pair.establish();
  auto info = sized<quoll_connection_info>();
  REQUIRE(quoll_connection_get_info(pair.server.endpoint, pair.server.connection, &info) == QUOLL_OK);
  CHECK(info.is_server == 1);
  CHECK(info.established == 1);
  CHECK(std::string_view(info.protocol) == "test");
  CHECK(std::string_view(info.server_name) == "localhost");
  CHECK(std::string_view(info.cipher_suite) == "TLS_AES_128_GCM_SHA256");
  CHECK(info.remote.port == 1000);
  CHECK(info.packets_received > 0);
  CHECK(info.mtu >= 1200);
  CHECK(info.max_datagram_size > 1000);

  uint8_t ours[32], theirs[32];
  CHECK(quoll_connection_export_key(pair.server.endpoint, pair.server.connection, "label", nullptr, 0, ours, 32) == 0);
  CHECK(quoll_connection_export_key(pair.client.endpoint, pair.client.connection, "label", nullptr, 0, theirs, 32) ==
        0);
  CHECK(std::equal(std::begin(ours), std::end(ours), theirs));
}

TEST_CASE("datagrams are copied in and out, and one that is too large is refused") {
  Pair pair(false);
  pair.establish();
  CHECK(quoll_datagram_send(pair.client.endpoint, pair.client.connection, QUOLL_NO_STREAM, "abc", 3) == QUOLL_OK);
  const std::string large(5000, 'x');
  CHECK(quoll_datagram_send(pair.client.endpoint, pair.client.connection, QUOLL_NO_STREAM, large.data(),
                            large.size()) == QUOLL_E_SIZE);
  pair.run();
  CHECK(pair.server.count(QUOLL_EVENT_DATAGRAM) == 1);
  char memory[10];
  size_t size = 0;
  Side& server = pair.server;
  CHECK(quoll_datagram_receive(server.endpoint, server.connection, QUOLL_NO_STREAM, memory, 10, &size) == QUOLL_OK);
  CHECK(std::string_view(memory, size) == "abc");
  CHECK(quoll_datagram_receive(server.endpoint, server.connection, QUOLL_NO_STREAM, memory, 10, &size) ==
        QUOLL_E_AGAIN);
  CHECK(size == 0);
}

TEST_CASE("a write that finds no room is told when there is some") {
  const Identity identity;
  quoll_endpoint_config of_client = client_config(identity, false);
  of_client.send_buffer_max = 100'000;
  Pair pair(of_client, server_config(identity, false));
  pair.establish();
  const uint64_t stream = open(pair);
  const std::string text(300'000, 'x');
  const size_t first = pair.client.write(stream, text);
  CHECK(first > 0);
  CHECK(first < text.size());
  CHECK(pair.client.write(stream, std::string_view(text).substr(first)) == 0);
  CHECK(pair.client.status == QUOLL_E_AGAIN);
  CHECK_FALSE(pair.client.find(QUOLL_EVENT_STREAM_WRITABLE));
  pair.run();
  CHECK(pair.client.find(QUOLL_EVENT_STREAM_WRITABLE));
  CHECK(pair.server.read(stream).size() == first);
}

TEST_CASE("resets and stops arrive with their codes") {
  Pair pair(false);
  pair.establish();
  const uint64_t one = open(pair), two = open(pair);
  CHECK(pair.client.write(one, "a") == 1);
  CHECK(pair.client.write(two, "b") == 1);
  pair.run();
  CHECK(quoll_stream_reset(pair.client.endpoint, pair.client.connection, one, 17) == QUOLL_OK);
  CHECK(quoll_stream_stop(pair.server.endpoint, pair.server.connection, two, 18) == QUOLL_OK);
  CHECK(quoll_stream_set_priority(pair.client.endpoint, pair.client.connection, two, 1, 1) == QUOLL_OK);
  pair.run();
  REQUIRE(pair.server.find(QUOLL_EVENT_STREAM_RESET));
  CHECK(pair.server.find(QUOLL_EVENT_STREAM_RESET)->error_code == 17);
  CHECK(pair.server.find(QUOLL_EVENT_STREAM_RESET)->stream == one);
  REQUIRE(pair.client.find(QUOLL_EVENT_STREAM_STOPPED));
  CHECK(pair.client.find(QUOLL_EVENT_STREAM_STOPPED)->error_code == 18);
  CHECK(pair.client.write(two, "c") == 0);
  CHECK(pair.client.status == QUOLL_E_STATE);  // the reset that answers it has arrived: our part is over
}

TEST_CASE("a close is told to both, and the connection is forgotten after a while") {
  Pair pair(false);
  pair.establish();
  CHECK(quoll_connection_close(pair.client.endpoint, pair.client.connection, pair.now, 42, "enough") == QUOLL_OK);
  pair.run();
  REQUIRE(pair.server.find(QUOLL_EVENT_CLOSED));
  const Event& closed = *pair.server.find(QUOLL_EVENT_CLOSED);
  CHECK(closed.close_reason == QUOLL_CLOSE_PEER);
  CHECK(closed.by_application == 1);
  CHECK(closed.error_code == 42);
  CHECK(closed.reason == "enough");
  CHECK(pair.client.find(QUOLL_EVENT_CLOSED)->close_reason == QUOLL_CLOSE_LOCAL);
  pair.wait(10'000'000'000);
  CHECK(quoll_endpoint_connections(pair.client.endpoint) == 0);
  uint64_t stream = 0;
  CHECK(quoll_stream_open(pair.client.endpoint, pair.client.connection, 0, &stream) == QUOLL_E_GONE);
}

TEST_CASE("a certificate that is not pinned ends the handshake") {
  const Identity identity, another;
  Pair pair(client_config(another, false), server_config(identity, false));
  CHECK(pair.connect(pair.options()) == QUOLL_OK);
  pair.run();
  CHECK_FALSE(pair.client.find(QUOLL_EVENT_CONNECTED));
  REQUIRE(pair.client.find(QUOLL_EVENT_CLOSED));
  CHECK(pair.client.find(QUOLL_EVENT_CLOSED)->error_code >= 0x100);
}

TEST_CASE("a second connection resumes the first, with data in 0-RTT") {
  const Identity identity;
  Pair pair(false, identity);
  pair.establish();
  const Event* ticket = nullptr;
  for (const Event& event : pair.client.events) {
    if (event.kind == QUOLL_EVENT_RESUMPTION) ticket = &event;
  }
  REQUIRE(ticket);
  const std::string resumption = ticket->bytes;
  quoll_connect_options options = pair.options();
  options.resumption = reinterpret_cast<const uint8_t*>(resumption.data());
  options.resumption_size = resumption.size();
  options.early_data = 1;
  pair.client.events.clear();
  pair.server.events.clear();
  CHECK(pair.connect(options) == QUOLL_OK);
  const uint64_t stream = open(pair);
  CHECK(pair.client.write(stream, "early") == 5);
  pair.run();
  REQUIRE(pair.client.find(QUOLL_EVENT_CONNECTED));
  CHECK(pair.client.find(QUOLL_EVENT_CONNECTED)->resumed == 1);
  CHECK(pair.client.find(QUOLL_EVENT_CONNECTED)->early == 1);
  CHECK(pair.server.read(stream) == "early");
  // What cannot be used is left aside.
  options.resumption_size--;
  CHECK(pair.connect(options) == QUOLL_OK);
}

TEST_CASE("a client goes over to another address, and the server follows") {
  Pair pair(false);
  pair.establish();
  const quoll_address elsewhere = address(1, 1001);
  REQUIRE(quoll_connection_migrate(pair.client.endpoint, pair.client.connection, pair.now, &elsewhere) == QUOLL_OK);
  pair.run();
  CHECK(pair.client.find(QUOLL_EVENT_MIGRATED));
  REQUIRE(pair.server.find(QUOLL_EVENT_MIGRATED));
  CHECK(pair.server.find(QUOLL_EVENT_MIGRATED)->address.port == 1001);
  auto info = sized<quoll_connection_info>();
  REQUIRE(quoll_connection_get_info(pair.server.endpoint, pair.server.connection, &info) == QUOLL_OK);
  CHECK(info.remote.port == 1001);
  const uint64_t stream = open(pair);
  CHECK(pair.client.write(stream, "still here") == 10);
  pair.run();
  CHECK(pair.server.read(stream) == "still here");
}

TEST_CASE("an idle connection ends when the configuration says so") {
  const Identity identity;
  quoll_endpoint_config of_client = client_config(identity, false);
  of_client.idle_timeout = 2'000'000'000;
  of_client.congestion = QUOLL_CONGESTION_BBR3;
  Pair pair(of_client, server_config(identity, false));
  pair.establish();
  pair.wait(3'000'000'000);
  REQUIRE(pair.client.find(QUOLL_EVENT_CLOSED));
  CHECK(pair.client.find(QUOLL_EVENT_CLOSED)->close_reason == QUOLL_CLOSE_IDLE_TIMEOUT);
}

}  // namespace
}  // namespace quoll::tests
