// What a simulation is built of: configurations and the network, from the options.

#include <algorithm>
#include <array>

#include "quic/path/connection_id_generator.h"
#include "tests/sim/simulation.h"

namespace quoll::sim {

quic::TransportConfig Simulation::transport(quic::Role role) const {
  const ScenarioOptions& o = options_;
  quic::TransportConfig config;
  const uint64_t growth = std::max(1u, o.window_growth);
  config.streams.initial_stream_window = o.stream_window;
  config.streams.max_stream_window = o.stream_window * growth;
  config.streams.initial_connection_window = o.connection_window;
  config.streams.max_connection_window = o.connection_window * growth;
  config.streams.max_bidirectional_streams = config.streams.max_unidirectional_streams = o.stream_limit;
  config.streams.send_buffer_max = o.send_buffer;
  config.max_datagram_frame_size = o.datagrams > 0 ? 65'535 : 0;
  config.max_idle_timeout = Duration::milliseconds(o.idle_ms);
  config.keep_alive = Duration::milliseconds(role == quic::Role::client ? o.keep_alive_ms : 0);
  config.keep_alive_always = true;
  config.handshake_timeout = Duration::milliseconds(o.handshake_ms);
  config.max_ack_delay = Duration::milliseconds(o.max_ack_delay_ms);
  config.ack_eliciting_threshold = o.ack_threshold;
  using enum quic::CongestionAlgorithm;
  config.congestion = std::array{cubic, new_reno, bbr2, bbr3}[o.congestion % 4];
  config.pacing = o.pacing > 0;
  config.stall_pings = static_cast<uint8_t>(o.stall_pings);
  config.departure_horizon = Duration::microseconds(o.horizon_us);
  config.ecn = o.ecn > 0;
  config.mtu.enabled = o.mtu_discovery > 0;
  config.mtu.max = static_cast<uint16_t>(o.mtu_max);
  if (o.key_packets_max > 0) config.key_update.packets_max = o.key_packets_max;
  config.skip_packet_number_every = o.skip_every;
  config.grease = config.grease_quic_bit = o.grease > 0;
  config.spin_bit = o.spin_bit > 0;
  const bool server = role == quic::Role::server;
  using enum quic::Version;
  switch (o.versions) {
    case Versions::v1:
      config.versions = {v1};
      break;
    case Versions::v2:
      config.versions = {v2};
      break;
    case Versions::upgrade:
      config.versions = server ? std::vector{v2, v1} : std::vector{v1, v2};
      break;
    case Versions::downgrade:
      config.versions = server ? std::vector{v1, v2} : std::vector{v2, v1};
      break;
    case Versions::negotiation:
      config.versions = server ? std::vector{v1} : std::vector{v2, v1};
      break;
  }
  return config;
}

std::shared_ptr<const quic::ClientConfig> Simulation::client_config() const {
  auto config = std::make_shared<quic::ClientConfig>();
  config->tls = tls_.client;
  config->transport = transport(quic::Role::client);
  return config;
}

std::shared_ptr<const quic::ServerConfig> Simulation::server_config() const {
  auto config = std::make_shared<quic::ServerConfig>();
  config->tls = tls_.server;
  config->transport = transport(quic::Role::server);
  if (options_.preferred_address > 0) config->preferred_ipv4 = kPreferredAddress;
  return config;
}

void Simulation::trace(quic::EndpointConfig& config) const {
  if (!traces_) return;
  config.trace = [traces = traces_.get()](quic::Role role, const quic::ConnectionId& original_destination) {
    return traces->begin(role, original_destination.bytes());
  };
}

quic::EndpointConfig Simulation::client_endpoint() const {
  quic::EndpointConfig config;
  trace(config);
  config.connection_ids = std::make_shared<quic::RandomConnectionIds>(options_.client_id_size);
  return config;
}

quic::EndpointConfig Simulation::server_endpoint() const {
  quic::EndpointConfig config;
  trace(config);
  config.connection_ids = std::make_shared<quic::RandomConnectionIds>(options_.server_id_size);
  tests::SeededRng rng(options_.seed + 5);
  quic::FleetSecret secret;
  rng.fill(secret);
  config.secret = secret;
  config.server = server_config();
  config.ask_before_accept = options_.ask > 0;
  config.retry = options_.retry > 0 ? quic::RetryPolicy::always : quic::RetryPolicy::never;
  return config;
}

Host::Options Simulation::host_options(quic::Role role) const {
  return {.seed = options_.seed * 2 + (role == quic::Role::server ? 1 : 0),
          .scratch_size = options_.scratch,
          .gather = options_.gather > 0,
          .gather_for = Duration::microseconds(options_.gather_us),
          .check_every = options_.check_every,
          .datagram_max = std::max<size_t>(options_.mtu_max, quic::kBaseMtu)};
}

void Simulation::build_network() {
  const uint64_t seed = options_.seed * 1'000;
  if (options_.nat > 0) {
    nat_ = std::make_shared<Nat>();
    to_server_.add<NatOut>(nat_);
  }
  const auto firewall = options_.firewall > 0 ? std::make_shared<FirewallState>() : nullptr;
  if (firewall) to_server_.add<FirewallOut>(firewall);
  const auto heard = std::make_shared<Eavesdropped>();
  to_server_.add<Eavesdropper>(heard);
  to_client_.add<Tap>([this](Instant, const Datagram& datagram) { amplification_.on_sent(world_, datagram); });

  for (Link* link : {&to_server_, &to_client_}) {
    const size_t i = index_of(link->direction());
    if (options_.forge_ppm > 0) forgers_[i] = &link->add<Forger>(seed + 100 + i, options_.forge_ppm, heard);
    if (options_.replay_ppm > 0) replayers_[i] = &link->add<Replayer>(seed + 110 + i, options_.replay_ppm);
  }
  add_common_elements(to_server_, options_.up, seed);
  add_common_elements(to_client_, options_.down, seed + 500);
  if (extras_.add_elements) extras_.add_elements(to_server_, to_client_);

  to_server_.add<LossOf>([](uint64_t, const Datagram& datagram) {  // nobody lives elsewhere
    return datagram.destination != kServerAddress && datagram.destination != kPreferredAddress;
  });
  to_server_.add<Tap>([this](Instant, const Datagram& datagram) { amplification_.on_received(datagram); });
  if (firewall) to_client_.add<FirewallIn>(firewall);
  if (nat_) to_client_.add<NatIn>(nat_);
  to_client_.add<LossOf>([](uint64_t, const Datagram& datagram) {
    const Bytes ip = datagram.destination.ip.octets();
    return ip.size() != 4 || ip[0] != 10;
  });
}

void Simulation::add_common_elements(Link& link, const LinkOptions& o, uint64_t seed) {
  const size_t i = index_of(link.direction());
  if (o.ecn != EcnPath::clean) link.add<EcnMangling>(seed + 1, o.ecn);
  if (o.loss_ppm > 0) link.add<RandomLoss>(seed + 2, o.loss_ppm);
  if (o.burst_ppm > 0) link.add<BurstLoss>(seed + 3, o.burst_ppm, o.burst_leave_ppm);
  if (o.corrupt_ppm > 0) corruptions_[i] = &link.add<Corruption>(seed + 5, o.corrupt_ppm);
  if (o.duplicate_ppm > 0) link.add<Duplication>(seed + 6, o.duplicate_ppm);
  if (options_.blackhole_ms > 0 && (options_.blackhole_sides & (1u << i)) != 0) {
    const Instant from = Instant() + Duration::milliseconds(options_.blackhole_at_ms);
    blackholes_[i] = &link.add<Blackhole>(from, from + Duration::milliseconds(options_.blackhole_ms));
  }
  if (options_.icmp == Icmp::lying) add_liar(link, seed + 9);
  mtus_[i] = &link.add<MtuLimit>(static_cast<uint16_t>(options_.mtu), router_of(link));
  if (o.rate_kbps > 0) {
    bottlenecks_[i] = &link.add<Bottleneck>(Bottleneck::Options{
        .rate = Bandwidth::bits_per_second(uint64_t{o.rate_kbps} * 1'000),
        .queue_bytes = o.queue_bytes > 0 ? o.queue_bytes : UINT64_MAX,
        .mark_bytes = o.mark_bytes > 0 ? o.mark_bytes : UINT64_MAX,
    });
  }
  link.add<Delay>(seed + 7, Duration::microseconds(o.delay_us), Duration::microseconds(o.jitter_us));
  if (o.reorder_ppm > 0) link.add<Reordering>(seed + 8, o.reorder_ppm, Duration::microseconds(o.reorder_us));
}

void Simulation::schedule_hazards() {
  for (uint32_t i = 0; i < options_.rebinds; i++) {
    world_.scheduler.after((i + 1) * Duration::milliseconds(options_.rebind_every_ms), [this] {
      world_.journal.note(world_.now(), "the NAT forgets its mappings");
      if (!pairs_.empty() && !pairs_.back().client->connected_at()) features_.add(Feature::rebindings_mid_handshake);
      nat_->rebind(options_.rebind_address > 0);
    });
  }
  if (options_.mtu_later > 0) {
    world_.scheduler.after(Duration::milliseconds(options_.mtu_change_ms), [this] {
      world_.journal.note(world_.now(), "the MTU changes to " + std::to_string(options_.mtu_later));
      for (MtuLimit* mtu : mtus_) mtu->set(static_cast<uint16_t>(options_.mtu_later));
    });
  }
  if (options_.icmp == Icmp::forged) {
    world_.scheduler.after(Duration::milliseconds(50), [this] { forge_too_big(20); });
  }
}

void Simulation::collect_features() {
  const auto add = [this](Feature feature, uint64_t times) { features_.add(feature, times); };
  const auto sides = [&](Conversation& conversation) {
    const quic::Statistics& s = conversation.statistics();
    add(Feature::key_updates, s.key_updates);
    add(Feature::mtu_raised, s.mtu > quic::kBaseMtu ? 1 : 0);
    add(Feature::mtu_black_holes, s.black_holes);
    add(Feature::packets_lost, s.packets_lost);
    add(Feature::packets_spuriously_lost, s.packets_spuriously_lost);
    add(Feature::probe_timeouts, s.probe_timeouts);
    add(Feature::migrations_with_loss, s.migrations > 0 && s.packets_lost > s.packets_spuriously_lost);
    add(Feature::migrations_with_ecn, s.migrations > 0 && s.ecn_capable);
    add(Feature::key_updates_reordered, s.key_updates > 0 && s.packets_spuriously_lost > 0);
    add(Feature::black_holes_told, s.black_holes > 0 && options_.icmp == Icmp::honest);
    if (options_.ecn > 0 && conversation.connected_at()) {
      add(s.ecn_capable ? Feature::ecn_validated : Feature::ecn_given_up, 1);
    }
  };
  for (Pair& pair : pairs_) {
    sides(*pair.client);
    if (pair.server) sides(*pair.server);
  }
  for (const auto& conversation : server_conversations_) {
    const bool paired =
        std::any_of(pairs_.begin(), pairs_.end(), [&](const Pair& pair) { return pair.server == conversation.get(); });
    if (!paired) add(Feature::ghost_connections, 1);
  }
  const quic::EndpointStatistics& server = server_.endpoint().statistics();
  add(Feature::retries, server.retries_sent);
  add(Feature::version_negotiations, server.version_negotiations_sent);
  for (const Host* host : {&client_, &server_}) {
    add(Feature::trains_sent, host->counters().trains_sent);
    add(Feature::trains_received, host->counters().trains_received);
    add(Feature::trains_paced, host->paced_trains());
    add(Feature::departures_ahead, host->counters().held_for_departure);
  }
  for (const size_t i : {0, 1}) {
    if (bottlenecks_[i]) add(Feature::ce_marked, bottlenecks_[i]->marked());
    if (corruptions_[i]) add(Feature::corrupted, corruptions_[i]->corrupted());
    if (replayers_[i]) add(Feature::replayed, replayers_[i]->replayed());
    if (forgers_[i]) add(Feature::forged, forgers_[i]->forged());
    if (blackholes_[i] && blackholes_[i]->swallowed() > 0) add(Feature::black_holes, 1);
  }
}

}  // namespace quoll::sim
