// The puppet, held against a second one: what it seals opens, what it breaks does not.
#include "tests/quic/connection/puppet.h"

#include "tests/tls/support.h"

#include <doctest/doctest.h>

namespace quoll::quic::tests {
namespace {

struct Pair {
  Pair() : rng(1), authority(rng) {
    auto tls_client = std::make_shared<tls::ClientConfig>();
    auto tls_server = std::make_shared<tls::ServerConfig>();
    tls_client->application_protocols = tls_server->application_protocols = {"h3"};
    tls_client->trust = authority.trust();
    tls_server->identities = {authority.issue()};
    client_options = {.role = Role::client, .tls_client = tls_client, .id = id_of("client")};
    server_options = {.role = Role::server, .tls_server = tls_server, .id = id_of("server")};
  }

  void run() {
    if (!client) {
      client = std::make_unique<Puppet>(client_options);
      server = std::make_unique<Puppet>(server_options);
      client->start();
    }
    for (bool moved = true; moved;) {
      moved = false;
      for (Puppet* from : {client.get(), server.get()}) {
        Puppet& to = from == client.get() ? *server : *client;
        for (const Data& datagram : from->take_datagrams()) {
          to.receive({}, {}, Ecn::not_ect, datagram);
          moved = true;
        }
      }
    }
  }
  /// The packets that the server gets of a datagram.
  std::vector<SeenPacket> to_server(const Data& datagram) {
    const size_t before = server->packets().size();
    server->receive({}, {}, Ecn::not_ect, datagram);
    return {server->packets().begin() + static_cast<ptrdiff_t>(before), server->packets().end()};
  }

  quoll::tests::SeededRng rng;
  tls::tests::Authority authority;
  Puppet::Options client_options, server_options;
  std::unique_ptr<Puppet> client, server;
};

}  // namespace

TEST_SUITE("quic puppet") {
  TEST_CASE("two puppets complete a handshake in each version, and see each other's frames") {
    for (const Version version : {Version::v1, Version::v2}) {
      Pair pair;
      pair.client_options.version = version;
      pair.run();
      CHECK(pair.client->is_complete());
      CHECK(pair.server->is_complete());
      CHECK(pair.client->version() == version);
      CHECK(pair.server->peer_parameters()->initial_source_connection_id == id_of("client"));
      CHECK(pair.client->peer_parameters()->original_destination_connection_id == id_of("invent"));
      CHECK(std::ranges::any_of(pair.client->packets(),
                                [](const SeenPacket& p) { return p.has(FrameType::handshake_done); }));
      for (const Space space : {Space::initial, Space::handshake}) {
        CHECK(pair.client->acknowledged(space).contains(0));
        CHECK(pair.server->acknowledged(space).contains(0));
      }
      CHECK(pair.client->datagrams()[0].unopened == 0);
    }
  }

  TEST_CASE("a server that changes the version is followed") {
    Pair pair;
    pair.server_options.negotiate = Version::v2;
    pair.run();
    CHECK(pair.client->is_complete());
    CHECK(pair.client->version() == Version::v2);
    CHECK(pair.client->peer_parameters()->version_information->chosen == Version::v2);
  }

  TEST_CASE("packets are what they are told to be") {
    Pair pair;
    pair.run();
    const Data ping = frames(PingFrame{});
    auto seen = pair.to_server(pair.client->seal({.frames = ping, .number = 1000}));
    REQUIRE_EQ(seen.size(), 1);
    CHECK_EQ(seen[0].number, 1000);
    CHECK(seen[0].has(FrameType::ping));
    CHECK(pair.to_server(pair.client->seal({.frames = ping, .forged = true})).empty());
    seen = pair.to_server(pair.client->seal({.frames = ping, .number = 1001, .generation = 1}));
    REQUIRE_EQ(seen.size(), 1);
    CHECK_EQ(seen[0].generation, 1);
    CHECK(key_phase_of(seen[0].first_byte));
    seen = pair.to_server(pair.client->seal({.frames = ping, .number = 1002, .flip = kShortReservedBits}));
    REQUIRE_EQ(seen.size(), 1);
    CHECK_EQ(seen[0].first_byte & kShortReservedBits, kShortReservedBits);
    seen = pair.to_server(pair.client->seal({.type = PacketType::handshake, .frames = ping, .size = 100}) +
                          pair.client->seal({.number = 1003}));
    REQUIRE_EQ(seen.size(), 2);
    CHECK_EQ(seen[0].size, 100);
    CHECK(seen[1].frames.empty());
    CHECK(seen[1].breaks_rules);
  }

  TEST_CASE("a Retry is made, recognised and obeyed") {
    Pair pair;
    pair.client = std::make_unique<Puppet>(pair.client_options);
    pair.server = std::make_unique<Puppet>(pair.server_options);
    pair.client->start();
    pair.server->answers = false;
    for (const Data& datagram : pair.client->take_datagrams()) pair.to_server(datagram);
    pair.client->receive({}, {}, Ecn::not_ect, pair.server->retry({1, 2, 3}, id_of("again")));
    REQUIRE_EQ(pair.client->retries().size(), 1);
    CHECK(pair.client->retries()[0].tag_is_right);
    pair.server->answers = true;
    pair.run();
    CHECK(pair.client->is_complete());
    CHECK(pair.client->peer_parameters()->retry_source_connection_id == id_of("again"));
    CHECK(pair.client->peer_parameters()->original_destination_connection_id == id_of("invent"));
    CHECK(pair.server->packets().back().token.empty());
    CHECK(pair.server->packets()[2].token == Data{1, 2, 3});
  }
}

}  // namespace quoll::quic::tests
