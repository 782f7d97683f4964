// The outside of Connection: construction, the application's functions, and the inputs and outputs of the endpoint.
#include "quic/connection/connection.h"

#include "quic/connection/state.h"

namespace quoll::quic {

Connection::State::State(Instant now, Role which, const ConnectionContext& with, const TransportConfig& settings,
                         TraceSink<TraceEvent>* sink)
    : role(which),
      shared(with),
      config(settings),
      trace(sink),
      protection(*with.provider, which, settings.key_update),
      loss({.role = which}),
      application_space(Space::application, {.ack_eliciting_threshold = settings.ack_eliciting_threshold,
                                             .max_ack_delay = settings.max_ack_delay}),
      handshake_spaces(new std::array<SpaceState, 2>{SpaceState(Space::initial, {}), SpaceState(Space::handshake, {})}),
      ecn(settings.ecn),
      streams(which, settings.streams),
      datagrams(settings.datagrams, settings.max_datagram_frame_size),
      handshake(std::make_unique<HandshakeState>()),
      present(now) {
  handshake->deadline = now + settings.handshake_timeout;
  if (trace) streams.set_trace(StreamTrace(trace, present));
  is_spinning = settings.spin_bit && with.rng->below(16) != 0;
  trace(now, trace::RecoveryParametersSet{
                 .initial_rtt = settings.initial_rtt,
                 .max_datagram_size = kInitialDatagramSizeMin,
                 .initial_congestion_window = settings.initial_window.bytes(kInitialDatagramSizeMin),
                 .minimum_congestion_window = minimum_window(kInitialDatagramSizeMin)});
}

Connection::State::~State() = default;

Connection::Connection(std::unique_ptr<State> state) : state_(std::move(state)) {}
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;
Connection::~Connection() = default;

namespace {

Result<void> check_versions(const std::vector<Version>& versions) {
  if (versions.empty()) return usage_error("no QUIC version");
  for (const Version version : versions) {
    if (!is_supported(version)) return usage_error("a QUIC version that is not supported");
  }
  return {};
}

Result<void> check_config(const TransportConfig& config) {
  if (Result<void> versions = check_versions(config.versions); !versions) return versions;
  if (config.ack_delay_exponent > kAckDelayExponentMax) return usage_error("ack_delay_exponent is over 20");
  if (config.max_ack_delay >= Duration::milliseconds(kMaxAckDelayEnd)) return usage_error("max_ack_delay is too long");
  if (config.mtu.initial < kBaseMtu) return usage_error("an MTU below 1200 bytes");
  if (!config.initial_window.is_sane()) return usage_error("no initial window of 2 to 100 datagrams");
  const StreamLimits& limits = config.streams;
  if (limits.max_bidirectional_streams > kStreamCountMax || limits.max_unidirectional_streams > kStreamCountMax) {
    return usage_error("more streams than can be numbered");
  }
  if (limits.initial_connection_window > kVarintMax || limits.initial_stream_window > kVarintMax) {
    return usage_error("a window beyond 2^62-1");
  }
  return {};
}

}  // namespace

Result<Connection> Connection::connect(Instant now, UnixTime wall_clock, const ConnectionContext& context,
                                       ClientStart start) {
  if (!start.config || !start.config->tls) return usage_error("a client needs a TLS configuration");
  const TransportConfig& config = start.config->transport;
  if (Result<void> usable = check_config(config); !usable) return std::unexpected(usable.error());
  auto state = std::make_unique<State>(now, Role::client, context, config, start.trace);
  state->client_config = std::move(start.config);
  const ConnectionId local_id = context.ids.generator->generate(*context.rng);
  if (local_id.size() != context.ids.generator->size()) return usage_error("no free connection id");
  state->local_ids.emplace(context.ids, local_id);
  state->current = state->add_path(now, start.path);
  state->handshake->server_name = start.server_name;
  state->handshake->early_data_offered = start.early_data && start.resumption && start.resumption->ticket &&
                                         start.resumption->ticket->max_early_data_size != 0;
  Version first = state->client_config->original_version.value_or(config.versions.front());
  if (start.resumption) first = start.resumption->version;
  if (!is_reserved(first) && std::ranges::find(config.versions, first) == config.versions.end()) {
    first = config.versions.front();
    state->handshake->early_data_offered = false;
  }
  state->handshake->resumption = std::move(start.resumption);
  state->restart_idle_timer(now);
  if (Result<void> started = state->start_client(now, wall_clock, first); !started) {
    return std::unexpected(started.error());
  }
  state->trace(
      now, trace::ConnectionStarted{
               .path = start.path, .local_id = state->local_ids->initial(), .remote_id = state->original_destination});
  return Connection(std::move(state));
}

Result<Connection> Connection::accept(Instant now, const ConnectionContext& context, ServerStart start) {
  if (!start.config || !start.config->tls) return usage_error("a server needs a TLS configuration");
  if (Result<void> usable = check_config(start.config->transport); !usable) return std::unexpected(usable.error());
  auto state = std::make_unique<State>(now, Role::server, context, start.config->transport, start.trace);
  state->server_config = start.config;
  const ConnectionId local_id = context.ids.generator->generate(*context.rng);
  if (local_id.size() != context.ids.generator->size()) return usage_error("no free connection id");
  state->local_ids.emplace(context.ids, local_id);
  state->current = state->add_path(now, start.path);
  state->restart_idle_timer(now);
  if (Result<void> started = state->start_server(now, start); !started) return std::unexpected(started.error());
  state->trace(now, trace::ConnectionStarted{
                        .path = start.path, .local_id = state->local_ids->initial(), .remote_id = start.source});
  return Connection(std::move(state));
}

// --- The application's

Role Connection::role() const { return state_->role; }
Streams& Connection::streams() { return state_->streams; }

std::optional<size_t> Connection::max_datagram_size() const {
  return state_->datagrams.max_size(state_->payload_size_max());
}

Result<bool> Connection::send_datagram(Slice data) {
  if (!state_->is_open()) return usage_error("the connection is closed");
  return state_->datagrams.send(std::move(data));
}

std::optional<Slice> Connection::receive_datagram() { return state_->datagrams.receive(); }

void Connection::close(Instant now, ApplicationErrorCode error, std::string_view reason) {
  State& state = *state_;
  state.present = now;
  if (!state.is_open()) return;
  const auto code = std::min(static_cast<uint64_t>(error), kVarintMax);
  state.begin_closing(now, true, code, 0, reason);
  state.end({.why = Closed::Why::local, .application = true, .error_code = code, .reason = state.close.reason});
}

void Connection::close(ApplicationErrorCode error, std::string_view reason) {
  State& state = *state_;
  if (!state.is_open()) return;
  close(state.present, error, reason);
  state.close.until = Instant::never();
}

Result<void> Connection::migrate(Instant now, const SocketAddress& local) {
  state_->present = now;
  return state_->migrate(now, {.local = local, .remote = state_->current->path.remote});
}

Result<void> Connection::update_keys(Instant now) {
  State& state = *state_;
  state.present = now;
  // RFC 9001 §6.1: after confirmation, and one update at a time.
  if (!state.is_open() || !state.confirmed || !state.protection.can_update()) {
    return usage_error("keys cannot be updated now");
  }
  state.update_keys(now);
  return {};
}

void Connection::ping() {
  if (state_->is_open()) state_->space(Space::application).ping = true;
}

void Connection::on_icmp_too_big(Instant now, const Path& path, uint16_t mtu, Bytes quoted) {
  State& state = *state_;
  PathState* known = state.is_open() ? state.find_path(path) : nullptr;
  // RFC 9000 §14.2.1: only when it quotes what we sent there, as far as can be told: the id of that path.
  const Bytes id = known ? known->remote_id.id.bytes() : Bytes();
  if (!known || quoted.size() < 1 + id.size() || !std::ranges::equal(quoted.subspan(1, id.size()), id)) return;
  const uint16_t before = known->mtu.mtu();
  known->mtu.on_icmp_hint(now, mtu);
  if (known->mtu.mtu() != before) state.on_mtu_changed(now, *known);
}

const tls::Negotiated& Connection::tls() const { return state_->session->negotiated(); }

const x509::Certificate* Connection::peer_certificate() const {
  const std::vector<x509::Certificate>& chain = tls().peer_certificates;
  return is_established() && !chain.empty() ? &chain.front() : nullptr;
}

Result<void> Connection::export_keying_material(std::string_view label, Bytes bytes, MutBytes out) const {
  return state_->session->export_keying_material(label, bytes, out);
}

const TransportParameters* Connection::peer_parameters() const { return state_->peer_parameters.get(); }
const Path& Connection::path() const { return state_->current->path; }
Version Connection::version() const { return state_->version; }
bool Connection::is_established() const { return state_->handshake_complete; }
bool Connection::is_confirmed() const { return state_->confirmed; }
bool Connection::is_closed() const { return !state_->is_open(); }

Statistics Connection::statistics() const {
  const State& state = *state_;
  const PathState& path = *state.current;
  Statistics out;
  out.datagrams_sent = state.counters.datagrams_sent;
  out.datagrams_received = state.counters.datagrams_received;
  out.bytes_sent = state.counters.bytes_sent;
  out.bytes_received = state.counters.bytes_received;
  out.packets_sent = state.counters.packets_sent;
  out.packets_received = state.counters.packets_received;
  out.packets_lost = state.counters.packets_lost;
  out.packets_spuriously_lost = state.counters.packets_spuriously_lost;
  out.packets_duplicate = state.counters.packets_duplicate;
  out.packets_dropped = state.counters.packets_dropped;
  out.packets_undecryptable_kept = state.counters.packets_kept;
  out.probe_timeouts = state.counters.probe_timeouts;
  out.early_repeats = state.counters.early_repeats;
  out.key_updates = state.protection.can_open(PacketType::one_rtt) ? state.protection.key_updates() : 0;
  out.migrations = state.counters.migrations;
  out.mtu_probes_sent = state.counters.mtu_probes_sent;
  out.mtu_probes_lost = state.counters.mtu_probes_lost;
  out.black_holes = state.counters.black_holes;
  out.congestion_events = state.counters.congestion_events;
  out.smoothed_rtt = path.recovery.rtt.smoothed_rtt();
  out.latest_rtt = path.recovery.rtt.latest_rtt();
  out.min_rtt = path.recovery.rtt.min_rtt();
  out.rttvar = path.recovery.rtt.rttvar();
  out.congestion_window = path.controller->window();
  out.bytes_in_flight = path.recovery.bytes_in_flight;
  out.delivery_rate = state.last_rate.delivery_rate;
  out.pacing_rate = path.pacer.rate();
  out.mtu = path.mtu.mtu();
  out.ecn_capable = state.ecn.state() == EcnValidator::State::capable;
  out.streams = state.streams.statistics();
  out.datagrams = state.datagrams.statistics();
  return out;
}

// --- Inputs

void Connection::receive(Instant now, UnixTime wall_clock, const Path& path,
                         std::span<const ReceivedDatagram> datagrams, const Buffer& buffer) {
  state_->present = now;
  state_->wall_clock = wall_clock;
  state_->wall_clock_at = now;
  state_->receive(now, path, datagrams, buffer);
}

void Connection::on_timeout(Instant now) {
  state_->present = now;
  state_->on_timeout(now);
}

void Connection::on_stateless_reset(Instant now) {
  state_->present = now;
  state_->on_stateless_reset(now);
}

bool Connection::is_reset_token(Bytes token) const { return state_->remote_ids->is_reset_token(token); }

// --- Outputs

std::optional<Transmit> Connection::poll_transmit(Instant now, MutBytes scratch) {
  state_->present = now;
  return state_->poll_transmit(now, scratch);
}

std::optional<Event> Connection::poll_event() {
  State& state = *state_;
  if (!state.events.empty()) {
    Event event = std::move(state.events.front());
    state.events.pop();
    if (state.events.empty()) state.events.trim();
    return event;
  }
  if (state.is_finished) return std::nullopt;
  if (std::exchange(state.datagram_event_due, false)) return DatagramReceived{};
  if (std::optional<StreamEvent> event = state.streams.poll_event()) {
    return std::visit([](auto& each) { return Event(std::move(each)); }, *event);
  }
  if (!state.closed) return std::nullopt;
  // What had arrived was told before; after this there is nothing.
  state.is_finished = true;
  Event last = std::move(*state.closed);
  state.closed.reset();
  return last;
}

std::optional<RouteChange> Connection::poll_route_change() {
  if (const std::optional<ConnectionIdChange> change = state_->local_ids->poll_change()) {
    const bool added = change->kind == ConnectionIdChange::Kind::added;
    return RouteChange{.kind = added ? RouteChange::Kind::add_id : RouteChange::Kind::remove_id, .id = change->id};
  }
  if (const std::optional<RemoteConnectionIds::TokenChange> change = state_->remote_ids->poll_token_change()) {
    return RouteChange{
        .kind = change->added ? RouteChange::Kind::add_reset_token : RouteChange::Kind::remove_reset_token,
        .token = change->token};
  }
  return std::nullopt;
}

Instant Connection::next_timeout() const { return state_->next_timeout(); }
bool Connection::is_drained() const { return state_->close.phase == CloseState::Phase::drained; }

void Connection::State::push_event(Event event) {
  // Room is kept for what must not be missed: only these can be repeated by a peer at will.
  const bool is_repeatable =
      std::holds_alternative<ResumptionReceived>(event) || std::holds_alternative<Migrated>(event);
  if (is_repeatable && events.size() + 8 >= kEventsMax) return;
  (void)events.emplace(std::move(event));
}

void Connection::check_invariants() const { state_->check_invariants(); }

void Connection::State::check_invariants() const {
  QUOLL_CHECK(current != nullptr);
  streams.check_invariants();
  for (const std::unique_ptr<PathState>& path : paths) {
    if (!path) continue;
    QUOLL_CHECK(path->controller != nullptr);
    QUOLL_CHECK(path->mtu.mtu() >= kBaseMtu);
    QUOLL_CHECK(path->controller->window() >= minimum_window(kSmallestMaxDatagramSize));
  }
  for (const Space which : {Space::initial, Space::handshake, Space::application}) {
    QUOLL_CHECK(has_space(which) == loss.has_space(which));
    if (!has_space(which)) continue;
    QUOLL_CHECK(space(which).received.ranges().size() <= kReceivedRangesMax);
    uint64_t eliciting = 0;
    const SentPackets& sent = loss.sent_packets(which);
    for (PacketNumber number = sent.first(); number < sent.next_packet_number(); number++) {
      const SentPackets::Entry& entry = sent[number];
      eliciting += entry.state == SentPackets::State::outstanding && entry.ack_eliciting;
    }
    QUOLL_CHECK(eliciting == loss.ack_eliciting_in_flight(which));
  }
}

}  // namespace quoll::quic
