// ScenarioOptions: everything that a scenario is made of, as plain numbers. Printed as one line; random_scenario() draws
// all of it from a seed, and tests with names set what they are about.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tests/sim/elements.h"

namespace quoll::sim {

/// One direction of the network. Probabilities in parts per million; 0: none of it.
struct LinkOptions {
  uint32_t delay_us = 10'000;
  uint32_t jitter_us = 0;
  uint32_t rate_kbps = 0;  // 0: no bottleneck
  uint32_t queue_bytes = 0;
  uint32_t mark_bytes = 0;
  uint32_t loss_ppm = 0;
  uint32_t burst_ppm = 0;
  uint32_t burst_leave_ppm = 0;
  uint32_t reorder_ppm = 0;
  uint32_t reorder_us = 0;
  uint32_t duplicate_ppm = 0;
  uint32_t corrupt_ppm = 0;
  EcnPath ecn = EcnPath::clean;
};

/// Which versions the two sides speak, and what follows.
enum class Versions : uint8_t {
  v1,
  v2,
  upgrade,      // the client begins with 1, the server prefers 2 (RFC 9369 §4)
  downgrade,    // the client begins with 2, the server prefers 1
  negotiation,  // the server speaks 1 alone, and the client begins with 2 (RFC 9000 §6)
};

/// How a connection ends when nothing goes wrong.
enum class Ending : uint8_t {
  client_closes,   // when all work is done
  server_closes,   // likewise
  client_aborts,   // at abort_ms, whatever is going on
  server_aborts,   // likewise
  both_abort,      // likewise, at one instant
  idle,            // nobody closes: the idle timeout ends it
  server_restarts  // at abort_ms the server loses its state: stateless reset (RFC 9000 §10.3)
};

/// What routers tell about datagrams that are too big for them.
enum class Icmp : uint8_t {
  silent,
  honest,
  forged,  // from off the path: sizes that hurt, and noise for the datagram that is quoted
  lying    // from the path: datagrams that were sent are quoted, with any size
};

struct ScenarioOptions {
  uint64_t seed = 0;
  LinkOptions up, down;

  // The path.
  uint32_t mtu = 1472;     // bytes of UDP payload
  uint32_t mtu_later = 0;  // from mtu_change_ms on; 0: no change
  uint32_t mtu_change_ms = 0;
  Icmp icmp = Icmp::silent;
  uint32_t blackhole_at_ms = 0;
  uint32_t blackhole_ms = 0;
  uint32_t blackhole_sides = 3;  // 1: up, 2: down, 3: both
  uint32_t nat = 0;
  uint32_t rebinds = 0;
  uint32_t rebind_every_ms = 500;
  uint32_t rebind_address = 0;  // the address too, not only the port
  uint32_t firewall = 0;
  uint32_t replay_ppm = 0;
  uint32_t forge_ppm = 0;

  // The hosts.
  uint32_t scratch = 65'535;
  uint32_t gather = 1;
  uint32_t gather_us = 0;
  uint32_t check_every = 1;
  uint32_t trace_kib = 0;  // connections are traced into logs of at most so many KiB, which are checked in the end

  // The endpoints.
  Versions versions = Versions::v1;
  uint32_t retry = 0;  // RetryPolicy::always
  uint32_t ask = 0;    // the server's application decides: 1 accepts, 2 answers with Retry first
  uint32_t ask_delay_ms = 0;
  uint32_t client_id_size = 8;
  uint32_t server_id_size = 8;
  uint32_t big_chain = 0;  // certificates of so many bytes besides the leaf
  uint32_t preferred_address = 0;
  uint32_t hello_retry = 0;
  uint32_t chacha = 0;
  uint32_t kem = 0;  // a ClientHello of two datagrams

  // Transport configuration, of both sides.
  uint32_t idle_ms = 30'000;
  uint32_t handshake_ms = 20'000;
  uint32_t keep_alive_ms = 0;
  uint32_t congestion = 0;  // cubic, newreno, bbr2, bbr3
  uint32_t stall_pings = 0;
  uint32_t pacing = 1;
  uint32_t horizon_us = 0;  // departures lie ahead by so much
  uint32_t ecn = 1;
  uint32_t mtu_discovery = 1;
  uint32_t mtu_max = 1452;
  uint32_t stream_window = 64 * 1024;
  uint32_t connection_window = 128 * 1024;
  uint32_t window_growth = 64;  // the largest windows are so many times the first ones
  uint32_t stream_limit = 100;
  uint32_t send_buffer = 256 * 1024;
  uint32_t key_packets_max = 0;  // an update after so many packets; 0: the default
  uint32_t skip_every = 500;
  uint32_t max_ack_delay_ms = 25;
  uint32_t ack_threshold = 1;
  uint32_t grease = 1;
  uint32_t spin_bit = 0;

  // The work, of each connection.
  uint32_t bidirectional = 3;         // streams opened by the client
  uint32_t unidirectional = 0;        // likewise
  uint32_t server_bidirectional = 0;  // streams opened by the server
  uint32_t server_unidirectional = 0;
  uint32_t request_max = 2'000;    // bytes from who opens
  uint32_t response_max = 50'000;  // bytes from who answers
  uint32_t reset_ppm = 0;          // of all directions of streams
  uint32_t stop_ppm = 0;
  uint32_t slow_ppm = 0;  // readers that take their time
  uint32_t pause_ms = 0;  // some readers stop for so long
  uint32_t priorities = 0;
  uint32_t datagrams = 0;  // that the client sends and the server echoes
  uint32_t datagram_every_us = 5'000;
  uint32_t key_updates = 0;  // by either side
  uint32_t key_update_every_ms = 200;
  uint32_t migrations = 0;  // by the client
  uint32_t migrate_every_ms = 300;
  uint32_t pings = 0;
  uint32_t gap_ms = 0;  // nothing happens for so long, then there is one more stream

  uint32_t connections = 1;  // one after the other, or at a time
  uint32_t parallel = 0;
  uint32_t resume = 0;        // the later ones with a ticket and token of the earlier
  uint32_t early_data = 0;    // and with 0-RTT
  uint32_t refuse_early = 0;  // the server has lost its ticket keys
  Ending ending = Ending::client_closes;
  uint32_t abort_ms = 0;

  /// Calls visit(name, value, prefix) for every field.
  template <class Self, class Visit>
  static void for_each_field(Self& self, Visit&& visit);
};

/// The whole scenario from its seed.
ScenarioOptions random_scenario(uint64_t seed);

/// One line: the seed and every field that differs from its default.
std::string to_string(const ScenarioOptions& options);
/// The same line read again; empty where something else than options stands there.
std::optional<ScenarioOptions> parse_options(std::string_view line);

}  // namespace quoll::sim
