// First flights that are replayed: early data is taken once, by the server and by its fleet (RFC 9000 §21.3, RFC 9001
// §9.2, RFC 8446 §8).
#include "quic/endpoint/fleet_keys.h"
#include "tests/quic/attacks/attack.h"
#include "tls/anti_replay.h"
#include "tls/server_ticket.h"

#include <doctest/doctest.h>

namespace quoll::quic::tests {
namespace {

/// What the servers of a fleet have in common, and a client's recorded first flight with early data.
struct Fleet {
  Fleet() {
    quoll::tests::SeededRng keys(3);
    keys.fill(bytes);
    register_options.start = tls::tests::kNow - Duration::seconds(3600);
    anti_replay = std::make_shared<tls::StrikeRegister>(register_options, rng);
  }

  void join(Attack& s) {
    s.endpoint_config.secret.emplace();
    copy_bytes(s.endpoint_config.secret->data(), bytes);
    s.tls_server.ticket_keys =
        tls::TicketKeys::ratcheted(crypto::best(), FleetKeys(crypto::best(), *s.endpoint_config.secret).tls_tickets,
                                   {.origin = tls::tests::kNow - Duration::seconds(3600)});
    s.tls_server.anti_replay = anti_replay;
    s.on_event = [this](const Event& event) { opened += std::holds_alternative<StreamOpened>(event) ? 1 : 0; };
  }

  /// Gets a ticket of the server, and makes the flight.
  void record(Attack& s) {
    REQUIRE(s.handshake());
    s.run();
    REQUIRE_FALSE(s.puppet->tickets().empty());
    Puppet::Options options = s.options;
    options.seed = 77;
    options.ticket = s.puppet->tickets()[0];
    options.early_data = true;
    options.first_destination = id_of("replay");
    options.id = id_of("again");
    Puppet client(options);
    client.wall_clock = tls::tests::kNow + (s.now - Instant());
    client.start();
    REQUIRE(client.can_seal(PacketType::zero_rtt));
    flight = client.take_datagrams();
    flight.push_back(client.seal(
        {.type = PacketType::zero_rtt,
         .frames =
             frames(StreamFrame{.stream_id = StreamId(Role::client, false, 0), .data = Data(100, 5), .fin = true})}));
  }

  void replay(Attack& s, const Path& from) {
    for (const Data& datagram : flight) s.hit(datagram, from);
  }

  std::array<uint8_t, kFleetSecretSize> bytes{};
  quoll::tests::SeededRng rng{4};
  tls::StrikeRegister::Options register_options;
  std::shared_ptr<tls::AntiReplay> anti_replay;
  std::vector<Data> flight;
  size_t opened = 0;
};

}  // namespace

TEST_SUITE("quic attacks: replay") {
  // RFC 9000 §21.3; RFC 9001 §9.2
  TEST_CASE("a first flight that is replayed brings its early data once") {
    Fleet fleet;
    Attack s(Role::server);
    fleet.join(s);
    fleet.record(s);
    s.puppet_hears = false;
    fleet.opened = 0;
    s.mark();
    const Path client{.local = s.path.local, .remote = stranger(1)};
    fleet.replay(s, client);
    CHECK_EQ(fleet.opened, 1);
    // The same datagrams of the same client again are duplicates.
    for (int i = 0; i < 20; i++) fleet.replay(s, client);
    CHECK_EQ(fleet.opened, 1);
    CHECK_EQ(s.endpoint->connections(), 2);
    // From other addresses they are other connections, without early data.
    for (uint32_t i = 2; i < 20; i++) {
      const uint64_t before = s.bytes_out;
      fleet.replay(s, {.local = s.path.local, .remote = stranger(i)});
      CHECK_LE(s.bytes_out - before, 3 * 2500);
    }
    CHECK_EQ(fleet.opened, 1);
    CHECK_LE(s.bytes_out, 3 * s.bytes_in);
    // And later, when the first ones are gone.
    s.wait(Duration::seconds(15));
    fleet.replay(s, client);
    fleet.replay(s, s.path);
    CHECK_EQ(fleet.opened, 1);
    s.wait(Duration::seconds(100));
    CHECK_EQ(s.endpoint->connections(), 0);
  }

  // RFC 9001 §9.2
  TEST_CASE("a server of the same fleet that shares the register takes none of it") {
    Fleet fleet;
    Attack first(Role::server), second(Role::server, 2);
    fleet.join(first);
    fleet.record(first);
    first.puppet_hears = second.puppet_hears = false;
    // Each has certificates of its own authority; tickets and the register are the fleet's.
    fleet.join(second);
    second.start();
    second.now = first.now;
    fleet.opened = 0;
    const Path client{.local = first.path.local, .remote = stranger(1)};
    fleet.replay(first, client);
    CHECK_EQ(fleet.opened, 1);
    fleet.replay(second, client);
    CHECK_EQ(second.endpoint->connections(), 1);
    CHECK_EQ(fleet.opened, 1);
    CHECK_LE(second.bytes_out, 3 * second.bytes_in);
  }

  // RFC 8446 §8.2: without a register there is no early data
  TEST_CASE("a server without a register takes no early data, first or replayed") {
    Fleet fleet;
    Attack s(Role::server), other_server(Role::server, 2);
    fleet.join(s);
    fleet.record(s);
    fleet.join(other_server);
    other_server.tls_server.anti_replay = nullptr;
    other_server.start();
    other_server.now = s.now;
    fleet.opened = 0;
    other_server.puppet_hears = false;
    fleet.replay(other_server, s.path);
    CHECK_EQ(fleet.opened, 0);
    CHECK_LE(other_server.bytes_out, 3 * other_server.bytes_in);
  }
}

}  // namespace quoll::quic::tests
