// Features: what actually happened in scenarios, counted, so that a table shows that the seeds reach what they claim.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace quoll::sim {

enum class Feature : uint8_t {
  handshakes,
  retries,
  version_negotiations,
  version_upgrades,
  version_2,
  hello_retries,
  resumptions,
  early_data_accepted,
  early_data_refused,
  early_data_after_retry,  // combinations, of one connection
  early_data_hello_retry,
  early_data_version,
  negotiations_with_loss,
  migrations_with_loss,
  migrations_with_ecn,
  rebindings_without_ids,
  rebindings_mid_handshake,
  preferred_without_ids,
  key_updates_reordered,
  black_holes_told,
  tokens_used,
  streams_finished,
  streams_reset,
  streams_stopped,
  writes_cut_short,
  opens_refused,
  slow_reads,
  datagrams_echoed,
  key_updates,
  client_migrations,
  failed_migrations,
  rebindings_followed,
  preferred_addresses,
  mtu_raised,
  mtu_black_holes,
  icmp_told,
  icmp_forged,
  icmp_lies,
  packets_lost,
  packets_spuriously_lost,
  probe_timeouts,
  ecn_validated,
  ecn_given_up,
  ce_marked,
  corrupted,
  black_holes,
  replayed,
  forged,
  traces_checked,
  trains_sent,
  trains_received,
  trains_paced,
  departures_ahead,
  application_closes,
  aborts,
  idle_timeouts,
  handshake_timeouts,
  stateless_resets,
  ghost_connections,
  perfect_paths,
  timeouts_explained,  // connections that the network kept from finishing
  count
};
inline constexpr size_t kFeatureCount = static_cast<size_t>(Feature::count);

constexpr const char* name_of(Feature feature) {
  constexpr const char* kNames[] = {"handshakes",
                                    "retries",
                                    "version negotiations",
                                    "version upgrades",
                                    "version 2",
                                    "hello retry requests",
                                    "resumptions",
                                    "0-RTT accepted",
                                    "0-RTT refused",
                                    "0-RTT after Retry",
                                    "0-RTT and HelloRetryRequest",
                                    "0-RTT and another version",
                                    "version negotiation and loss",
                                    "migrations and loss",
                                    "migrations and ECN",
                                    "rebindings, no client ids",
                                    "rebindings in a handshake",
                                    "preferred address, no client ids",
                                    "key updates and reordering",
                                    "MTU black holes and ICMP",
                                    "tokens of NEW_TOKEN used",
                                    "streams finished",
                                    "streams reset",
                                    "streams stopped",
                                    "writes cut short",
                                    "opens refused",
                                    "slow reads",
                                    "datagrams echoed",
                                    "key updates",
                                    "migrations of clients",
                                    "migrations that failed",
                                    "rebindings followed",
                                    "preferred addresses",
                                    "MTU raised",
                                    "MTU black holes",
                                    "ICMP hints",
                                    "ICMP hints forged",
                                    "ICMP hints that lie",
                                    "packets lost",
                                    "packets spuriously lost",
                                    "probe timeouts",
                                    "ECN validated",
                                    "ECN given up",
                                    "CE marks",
                                    "corrupted datagrams",
                                    "black holes",
                                    "replayed datagrams",
                                    "forged datagrams",
                                    "traces checked",
                                    "trains sent",
                                    "trains received",
                                    "trains that were paced",
                                    "departures ahead",
                                    "closes by applications",
                                    "aborts",
                                    "idle timeouts",
                                    "handshake timeouts",
                                    "stateless resets",
                                    "ghost connections",
                                    "connections without any loss",
                                    "timeouts explained by losses"};
  static_assert(sizeof kNames / sizeof kNames[0] == kFeatureCount);
  return kNames[static_cast<size_t>(feature)];
}

struct Features {
  std::array<uint64_t, kFeatureCount> counts{};

  void add(Feature feature, uint64_t times = 1) { counts[static_cast<size_t>(feature)] += times; }
  uint64_t operator[](Feature feature) const { return counts[static_cast<size_t>(feature)]; }
};

}  // namespace quoll::sim
