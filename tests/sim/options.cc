#include "tests/sim/options.h"

#include <algorithm>
#include <charconv>
#include <type_traits>
#include <vector>

namespace quoll::sim {

template <class Self, class Visit>
void ScenarioOptions::for_each_field(Self& self, Visit&& visit) {
  visit("seed", self.seed, "");
  const auto link = [&visit](auto& options, const char* name) {
    visit("delay_us", options.delay_us, name);
    visit("jitter_us", options.jitter_us, name);
    visit("rate_kbps", options.rate_kbps, name);
    visit("queue_bytes", options.queue_bytes, name);
    visit("mark_bytes", options.mark_bytes, name);
    visit("loss_ppm", options.loss_ppm, name);
    visit("burst_ppm", options.burst_ppm, name);
    visit("burst_leave_ppm", options.burst_leave_ppm, name);
    visit("reorder_ppm", options.reorder_ppm, name);
    visit("reorder_us", options.reorder_us, name);
    visit("duplicate_ppm", options.duplicate_ppm, name);
    visit("corrupt_ppm", options.corrupt_ppm, name);
    visit("ecn", options.ecn, name);
  };
  link(self.up, "up.");
  link(self.down, "down.");
  visit("mtu", self.mtu, "");
  visit("mtu_later", self.mtu_later, "");
  visit("mtu_change_ms", self.mtu_change_ms, "");
  visit("icmp", self.icmp, "");
  visit("blackhole_at_ms", self.blackhole_at_ms, "");
  visit("blackhole_ms", self.blackhole_ms, "");
  visit("blackhole_sides", self.blackhole_sides, "");
  visit("nat", self.nat, "");
  visit("rebinds", self.rebinds, "");
  visit("rebind_every_ms", self.rebind_every_ms, "");
  visit("rebind_address", self.rebind_address, "");
  visit("firewall", self.firewall, "");
  visit("replay_ppm", self.replay_ppm, "");
  visit("forge_ppm", self.forge_ppm, "");
  visit("scratch", self.scratch, "");
  visit("gather", self.gather, "");
  visit("gather_us", self.gather_us, "");
  visit("check_every", self.check_every, "");
  visit("trace_kib", self.trace_kib, "");
  visit("versions", self.versions, "");
  visit("retry", self.retry, "");
  visit("ask", self.ask, "");
  visit("ask_delay_ms", self.ask_delay_ms, "");
  visit("client_id_size", self.client_id_size, "");
  visit("server_id_size", self.server_id_size, "");
  visit("big_chain", self.big_chain, "");
  visit("preferred_address", self.preferred_address, "");
  visit("hello_retry", self.hello_retry, "");
  visit("chacha", self.chacha, "");
  visit("kem", self.kem, "");
  visit("idle_ms", self.idle_ms, "");
  visit("handshake_ms", self.handshake_ms, "");
  visit("keep_alive_ms", self.keep_alive_ms, "");
  visit("congestion", self.congestion, "");
  visit("stall_pings", self.stall_pings, "");
  visit("pacing", self.pacing, "");
  visit("horizon_us", self.horizon_us, "");
  visit("ecn", self.ecn, "");
  visit("mtu_discovery", self.mtu_discovery, "");
  visit("mtu_max", self.mtu_max, "");
  visit("stream_window", self.stream_window, "");
  visit("connection_window", self.connection_window, "");
  visit("window_growth", self.window_growth, "");
  visit("stream_limit", self.stream_limit, "");
  visit("send_buffer", self.send_buffer, "");
  visit("key_packets_max", self.key_packets_max, "");
  visit("skip_every", self.skip_every, "");
  visit("max_ack_delay_ms", self.max_ack_delay_ms, "");
  visit("ack_threshold", self.ack_threshold, "");
  visit("grease", self.grease, "");
  visit("spin_bit", self.spin_bit, "");
  visit("bidirectional", self.bidirectional, "");
  visit("unidirectional", self.unidirectional, "");
  visit("server_bidirectional", self.server_bidirectional, "");
  visit("server_unidirectional", self.server_unidirectional, "");
  visit("request_max", self.request_max, "");
  visit("response_max", self.response_max, "");
  visit("reset_ppm", self.reset_ppm, "");
  visit("stop_ppm", self.stop_ppm, "");
  visit("slow_ppm", self.slow_ppm, "");
  visit("pause_ms", self.pause_ms, "");
  visit("priorities", self.priorities, "");
  visit("datagrams", self.datagrams, "");
  visit("datagram_every_us", self.datagram_every_us, "");
  visit("key_updates", self.key_updates, "");
  visit("key_update_every_ms", self.key_update_every_ms, "");
  visit("migrations", self.migrations, "");
  visit("migrate_every_ms", self.migrate_every_ms, "");
  visit("pings", self.pings, "");
  visit("gap_ms", self.gap_ms, "");
  visit("connections", self.connections, "");
  visit("parallel", self.parallel, "");
  visit("resume", self.resume, "");
  visit("early_data", self.early_data, "");
  visit("refuse_early", self.refuse_early, "");
  visit("ending", self.ending, "");
  visit("abort_ms", self.abort_ms, "");
}

std::string to_string(const ScenarioOptions& options) {
  std::vector<uint64_t> defaults;
  const ScenarioOptions usual;
  const auto value_of = [](auto value) { return static_cast<uint64_t>(value); };
  ScenarioOptions::for_each_field(
      usual, [&](const char*, const auto& value, const char*) { defaults.push_back(value_of(value)); });
  std::string line;
  size_t i = 0;
  ScenarioOptions::for_each_field(options, [&](const char* name, const auto& value, const char* prefix) {
    const uint64_t number = value_of(value);
    if (number == defaults[i++] && line.size() > 0) return;
    line += (line.empty() ? "" : " ") + std::string(prefix) + name + "=" + std::to_string(number);
  });
  return line;
}

std::optional<ScenarioOptions> parse_options(std::string_view line) {
  ScenarioOptions options;
  while (!line.empty()) {
    const std::string_view word = line.substr(0, line.find(' '));
    line.remove_prefix(std::min(word.size() + 1, line.size()));
    if (word.empty()) continue;
    const size_t equals = std::min(word.find('='), word.size() - 1);
    const std::string_view key = word.substr(0, equals), number = word.substr(equals + 1);
    uint64_t parsed = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), parsed);
    bool found = false;
    ScenarioOptions::for_each_field(options, [&](const char* name, auto& value, const char* prefix) {
      if (key != std::string(prefix) + name) return;
      value = static_cast<std::remove_reference_t<decltype(value)>>(parsed);
      found = static_cast<uint64_t>(value) == parsed;
    });
    if (!found || error != std::errc() || end != number.data() + number.size()) return {};
  }
  return options;
}

}  // namespace quoll::sim
