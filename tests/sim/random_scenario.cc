// What seeds make: each hazard in some of the scenarios, in sizes from harmless to harsh, and a few of them together.

#include <algorithm>
#include <initializer_list>

#include "tests/sim/options.h"
#include "tests/support/random.h"

namespace quoll::sim {
namespace {

class Dice {
 public:
  explicit Dice(uint64_t seed) : rng_(seed ^ 0x51e5cea110ULL) {}
  /// True in one of `n` throws.
  bool one_in(uint64_t n) { return rng_.below(n) == 0; }
  uint32_t between(uint32_t low, uint32_t high) { return low + static_cast<uint32_t>(rng_.below(high - low + 1)); }
  uint32_t of(std::initializer_list<uint32_t> values) { return values.begin()[rng_.below(values.size())]; }

 private:
  tests::SeededRng rng_;
};

void draw_link(Dice& dice, LinkOptions& link) {
  link.delay_us = dice.of({100, 1'000, 5'000, 10'000, 20'000, 50'000, 150'000});
  if (dice.one_in(3)) link.jitter_us = dice.between(1, link.delay_us);
  if (dice.one_in(3)) {
    link.rate_kbps = dice.of({500, 1'000, 2'000, 5'000, 10'000, 50'000, 200'000});
    link.queue_bytes = dice.of({6'000, 15'000, 40'000, 100'000, 400'000});
    if (dice.one_in(2)) link.mark_bytes = link.queue_bytes / dice.between(2, 5);
  }
  if (dice.one_in(3)) link.loss_ppm = dice.of({1'000, 10'000, 30'000, 50'000, 100'000, 200'000});
  if (dice.one_in(8)) {
    link.burst_ppm = dice.of({2'000, 10'000, 30'000});
    link.burst_leave_ppm = dice.of({100'000, 200'000, 500'000});
  }
  if (dice.one_in(4)) {
    link.reorder_ppm = dice.of({5'000, 50'000, 200'000, 600'000});
    link.reorder_us = dice.of({500, 5'000, 30'000, 100'000});
  }
  if (dice.one_in(5)) link.duplicate_ppm = dice.of({5'000, 50'000, 300'000});
  if (dice.one_in(6)) link.corrupt_ppm = dice.of({2'000, 20'000, 80'000});
  if (dice.one_in(5)) link.ecn = static_cast<EcnPath>(dice.between(1, 4));
}

void draw_path(Dice& dice, ScenarioOptions& options) {
  draw_link(dice, options.up);
  if (dice.one_in(3)) {
    draw_link(dice, options.down);
  } else {
    options.down = options.up;
  }
  if (dice.one_in(4)) options.mtu = dice.of({1'200, 1'252, 1'280, 1'350, 1'400, 1'452});
  if (dice.one_in(6)) {
    options.mtu = 1'472;
    options.mtu_later = dice.of({1'200, 1'252, 1'300, 1'400});
    options.mtu_change_ms = dice.between(10, 1'500);
  }
  if (dice.one_in(options.mtu_later > 0 ? 2 : 4)) options.icmp = static_cast<Icmp>(dice.between(1, 3));
  if (dice.one_in(8)) {
    options.blackhole_at_ms = dice.between(0, 1'000);
    options.blackhole_ms = dice.of({50, 300, 1'000, 4'000, 15'000, 60'000});
    options.blackhole_sides = dice.between(1, 3);
  }
  options.nat = dice.one_in(2);
  if (dice.one_in(6)) {
    options.nat = 1;
    options.rebinds = dice.between(1, 4);
    options.rebind_every_ms = dice.of({15, 50, 200, 700, 2'000});
    options.rebind_address = dice.one_in(2);
  }
  options.firewall = dice.one_in(5);
  if (dice.one_in(6)) options.replay_ppm = dice.of({5'000, 50'000, 300'000});
  if (dice.one_in(6)) options.forge_ppm = dice.of({5'000, 50'000, 300'000});
}

void draw_endpoints(Dice& dice, ScenarioOptions& options) {
  options.scratch = dice.of({1'500, 4'096, 20'000, 65'535, 65'535});
  options.gather = !dice.one_in(4);
  options.gather_us = dice.of({0, 0, 20, 200, 1'000});
  options.check_every = dice.of({1, 8, 50});
  options.versions = dice.one_in(2) ? Versions::v1 : static_cast<Versions>(dice.between(0, 4));
  options.retry = dice.one_in(5);
  if (dice.one_in(8)) {
    options.ask = dice.between(1, 2);
    options.ask_delay_ms = dice.of({0, 0, 5, 200});
  }
  options.client_id_size = dice.of({0, 0, 1, 4, 8, 8, 16, 20});
  options.server_id_size = dice.of({4, 8, 8, 16, 20});
  if (dice.one_in(10)) options.big_chain = dice.of({3'000, 8'000, 20'000});
  options.preferred_address = dice.one_in(10);
  options.hello_retry = dice.one_in(12);
  options.chacha = dice.one_in(8);
  options.kem = dice.one_in(8);

  options.idle_ms = dice.of({5'000, 10'000, 30'000, 60'000});
  if (dice.one_in(6)) options.keep_alive_ms = dice.of({500, 2'000});
  options.congestion = dice.of({0, 1, 2, 3});
  options.pacing = !dice.one_in(5);
  options.stall_pings = dice.of({0, 20});
  options.horizon_us = dice.of({0, 0, 500, 2'000, 10'000});
  options.ecn = !dice.one_in(5);
  options.mtu_discovery = !dice.one_in(6);
  options.mtu_max = dice.of({1'200, 1'452, 1'452, 1'472, 9'000});
  options.stream_window = dice.of({300, 2'000, 16'000, 64'000, 256'000, 4'000'000});
  options.connection_window = dice.of({1'000, 16'000, 128'000, 384'000, 8'000'000});
  options.window_growth = dice.of({1, 4, 64});
  options.stream_limit = dice.of({1, 2, 5, 20, 100, 1'000});
  options.send_buffer = dice.of({1'000, 20'000, 256'000, 4'000'000});
  if (dice.one_in(5)) options.key_packets_max = dice.of({5, 20, 100});
  options.skip_every = dice.of({0, 5, 50, 500});
  options.max_ack_delay_ms = dice.of({1, 5, 25, 25, 100});
  options.ack_threshold = dice.of({1, 1, 2, 10});
  options.grease = !dice.one_in(4);
  options.spin_bit = dice.one_in(3);
}

void draw_work(Dice& dice, ScenarioOptions& options) {
  switch (dice.between(0, 4)) {
    case 0:  // a few long streams
      options.bidirectional = dice.between(1, 4);
      options.request_max = dice.of({0, 100, 20'000, 100'000});
      options.response_max = dice.of({1'000, 50'000, 200'000});
      break;
    case 1:  // requests
      options.bidirectional = dice.between(5, 60);
      options.request_max = dice.of({0, 50, 500});
      options.response_max = dice.of({0, 100, 3'000});
      break;
    case 2:  // one way
      options.bidirectional = dice.between(0, 1);
      options.unidirectional = dice.between(1, 8);
      options.server_unidirectional = dice.between(0, 8);
      options.request_max = dice.of({0, 1'000, 40'000});
      break;
    case 3:  // both open
      options.bidirectional = dice.between(1, 5);
      options.server_bidirectional = dice.between(1, 5);
      options.unidirectional = dice.between(0, 3);
      options.server_unidirectional = dice.between(0, 3);
      options.request_max = dice.of({100, 10'000});
      options.response_max = dice.of({100, 10'000, 40'000});
      break;
    case 4:
      break;
  }
  if (dice.one_in(4)) options.reset_ppm = dice.of({50'000, 300'000});
  if (dice.one_in(4)) options.stop_ppm = dice.of({50'000, 300'000});
  if (dice.one_in(4)) options.slow_ppm = dice.of({100'000, 500'000});
  if (dice.one_in(6)) options.pause_ms = dice.of({50, 400, 1'500});
  options.priorities = dice.one_in(3);
  if (dice.one_in(4)) {
    options.datagrams = dice.of({3, 20, 100});
    options.datagram_every_us = dice.of({0, 500, 5'000, 50'000});
  }
  if (dice.one_in(5)) {
    options.key_updates = dice.between(1, 4);
    options.key_update_every_ms = dice.of({5, 100, 600});
  }
  if (dice.one_in(5)) {
    options.migrations = dice.between(1, 3);
    options.migrate_every_ms = dice.of({50, 300, 1'000});
  }
  if (dice.one_in(5)) options.pings = dice.between(1, 5);
  if (dice.one_in(5)) options.gap_ms = dice.of({300, 1'200, 2'400});
}

void draw_connections(Dice& dice, ScenarioOptions& options) {
  if (dice.one_in(3)) {
    options.connections = dice.between(2, 3);
    options.parallel = dice.one_in(3);
    options.resume = !options.parallel && !dice.one_in(4);
    options.early_data = options.resume && !dice.one_in(3);
    options.refuse_early = options.early_data && dice.one_in(4);
    // 0-RTT beside everything else that makes a client begin anew.
    if (options.early_data && dice.one_in(3)) options.retry = 1;
    if (options.early_data && dice.one_in(6)) options.hello_retry = 1;
    if (options.early_data && dice.one_in(4)) options.versions = static_cast<Versions>(dice.between(2, 4));
  }
  if (dice.one_in(3)) {
    options.ending = static_cast<Ending>(dice.between(1, 6));
    options.abort_ms = dice.one_in(2) ? dice.between(0, 400) : dice.between(0, 3'000);
  }
}

/// What cannot be had together.
void reconcile(ScenarioOptions& options) {
  // A NAT that forgets us is found out by who sends: a client that only waits needs a reason to.
  if (options.rebinds > 0 || options.blackhole_ms > 0) options.keep_alive_ms = std::max(options.keep_alive_ms, 1'000u);
  // Small windows make many round trips: less is carried then.
  const uint32_t window = std::min(options.stream_window, options.connection_window);
  const uint32_t most = window < 3'000 ? 40 * window : 400'000;
  const bool slow_path = options.up.delay_us > 40'000 || options.down.delay_us > 40'000 || options.pause_ms > 0;
  const uint32_t total_max = slow_path ? most / 2 : most;
  const uint32_t streams = std::max(1u, options.bidirectional + options.unidirectional + options.server_bidirectional +
                                            options.server_unidirectional);
  options.request_max = std::min(options.request_max, total_max / streams);
  options.response_max = std::min(options.response_max, total_max / streams);
  if (options.ending == Ending::server_restarts) options.refuse_early = 0;
  if (options.ending == Ending::idle) options.keep_alive_ms = 0;
}

}  // namespace

ScenarioOptions random_scenario(uint64_t seed) {
  Dice dice(seed);
  ScenarioOptions options;
  options.seed = seed;
  if (!dice.one_in(20)) draw_path(dice, options);  // some with a perfect network
  draw_endpoints(dice, options);
  draw_work(dice, options);
  draw_connections(dice, options);
  reconcile(options);
  // With a trace packets are built in another way (their frames are gathered, to be told): both must be right.
  if (dice.one_in(16)) options.trace_kib = dice.of({16, 256, 16'384});
  return options;
}

}  // namespace quoll::sim
