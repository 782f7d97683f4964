// Two endpoints on real sockets, each with its loop in a thread of its own.
#include "udp/run.h"

#include <thread>

#include "tests/support/random.h"
#include "tests/udp/quic_peers.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::tests;

TEST_SUITE_BEGIN("udp quic");

namespace {

struct Transfer {
  const char* listen = "127.0.0.1:0";
  const char* reach = "127.0.0.1";
  udp::SocketOptions options;
  uint64_t size = 0;
  bool migrate = false;
};

void transfer(const Transfer& wanted) {
  std::vector<udp::Socket> server_sockets, client_sockets;
  server_sockets.push_back(bind_socket(wanted.listen, wanted.options));
  const SocketAddress there = at(wanted.reach, server_sockets[0]);
  const std::string here = there.ip.family() == IpAddress::Family::ipv4 ? "127.0.0.1:0" : "[::1]:0";
  for (int i = 0; i < 2; i++) client_sockets.push_back(bind_socket(here, wanted.options));

  std::vector<Path> paths;
  std::thread server_thread([&] {
    SeededRng rng(2);
    quic::EndpointConfig config = endpoint_config();
    config.server = server_config();
    quic::Endpoint endpoint(config, crypto::best(), rng);
    CountingServer server(endpoint, 1);
    if (!udp::run(endpoint, server_sockets[0], server)) std::abort();
    paths = server.paths;
  });

  SeededRng rng(1);
  quic::Endpoint endpoint(endpoint_config(), crypto::best(), rng);
  const auto handle =
      endpoint.connect(udp::now(), client_config(), client_sockets[0].path_to(there), {.server_name = "example.com"});
  REQUIRE(handle);
  CountedClient client(endpoint, *handle, wanted.size);
  if (wanted.migrate) {
    client.halfway = [&](Instant now, quic::Connection& connection) {
      CHECK(connection.migrate(now, client_sockets[1].local_address()));
    };
  }
  auto loop = udp::Loop::create();
  REQUIRE(loop);
  REQUIRE(udp::run(*loop, endpoint, std::span(client_sockets), client));
  server_thread.join();
  CHECK(client.answer == std::to_string(wanted.size) + " right");
  CHECK(client.migrated == wanted.migrate);
  if (wanted.migrate) {
    REQUIRE(paths.size() == 1);
    CHECK(paths[0].remote == client_sockets[1].local_address());
    CHECK(client_sockets[1].statistics().datagrams_sent > 100);
  }
}

}  // namespace

TEST_CASE("50 MB go from one endpoint to another over loopback sockets") {
  transfer({.options = {}, .size = 50'000'000});
}

TEST_CASE("a transfer goes on from another local port when the client migrates") {
  transfer({.options = {}, .size = 20'000'000, .migrate = true});
}

TEST_CASE("a client reaches a dual-stack server over IPv6 and over IPv4") {
  transfer({.listen = "[::]:0", .reach = "::1", .options = {}, .size = 1'000'000});
  transfer({.listen = "[::]:0", .reach = "127.0.0.1", .options = {}, .size = 1'000'000});
}

TEST_CASE("endpoints talk over sockets that send and receive a datagram a call") {
  transfer({.options = udp::SocketOptions::portable(), .size = 5'000'000});
}

TEST_SUITE_END();
