// Scenarios with names: one hazard each, in the places where it hurts, and what must come of it. The seeds of sim_runner
// mix them.

#include <string>

#include "tests/sim/scenario_support.h"

namespace quoll::sim {
namespace {

Duration since_start(Instant when) { return when - Instant(); }
constexpr Duration ms(int64_t count) { return Duration::milliseconds(count); }

// RFC 9000 §7: the handshake takes one round trip.
TEST_CASE("on a perfect path a client is connected after one round trip and confirmed after two") {
  Extras extras;
  extras.inspect = [](Conversation& client, Conversation* server) {
    REQUIRE(server);
    CHECK(since_start(*client.connected_at()) == ms(20));
    CHECK(since_start(*server->connected_at()) == ms(30));
    CHECK(client.statistics().packets_lost == 0);
    CHECK(server->statistics().packets_lost == 0);
  };
  const Outcome outcome = passes(plain(), extras);
  CHECK(outcome.features[Feature::handshakes] == 1);
  CHECK(outcome.features[Feature::probe_timeouts] == 0);
}

// RFC 9002 §6.2
TEST_CASE("a handshake survives the loss of any one datagram") {
  for (const Direction direction : {Direction::to_server, Direction::to_client}) {
    for (uint64_t lost = 0; lost < 12; lost++) {
      CAPTURE(lost);
      passes(plain(lost + 1), losing(direction, [lost](uint64_t number) { return number == lost; }));
    }
  }
}

// RFC 9002 §6.2
TEST_CASE("a handshake survives the loss of any two datagrams of a direction, and of every other one") {
  for (const Direction direction : {Direction::to_server, Direction::to_client}) {
    for (uint64_t first = 0; first < 5; first++) {
      for (uint64_t second = first + 1; second < 6; second++) {
        CAPTURE(first);
        CAPTURE(second);
        passes(plain(first * 10 + second),
               losing(direction, [=](uint64_t number) { return number == first || number == second; }));
      }
    }
    for (uint64_t odd = 0; odd < 2; odd++) {
      passes(plain(odd + 7), losing(direction, [odd](uint64_t number) { return number < 20 && number % 2 == odd; }));
    }
  }
}

// RFC 9000 §8.1: the monitor of every simulation watches the limit. RFC 9002 §6.2.2.1: a client breaks the deadlock.
TEST_CASE("a chain of certificates beyond the amplification limit gets through, also when datagrams are lost") {
  for (const uint32_t size : {3'000u, 8'000u, 20'000u}) {
    ScenarioOptions options = plain(size);
    options.big_chain = size;
    passes(options);
    for (uint64_t lost = 0; lost < 8; lost++) {
      CAPTURE(lost);
      for (const Direction direction : {Direction::to_server, Direction::to_client}) {
        passes(options, losing(direction, [lost](uint64_t number) { return number == lost; }));
        // All but the first for a while: the server has to be asked for more.
        passes(options, losing(direction, [lost](uint64_t number) { return number > 0 && number <= lost; }));
      }
    }
  }
}

TEST_CASE("a ClientHello of two datagrams gets through, also when one of them is lost or they change places") {
  ScenarioOptions options = plain();
  options.kem = 1;
  passes(options);
  for (uint64_t lost = 0; lost < 4; lost++) {
    passes(options, losing(Direction::to_server, [lost](uint64_t number) { return number == lost; }));
  }
  options.up.reorder_ppm = 500'000;
  options.up.reorder_us = 5'000;
  for (options.seed = 1; options.seed < 10; options.seed++) passes(options);
}

// RFC 9000 §8.1.2
TEST_CASE("Retry costs a round trip, and survives losses") {
  ScenarioOptions options = plain();
  options.retry = 1;
  Extras extras;
  extras.inspect = [](Conversation& client, Conversation*) { CHECK(since_start(*client.connected_at()) == ms(40)); };
  CHECK(passes(options, extras).features[Feature::retries] == 1);
  for (uint64_t lost = 0; lost < 6; lost++) {
    CAPTURE(lost);
    for (const Direction direction : {Direction::to_server, Direction::to_client}) {
      CHECK(passes(options, losing(direction, [lost](uint64_t n) { return n == lost; })).features[Feature::retries] >
            0);
    }
  }
}

// RFC 9000 §6, RFC 9368, RFC 9369 §4
TEST_CASE("versions are negotiated, also when datagrams are lost") {
  for (const Versions versions :
       {Versions::v1, Versions::v2, Versions::upgrade, Versions::downgrade, Versions::negotiation}) {
    for (const uint32_t retry : {0u, 1u}) {
      ScenarioOptions options = plain();
      options.versions = versions;
      options.retry = retry;
      const Outcome outcome = passes(options);
      CHECK((outcome.features[Feature::version_negotiations] > 0) == (versions == Versions::negotiation));
      for (uint64_t lost = 0; lost < 5; lost++) {
        CAPTURE(lost);
        for (const Direction direction : {Direction::to_server, Direction::to_client}) {
          passes(options, losing(direction, [lost](uint64_t number) { return number == lost; }));
        }
      }
    }
  }
}

TEST_CASE("the server's application may take its time, or ask for a Retry") {
  ScenarioOptions options = plain();
  options.ask = 1;
  options.ask_delay_ms = 300;
  passes(options);
  options.ask = 2;
  CHECK(passes(options).features[Feature::retries] > 0);
}

// RFC 9000 §12.2, §5.2
TEST_CASE("a handshake survives corrupted packets") {
  for (uint64_t seed = 1; seed <= 20; seed++) {
    ScenarioOptions options = plain(seed);
    options.up.corrupt_ppm = options.down.corrupt_ppm = 200'000;
    passes(options);
  }
}

// RFC 9000 §12.3
TEST_CASE("when every datagram comes twice, nothing is delivered twice") {
  ScenarioOptions options = long_transfer();
  options.up.duplicate_ppm = options.down.duplicate_ppm = 1'000'000;
  options.datagrams = 50;
  passes(options);
}

// RFC 9002 §6.1
TEST_CASE("a storm of reordering slows a transfer down and breaks nothing") {
  for (uint64_t seed = 1; seed <= 3; seed++) {
    ScenarioOptions options = long_transfer(seed);
    options.up.reorder_ppm = options.down.reorder_ppm = 700'000;
    options.up.reorder_us = options.down.reorder_us = 40'000;
    CHECK(passes(options).features[Feature::packets_spuriously_lost] > 0);
  }
}

TEST_CASE("a transfer goes on over lossy links, with each congestion controller") {
  for (const uint32_t congestion : {0u, 1u, 2u, 3u}) {
    for (const uint32_t loss : {10'000u, 100'000u, 250'000u}) {
      ScenarioOptions options = long_transfer(loss + congestion);
      options.response_max = 100'000;
      options.congestion = congestion;
      options.up.loss_ppm = options.down.loss_ppm = loss;
      CHECK(passes(options).features[Feature::packets_lost] > 0);
    }
  }
}

TEST_CASE("a bottleneck is filled") {
  for (const uint32_t congestion : {0u, 1u, 2u, 3u}) {
    ScenarioOptions options = long_transfer(5);
    options.congestion = congestion;
    options.bidirectional = 1;
    options.down.queue_bytes = 30'000;
    uint64_t size = 0;
    for (options.seed = 1; size < 250'000; options.seed++) {
      size = plan_of(options, quic::StreamId(0)).response.size;
    }
    options.seed--;
    Extras extras;
    extras.inspect = [&](Conversation& client, Conversation*) {
      const Duration least = Bandwidth::bits_per_second(5'000'000).time_for(size);
      CHECK(since_start(client.close_called_at()) < 2 * least + ms(500));
    };
    passes(options, extras);
  }
}

// RFC 9000 §9.3, §9.3.3
TEST_CASE("a server follows when a NAT rebinds in the middle of a transfer") {
  for (const uint32_t address : {0u, 1u}) {
    ScenarioOptions options = long_transfer(3 + address);
    options.nat = 1;
    options.rebinds = 3;
    options.rebind_every_ms = 250;
    options.rebind_address = address;
    options.keep_alive_ms = 500;
    CHECK(passes(options).features[Feature::rebindings_followed] > 0);
  }
}

// RFC 9000 §9.2
TEST_CASE("a client migrates in the middle of a transfer") {
  ScenarioOptions options = long_transfer(6);
  options.migrations = 3;
  options.migrate_every_ms = 150;
  const Outcome outcome = passes(options);
  CHECK(outcome.features[Feature::client_migrations] == 3);
  CHECK(outcome.features[Feature::rebindings_followed] >= 3);
}

// RFC 9000 §5.1
TEST_CASE("a client without connection ids cannot migrate, and goes on") {
  ScenarioOptions options = long_transfer(4);
  options.client_id_size = 0;
  options.migrations = 3;
  options.migrate_every_ms = 150;
  CHECK(passes(options).features[Feature::client_migrations] == 0);
}

// RFC 9000 §9.6
TEST_CASE("a client goes over to the server's preferred address") {
  ScenarioOptions options = long_transfer(5);
  options.preferred_address = 1;
  CHECK(passes(options).features[Feature::preferred_addresses] == 1);
  options.nat = options.firewall = 1;
  passes(options);
}

// RFC 9000 §8.2.2, §9.6.2: what the server acknowledges from its old address is not heard any more, so nothing makes room.
TEST_CASE("a client whose window is full answers a server that awaits it at the preferred address") {
  for (const char* line :
       {"seed=304829 up.delay_us=5000 up.rate_kbps=1000 up.queue_bytes=100000 up.mark_bytes=33333 "
        "down.delay_us=5000 down.rate_kbps=1000 down.queue_bytes=100000 down.mark_bytes=33333 nat=1 "
        "forge_ppm=50000 scratch=4096 gather_us=200 check_every=8 preferred_address=1 keep_alive_ms=500 "
        "pacing=0 stream_window=16000 connection_window=8000000 window_growth=1 stream_limit=5 "
        "send_buffer=20000 key_packets_max=5 skip_every=0 max_ack_delay_ms=1 spin_bit=1 unidirectional=3 "
        "server_bidirectional=4 server_unidirectional=2 request_max=100 response_max=33333 stop_ppm=300000 "
        "connections=2 parallel=1",
        "seed=307847 up.reorder_ppm=200000 up.reorder_us=100000 down.reorder_ppm=200000 "
        "down.reorder_us=100000 mtu_later=1300 mtu_change_ms=72 nat=1 firewall=1 scratch=4096 check_every=8 "
        "client_id_size=20 server_id_size=4 preferred_address=1 congestion=1 mtu_max=9000 stream_window=256000 "
        "connection_window=128000 window_growth=4 send_buffer=20000 skip_every=5 max_ack_delay_ms=5 "
        "ack_threshold=2 bidirectional=1 request_max=20000 response_max=1000 datagrams=100 gap_ms=2400"}) {
    passes(*parse_options(line));
  }
}

// RFC 9000 §14.3, RFC 8899 §4.3
TEST_CASE("a transfer survives a path that becomes narrower, with and without ICMP") {
  for (const Icmp icmp : {Icmp::silent, Icmp::honest, Icmp::forged}) {
    ScenarioOptions options = long_transfer(6);
    options.icmp = icmp;
    options.mtu_later = 1'280;
    options.mtu_change_ms = 400;
    const Outcome outcome = passes(options);
    CHECK(outcome.features[Feature::mtu_black_holes] > 0);
  }
}

// RFC 9000 §14.3
TEST_CASE("the MTU is found, and not exceeded") {
  for (const uint32_t mtu : {1'200u, 1'201u, 1'350u, 1'452u}) {
    ScenarioOptions options = long_transfer(7);
    options.mtu = mtu;
    Extras extras;
    extras.inspect = [mtu](Conversation& client, Conversation* server) {
      for (Conversation* side : {&client, server}) {
        CHECK(side->statistics().mtu <= mtu);
        CHECK(side->statistics().mtu >= std::min(mtu - 30, 1'452u - 30));
      }
    };
    passes(options, extras);
  }
}

TEST_CASE("a transfer goes on after a black hole that is shorter than the idle timeout") {
  for (const uint32_t sides : {1u, 2u, 3u}) {
    ScenarioOptions options = long_transfer(8);
    options.blackhole_at_ms = 300;
    options.blackhole_ms = 4'000;
    options.blackhole_sides = sides;
    const Outcome outcome = passes(options);
    CHECK(outcome.features[Feature::idle_timeouts] == 0);
    CHECK(outcome.features[Feature::black_holes] > 0);
  }
}

// RFC 9000 §10.1
TEST_CASE("a black hole that is longer than the idle timeout ends the connection on both sides") {
  ScenarioOptions options = long_transfer(9);
  options.idle_ms = 5'000;
  options.blackhole_at_ms = 300;
  options.blackhole_ms = 60'000;
  CHECK(passes(options).features[Feature::idle_timeouts] == 2);
}

// RFC 9000 §10.1
TEST_CASE("an idle connection ends silently after the idle timeout") {
  ScenarioOptions options = plain();
  options.idle_ms = 5'000;
  options.ending = Ending::idle;
  Extras extras;
  extras.inspect = [](Conversation& client, Conversation* server) {
    for (Conversation* side : {&client, server}) {
      CHECK(since_start(side->closed_at()) >= ms(5'000));
      CHECK(since_start(side->closed_at()) < ms(7'000));
    }
  };
  CHECK(passes(options, extras).features[Feature::idle_timeouts] == 2);
}

// RFC 9000 §10.1.2
TEST_CASE("keep-alive holds a connection over a silence that is longer than the idle timeout") {
  ScenarioOptions options = plain();
  options.idle_ms = 3'000;
  options.keep_alive_ms = 1'000;
  options.pause_ms = 8'000;
  options.bidirectional = 5;
  CHECK(passes(options).features[Feature::idle_timeouts] == 0);
}

// RFC 9000 §10.2
TEST_CASE("either side may close at any moment, and both at once") {
  for (const Ending ending : {Ending::client_aborts, Ending::server_aborts, Ending::both_abort}) {
    for (uint32_t when = 0; when <= 120; when += 5) {
      CAPTURE(when);
      ScenarioOptions options = long_transfer(when + 1);
      options.ending = ending;
      options.abort_ms = when;
      passes(options);
      options.retry = 1;
      options.up.loss_ppm = options.down.loss_ppm = 100'000;
      passes(options);
    }
  }
}

// RFC 9000 §10.3
TEST_CASE("a server that lost its state resets connections that it does not know") {
  ScenarioOptions options = long_transfer(11);
  options.ending = Ending::server_restarts;
  options.abort_ms = 300;
  CHECK(passes(options).features[Feature::stateless_resets] == 1);
  for (options.abort_ms = 0; options.abort_ms < 100; options.abort_ms += 7) passes(options);
}

// RFC 9000 §13.4.2
TEST_CASE("ECN is used where the path carries it, and given up where it does not") {
  const auto capable = [](EcnPath path) {
    ScenarioOptions options = long_transfer(12);
    options.down.ecn = path;
    bool result = false;
    Extras extras;
    extras.inspect = [&result](Conversation&, Conversation* server) { result = server->statistics().ecn_capable; };
    passes(options, extras);
    return result;
  };
  CHECK(capable(EcnPath::clean));
  CHECK_FALSE(capable(EcnPath::bleach));
  CHECK_FALSE(capable(EcnPath::to_ect1));
}

// RFC 9002 §7.1
TEST_CASE("marks of a queue slow the sender down before the queue overflows") {
  ScenarioOptions options = long_transfer(13);
  options.down.queue_bytes = 200'000;
  options.down.mark_bytes = 10'000;
  Extras extras;
  extras.inspect = [](Conversation&, Conversation* server) {
    CAPTURE(server->statistics().ecn_capable);
    CAPTURE(server->statistics().congestion_window);
    CHECK(server->statistics().congestion_events > 0);
    CHECK(server->statistics().packets_lost == 0);
  };
  CHECK(passes(options, extras).features[Feature::ce_marked] > 0);
}

// RFC 9001 §6
TEST_CASE("keys are updated by both sides in the middle of a lossy, reordered transfer") {
  ScenarioOptions options = long_transfer(14);
  options.key_updates = 6;
  options.key_update_every_ms = 60;
  options.key_packets_max = 40;
  options.up.loss_ppm = options.down.loss_ppm = 50'000;
  options.up.reorder_ppm = options.down.reorder_ppm = 200'000;
  options.up.reorder_us = options.down.reorder_us = 20'000;
  CHECK(passes(options).features[Feature::key_updates] >= 6);
}

// RFC 9001 §4.6.1
TEST_CASE("0-RTT is accepted, also when datagrams of it are lost or change places") {
  ScenarioOptions options = plain(15);
  options.connections = 3;
  options.resume = options.early_data = 1;
  options.request_max = 4'000;
  CHECK(passes(options).features[Feature::early_data_accepted] == 2);
  for (uint64_t seed = 1; seed <= 20; seed++) {
    options.seed = seed;
    options.up.loss_ppm = options.down.loss_ppm = 100'000;
    options.up.reorder_ppm = 300'000;
    options.up.reorder_us = 20'000;
    passes(options);
  }
}

// RFC 9001 §4.6.2
TEST_CASE("what was sent in refused 0-RTT is sent again") {
  ScenarioOptions options = plain(16);
  options.connections = 2;
  options.resume = options.early_data = options.refuse_early = 1;
  options.request_max = 20'000;
  const Outcome outcome = passes(options);
  CHECK(outcome.features[Feature::early_data_refused] == 1);
  CHECK(outcome.features[Feature::early_data_accepted] == 0);
  options.hello_retry = 1;
  passes(options);
  options.hello_retry = 0;
  for (uint64_t lost = 0; lost < 10; lost++) {
    passes(options, losing(Direction::to_server, [lost](uint64_t number) { return number % 10 == lost; }));
  }
}

// RFC 9000 §4.1
TEST_CASE("tiny windows carry everything, slowly") {
  ScenarioOptions options = plain(17);
  options.stream_window = 100;
  options.connection_window = 250;
  options.window_growth = 1;
  options.send_buffer = 1'000;
  options.stream_limit = 1;
  options.bidirectional = 6;
  options.server_bidirectional = 3;
  options.unidirectional = 3;
  options.request_max = options.response_max = 1'500;
  passes(options);
  options.up.loss_ppm = options.down.loss_ppm = 100'000;
  passes(options);
}

// RFC 9000 §21.3, §21.2; RFC 9001 §5.8; RFC 9000 §6.2, §10.3.1
TEST_CASE("an attacker who replays and forges cannot disturb") {
  for (uint64_t seed = 1; seed <= 10; seed++) {
    ScenarioOptions options = long_transfer(seed);
    options.response_max = 50'000;
    options.replay_ppm = options.forge_ppm = 500'000;
    options.retry = seed % 2;
    const Outcome outcome = passes(options);
    CHECK(outcome.features[Feature::forged] > 0);
    CHECK(outcome.features[Feature::replayed] > 0);
  }
}

TEST_CASE("connections of one client at a time do not mix") {
  for (const uint32_t size : {0u, 8u}) {
    ScenarioOptions options = plain(18);
    options.client_id_size = size;
    options.connections = 3;
    options.parallel = 1;
    options.bidirectional = 20;
    passes(options);
  }
}

TEST_CASE("an asymmetric path: fast there, slow and late back") {
  ScenarioOptions options = long_transfer(19);
  options.response_max = 150'000;
  options.down.rate_kbps = 20'000;
  options.up.rate_kbps = 200;
  options.up.queue_bytes = 4'000;
  options.up.delay_us = 150'000;
  options.request_max = 500;
  passes(options);
}

TEST_CASE("streams are reset and stopped in all places") {
  for (uint64_t seed = 1; seed <= 10; seed++) {
    ScenarioOptions options = plain(seed);
    options.bidirectional = 30;
    options.server_bidirectional = options.unidirectional = options.server_unidirectional = 10;
    options.request_max = options.response_max = 10'000;
    options.reset_ppm = options.stop_ppm = 400'000;
    options.up.loss_ppm = options.down.loss_ppm = seed % 2 == 0 ? 50'000 : 0;
    const Outcome outcome = passes(options);
    CHECK(outcome.features[Feature::streams_reset] > 0);
    CHECK(outcome.features[Feature::streams_stopped] > 0);
  }
}

}  // namespace
}  // namespace quoll::sim
