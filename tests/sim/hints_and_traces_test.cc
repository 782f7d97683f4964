// Scenarios with names, of what tells from beside the conversation: routers' ICMP messages, and traces; and the lines of
// options by which scenarios are named.

#include <string>

#include "tests/sim/scenario_support.h"

namespace quoll::sim {
namespace {

// RFC 9000 §14.2.1
TEST_CASE("a router's hint, which quotes the datagram that it dropped, saves probes") {
  uint64_t probes_lost[2] = {};
  for (const Icmp icmp : {Icmp::silent, Icmp::honest}) {
    ScenarioOptions options = long_transfer(20);
    options.mtu = 1'300;
    options.icmp = icmp;
    Extras extras;
    extras.inspect = [&](Conversation&, Conversation* server) {
      CHECK(server->statistics().mtu >= 1'270);
      CHECK(server->statistics().mtu <= 1'300);
      if (icmp == Icmp::honest) CHECK(server->statistics().mtu == 1'300);
      probes_lost[icmp == Icmp::honest] = server->statistics().mtu_probes_lost;
    };
    const Outcome outcome = passes(options, extras);
    CHECK((outcome.features[Feature::icmp_told] > 0) == (icmp == Icmp::honest));
  }
  CHECK(probes_lost[1] < probes_lost[0]);
}

// RFC 9000 §14.2.1
TEST_CASE("liars who quote real datagrams cannot bring the MTU below 1200, nor end a connection") {
  for (uint64_t seed = 1; seed <= 5; seed++) {
    ScenarioOptions options = long_transfer(seed);
    options.icmp = Icmp::lying;
    options.up.loss_ppm = options.down.loss_ppm = seed % 2 == 0 ? 30'000 : 0;
    CHECK(passes(options).features[Feature::icmp_lies] > 0);  // what the MTU may be is judged in every scenario
  }
}

/// What went over the wire in both directions, and when.
uint64_t fingerprint(const ScenarioOptions& options) {
  uint64_t hash = 0xcbf29ce484222325;
  const auto mix = [&hash](uint64_t value) { hash = (hash ^ value) * 0x100000001b3; };
  Extras extras;
  extras.add_elements = [mix](Link& to_server, Link& to_client) {
    for (Link* link : {&to_server, &to_client}) {
      link->add<Tap>([mix](Instant now, const Datagram& datagram) {
        mix(static_cast<uint64_t>(now.as_nanoseconds()));
        for (const uint8_t byte : datagram.bytes) mix(byte);
      });
    }
  };
  passes(options, extras);
  return hash;
}

TEST_CASE("a trace changes not a byte of what is sent, nor when") {
  for (uint64_t seed = 1; seed <= 6; seed++) {
    ScenarioOptions options = long_transfer(seed);
    options.response_max = 60'000;
    options.scratch = seed % 2 == 0 ? 1'500 : 65'535;
    options.chacha = seed % 3 == 0;
    options.datagrams = 20;
    options.key_updates = 2;
    options.up.loss_ppm = options.down.loss_ppm = 20'000;
    options.retry = seed % 2;
    const uint64_t without = fingerprint(options);
    options.trace_kib = 16 * 1024;
    CHECK(fingerprint(options) == without);
    options.trace_kib = 4;  // the logs end early
    CHECK(fingerprint(options) == without);
  }
}

TEST_CASE("a trace that has room tells of every packet of its connection") {
  ScenarioOptions options = long_transfer(21);
  options.connections = 2;
  options.trace_kib = 16 * 1024;
  options.up.loss_ppm = options.down.loss_ppm = 20'000;
  CHECK(passes(options).features[Feature::traces_checked] == 2);
}

TEST_CASE("the line of options that a failure prints gives the same scenario again") {
  for (uint64_t seed = 1; seed <= 500; seed++) {
    const std::string line = to_string(random_scenario(seed));
    const std::optional<ScenarioOptions> read = parse_options(line);
    REQUIRE(read);
    CHECK(to_string(*read) == line);
  }
  CHECK(to_string(*parse_options("")) == to_string(ScenarioOptions()));
  for (const char* bad : {"seed", "seed=", "=1", "sead=1", "seed=1x", "seed=-1", "icmp=300", "seed=1;nat=1"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_options(bad));
  }
}

}  // namespace
}  // namespace quoll::sim
