// The C interface over real sockets: two endpoints of one thread on loopback, and a wait that another thread ends.
#include <thread>

#include "tests/capi/support.h"

#include <doctest/doctest.h>

namespace quoll::tests {
namespace {

struct Host {
  explicit Host(const quoll_endpoint_config& config) : side(config, {}) {
    quoll_address any;
    QUOLL_CHECK(quoll_address_resolve("127.0.0.1", 0, &any, 1) == 1);
    QUOLL_CHECK(quoll_socket_open(&any, &socket) == QUOLL_OK);
  }
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;
  ~Host() { quoll_socket_free(socket); }

  void turn() {
    side.poll();
    QUOLL_CHECK(quoll_socket_turn(socket, side.endpoint, 1'000'000) >= 0);
    side.poll();
  }

  Side side;
  quoll_socket* socket = nullptr;
};

TEST_CASE("a megabyte over loopback") {
  const Identity identity;
  Host client(client_config(identity, false)), server(server_config(identity, false));
  auto options = sized<quoll_connect_options>();
  options.server_name = "localhost";
  REQUIRE(quoll_socket_address(server.socket, &options.remote) == QUOLL_OK);
  REQUIRE(quoll_socket_address(client.socket, &options.local) == QUOLL_OK);
  CHECK(quoll_socket_fd(client.socket) >= 0);
  Side& from = client.side;
  REQUIRE(quoll_endpoint_connect(from.endpoint, quoll_now(), &options, &from.connection) == QUOLL_OK);
  uint64_t stream = 0;
  size_t received = 0;
  const std::string text(1'000'000, 'm');
  bool sent = false;
  for (int i = 0; i < 20'000 && !server.side.ended; i++) {
    client.turn();
    server.turn();
    if (from.find(QUOLL_EVENT_CONNECTED) && !std::exchange(sent, true)) {
      REQUIRE(quoll_stream_open(from.endpoint, from.connection, 1, &stream) == QUOLL_OK);
      REQUIRE(from.write(stream, text) == text.size());
      REQUIRE(from.finish(stream) == QUOLL_OK);
    }
    if (server.side.find(QUOLL_EVENT_STREAM_READABLE)) received += server.side.read(stream).size();
  }
  CHECK(server.side.ended);
  CHECK(received == text.size());
}

TEST_CASE("a wake ends a wait that has no end") {
  const Identity identity;
  Host host(server_config(identity, true));
  std::thread other([&] { quoll_socket_wake(host.socket); });
  CHECK(quoll_socket_turn(host.socket, host.side.endpoint, QUOLL_NEVER) == 0);
  other.join();
}

TEST_CASE("a port that is taken") {
  const Identity identity;
  Host host(server_config(identity, true));
  quoll_address taken;
  REQUIRE(quoll_socket_address(host.socket, &taken) == QUOLL_OK);
  quoll_socket* another = nullptr;
  CHECK(quoll_socket_open(&taken, &another) == QUOLL_E_SYSTEM);
  CHECK(std::string_view(quoll_last_reason()).size() > 0);
}

}  // namespace
}  // namespace quoll::tests
