// The handshake: TLS over CRYPTO frames, keys, transport parameters, version negotiation and Retry (RFC 9000 §6, §7, §8.1,
// §17.2.5; RFC 9001 §4; RFC 9368; RFC 9369 §4, §5).
#include "quic/connection/state.h"
#include "tls/alert.h"

namespace quoll::quic {
namespace {

constexpr size_t kLocalIdSizeMinForInitials = 8;  // RFC 9000 §7.2: of a client's first Destination Connection ID

std::vector<uint8_t> encoded(const TransportParameters& parameters, const ReservedParameter* reserved) {
  Counter counter;
  write_transport_parameters(counter, parameters, reserved);
  std::vector<uint8_t> out(counter.size());
  Writer writer(out);
  write_transport_parameters(writer, parameters, reserved);
  return out;
}

ConnectionId random_id(Rng& rng, size_t size) {
  std::array<uint8_t, kConnectionIdSizeMax> bytes;
  rng.fill(MutBytes(bytes).first(size));
  return ConnectionId(Bytes(bytes).first(size));
}

/// What TLS binds a server's tickets to: RFC 9369 §5, the version.
std::vector<uint8_t> resumption_context(Version version) {
  std::vector<uint8_t> context(sizeof(Version));
  store_be(context.data(), static_cast<uint32_t>(version));
  return context;
}

/// The Error of TLS as what closes the connection: CRYPTO_ERROR with the alert (RFC 9001 §4.8).
std::unexpected<Error> crypto_error(const Error& error) {
  const uint64_t alert = error.domain == ErrorDomain::tls ? error.code
                         : error.domain == ErrorDomain::certificate
                             ? static_cast<uint64_t>(tls::alert_for(static_cast<x509::Failure>(error.code)))
                             : static_cast<uint64_t>(tls::Alert::internal_error);
  if (error.domain == ErrorDomain::transport) return std::unexpected(error);
  return close_with(TransportError{static_cast<uint64_t>(TransportError::crypto_error_base) + alert}, error.reason,
                    static_cast<uint64_t>(FrameType::crypto));
}

constexpr PacketType packet_type(tls::Level level) {
  switch (level) {
    case tls::Level::initial:
      return PacketType::initial;
    case tls::Level::early_data:
      return PacketType::zero_rtt;
    case tls::Level::handshake:
      return PacketType::handshake;
    case tls::Level::application:
      break;
  }
  return PacketType::one_rtt;
}

constexpr Space space_of_level(tls::Level level) { return space_of(packet_type(level)); }

}  // namespace

CryptoStream* Connection::State::crypto_stream(Space which) {
  switch (which) {
    case Space::initial:
      return handshake ? &handshake->initial : nullptr;
    case Space::handshake:
      return handshake ? &handshake->handshake : nullptr;
    case Space::application:
      break;
  }
  return &application_crypto;
}

TransportParameters Connection::State::own_parameters() const {
  const StreamLimits& limits = config.streams;
  TransportParameters own;
  if (!config.max_idle_timeout.is_infinite()) {
    own.max_idle_timeout = static_cast<uint64_t>(std::max<int64_t>(config.max_idle_timeout.as_milliseconds(), 0));
  }
  own.initial_max_data = limits.initial_connection_window;
  own.initial_max_stream_data_bidi_local = limits.initial_stream_window;
  own.initial_max_stream_data_bidi_remote = limits.initial_stream_window;
  own.initial_max_stream_data_uni = limits.initial_stream_window;
  own.initial_max_streams_bidi = limits.max_bidirectional_streams;
  own.initial_max_streams_uni = limits.max_unidirectional_streams;
  own.ack_delay_exponent = config.ack_delay_exponent;
  own.max_ack_delay = static_cast<uint64_t>(config.max_ack_delay.as_milliseconds());
  own.active_connection_id_limit = kRemoteIdsMax;
  own.max_datagram_frame_size = config.max_datagram_frame_size;
  own.disable_active_migration = config.disable_active_migration;
  own.grease_quic_bit = config.grease_quic_bit;
  own.initial_source_connection_id = local_ids->initial();
  return own;
}

/// RFC 9002 §6.2.3: the peer repeats what has arrived here, or sends what can only be read after what it thinks has
/// arrived. So something of ours was lost, and a PTO, whose first one is a guess of a second, need not pass to know it.
void Connection::State::repeat_handshake_early(Instant now) {
  if (!handshake || handshake->early_repeats == kEarlyRepeatsMax || now < handshake->next_early_repeat) return;
  bool repeated = false;
  for (const PacketType type : {PacketType::initial, PacketType::handshake}) {
    if (!protection.can_seal(type) || !repeat_oldest(space_of(type), SIZE_MAX)) continue;
    SpaceState& state = space(space_of(type));
    state.probes = std::max<uint8_t>(state.probes, 1);
    repeated = true;
  }
  if (!repeated) return;
  handshake->early_repeats++;
  counters.early_repeats++;
  handshake->next_early_repeat = now + kEarlyRepeatSpacing;
}

// --- The beginning

Result<void> Connection::State::start_client(Instant now, UnixTime wall, Version first_version) {
  wall_clock = wall;
  wall_clock_at = now;
  version = original_version = first_version;
  // RFC 9000 §7.2: unpredictable, 8 bytes at least. A new attempt has a new one.
  original_destination = random_id(*shared.rng, kLocalIdSizeMinForInitials);
  handshake->ids.original_destination = original_destination;
  handshake->initial_destination = original_destination;
  remote_ids.emplace(original_destination);
  current->remote_id = *remote_ids->take();
  protection.install_initial(version, original_destination, PacketProtection::Initial::replace);

  handshake->versions_sent = client_version_information(version, config.versions);
  TransportParameters own = own_parameters();
  own.version_information = handshake->versions_sent;
  if (config.grease) {  // RFC 9368 §6... peers must ignore versions that they don't know
    own.version_information->available.add(reserved_version(static_cast<uint32_t>(shared.rng->next_u64())));
  }
  const ReservedParameter reserved = ReservedParameter::random(*shared.rng);
  tls::ClientOptions options;
  options.server_name = handshake->server_name;
  options.transport_parameters = encoded(own, config.grease ? &reserved : nullptr);
  std::optional<ResumptionState>& resumption = handshake->resumption;
  // RFC 9369 §5: tickets and tokens belong to the version that they came with.
  if (resumption && resumption->version == version) {
    options.ticket = resumption->ticket;
    options.early_data = handshake->early_data_offered && resumption->ticket.has_value();
    handshake->token = resumption->token;
  }
  Result<tls::Session> made = tls::Session::client(client_config->tls, std::move(options), *shared.rng, wall);
  if (!made) return std::unexpected(made.error());
  session.emplace(std::move(*made));
  std::destroy_at(&handshake->initial);
  std::construct_at(&handshake->initial);
  if (resumption && resumption->version == version && handshake->early_data_offered) {
    streams.set_peer_parameters(resumption->parameters);  // RFC 9000 §7.4.1
    datagrams.set_peer_max_frame_size(resumption->parameters.max_datagram_frame_size);
    trace(now, trace::ParametersRestored{.parameters = &resumption->parameters});
  }
  handshake->token.resize(std::min(handshake->token.size(), kTokenSizeMax));
  trace(now, trace::ParametersSet{.initiator = trace::Side::local, .parameters = &own});
  return take_tls_outputs(now);
}

Result<void> Connection::State::start_server(Instant, const ServerStart& start) {
  version = original_version = start.version;
  original_destination = start.original_destination;
  handshake->ids.peers_initial_source = start.source;
  handshake->ids.original_destination = start.original_destination;
  handshake->ids.retry_source = start.retry_source;
  handshake->initial_destination = start.destination;
  remote_ids.emplace(start.source);
  current->remote_id = *remote_ids->take();
  local_ids->add_original_destination(start.destination);
  protection.install_initial(version, start.destination, PacketProtection::Initial::replace);
  if (start.address_validated) current->amplification.set_validated();

  tls::ServerOptions options;
  // RFC 9369 §5: a ticket of another version than that of the client's first flight is not accepted.
  options.resumption_context = resumption_context(original_version);
  // RFC 9000 §7.4.1: 0-RTT goes by remembered limits, so a change of ours makes old tickets useless for it.
  options.early_data_context = encoded(remembered_parameters(own_parameters()), nullptr);
  const std::vector<uint8_t>& applications = server_config->early_data_context;
  options.early_data_context.insert(options.early_data_context.end(), applications.begin(), applications.end());
  Result<tls::Session> made = tls::Session::server(server_config->tls, std::move(options), *shared.rng);
  if (!made) return std::unexpected(made.error());
  session.emplace(std::move(*made));
  return {};
}

// --- TLS

void Connection::State::drive_tls(Instant now) {
  crypto_arrived = false;
  Result<void> done = feed_tls(now);
  if (!done && is_open()) fail(now, done.error());
}

Result<void> Connection::State::feed_tls(Instant now) {
  const UnixTime wall = wall_clock + (now - wall_clock_at);
  for (const tls::Level level : {tls::Level::initial, tls::Level::handshake, tls::Level::application}) {
    for (;;) {
      CryptoStream* stream = crypto_stream(space_of_level(level));  // gone when the handshake is confirmed
      const std::optional<Slice> bytes = stream ? stream->read() : std::nullopt;
      if (!bytes) break;
      const Result<void> received = session->receive(level, bytes->bytes(), wall);
      // What TLS wants to be sent goes out before the alert.
      const Result<void> taken = take_tls_outputs(now);
      if (!received) return crypto_error(received.error());
      if (!taken) return taken;
    }
  }
  return {};
}

Result<void> Connection::State::take_tls_outputs(Instant now) {
  while (std::optional<tls::Output> output = session->poll()) {
    if (Result<void> done = on_tls_output(now, *output); !done) return crypto_error(done.error());
    if (!is_open()) return {};
  }
  return {};
}

Result<void> Connection::State::on_tls_output(Instant now, tls::Output& output) {
  if (auto* send = std::get_if<tls::Send>(&output)) {
    if (CryptoStream* stream = crypto_stream(space_of_level(send->level))) stream->write(send->bytes);
    return {};
  }
  if (auto* secret = std::get_if<tls::TrafficSecret>(&output)) return on_secret(now, *secret);
  if (auto* peers = std::get_if<tls::PeerTransportParameters>(&output)) return on_peer_parameters(now, peers->encoded);
  if (auto* decision = std::get_if<tls::EarlyDataDecision>(&output)) {
    return on_early_data_decision(now, decision->accepted);
  }
  if (std::holds_alternative<tls::HandshakeComplete>(output)) return on_handshake_complete(now);
  if (auto* received = std::get_if<tls::TicketReceived>(&output)) on_ticket(std::move(received->ticket));
  return {};
}

Result<void> Connection::State::on_secret(Instant now, const tls::TrafficSecret& secret) {
  const PacketType type = packet_type(secret.level);
  if (secret.direction == tls::Direction::read && secret.level != tls::Level::early_data) {
    // RFC 9001 §4.1.3: the level below must have been read to its end.
    const CryptoStream* below = secret.level == tls::Level::handshake     ? crypto_stream(Space::initial)
                                : secret.level == tls::Level::application ? crypto_stream(Space::handshake)
                                                                          : nullptr;
    if (below && below->has_unread()) {
      return close_with(TransportError::protocol_violation, "handshake data after the end of its level",
                        static_cast<uint64_t>(FrameType::crypto));
    }
  }
  protection.install(secret, type == PacketType::zero_rtt ? original_version : version);
  const Role sender = secret.direction == tls::Direction::write ? role : other(role);
  trace(now, trace::KeyUpdated{.type = type, .sender = sender});
  if (type == PacketType::handshake) loss.on_handshake_keys(now);
  if (type == PacketType::one_rtt && role == Role::client) {
    discard_keys(now, PacketType::zero_rtt);  // RFC 9001 §4.9.3
  }
  return {};
}

Result<void> Connection::State::on_peer_parameters(Instant now, Bytes bytes) {
  Result<TransportParameters> parsed = parse_transport_parameters(bytes, other(role));
  if (!parsed) return std::unexpected(parsed.error());
  if (Result<void> ids = authenticate_connection_ids(*parsed, other(role), handshake->ids); !ids) return ids;
  peer_parameters = std::make_unique<TransportParameters>(std::move(*parsed));
  const TransportParameters& peers = *peer_parameters;
  trace(now, trace::ParametersSet{.initiator = trace::Side::remote, .parameters = &peers});
  loss.set_max_ack_delay(Duration::milliseconds(static_cast<int64_t>(peers.max_ack_delay)));
  for (const std::unique_ptr<PathState>& path : paths) {
    if (path) path->mtu.set_peer_max(peers.max_udp_payload_size);
  }
  datagrams.set_peer_max_frame_size(peers.max_datagram_frame_size);
  restart_idle_timer(now);
  if (role == Role::client) {
    if (peers.stateless_reset_token) remote_ids->set_initial_reset_token(*peers.stateless_reset_token);
    if (peers.preferred_address) {
      // RFC 9000 §18.2: not from a server that chose a zero-length id.
      if (remote_ids->uses_zero_length()) {
        return close_with(TransportError::transport_parameter_error, "preferred_address with a zero-length id");
      }
      const Result<void> added = remote_ids->add_preferred(peers.preferred_address->connection_id,
                                                           peers.preferred_address->stateless_reset_token);
      if (!added) return added;
    }
    // After a rejected 0-RTT the limits begin anew; that is decided by an output that follows.
    if (!handshake->early_data_offered) streams.set_peer_parameters(peers);
    local_ids->set_peer_limit(peers.active_connection_id_limit);
    const ClientVersionNegotiation negotiation{
        .sent = handshake->versions_sent, .negotiated = version, .reacted = handshake->reacted_to_version_negotiation};
    return check_version_information(negotiation, peers.version_information, config.versions);
  }
  streams.set_peer_parameters(peers);
  // RFC 9368 §4: the server chooses the version in which it goes on.
  const Result<Version> chosen = negotiate_version(original_version, peers.version_information, config.versions);
  if (!chosen) return std::unexpected(chosen.error());
  if (*chosen != version) {
    version = *chosen;
    protection.install_initial(version, handshake->initial_destination, PacketProtection::Initial::add);
    // RFC 9369 §5: after compatible version negotiation, tickets belong to the negotiated version.
    if (Result<void> bound = session->set_resumption_context(resumption_context(version)); !bound) return bound;
  }
  TransportParameters own = own_parameters();
  own.original_destination_connection_id = original_destination;
  own.retry_source_connection_id = handshake->ids.retry_source;
  if (!local_ids->initial().empty()) {
    own.stateless_reset_token = shared.ids.reset_tokens->token_of(local_ids->initial());
    if (server_config->preferred_ipv4 || server_config->preferred_ipv6) {
      PreferredAddress& preferred = own.preferred_address.emplace();
      preferred.ipv4 = server_config->preferred_ipv4;
      preferred.ipv6 = server_config->preferred_ipv6;
      preferred.connection_id = local_ids->issue_for_preferred_address(preferred.stateless_reset_token);
    }
  }
  own.version_information.emplace(VersionInformation{.chosen = version});
  for (const Version each : config.versions) own.version_information->available.add(each);
  const ReservedParameter reserved = ReservedParameter::random(*shared.rng);
  trace(now, trace::ParametersSet{.initiator = trace::Side::local, .parameters = &own});
  return session->set_transport_parameters(encoded(own, config.grease ? &reserved : nullptr),
                                           wall_clock + (now - wall_clock_at));
}

Result<void> Connection::State::on_early_data_decision(Instant now, bool accepted) {
  zero_rtt_decided = true;
  if (role == Role::server) return {};
  if (accepted) {
    // RFC 9000 §7.4.1: a server that accepts 0-RTT must not have reduced its limits.
    if (peer_parameters) {
      const Result<void> kept = check_early_data_limits(handshake->resumption->parameters, *peer_parameters);
      if (!kept) return kept;
      streams.set_peer_parameters(*peer_parameters);
    }
    return {};
  }
  discard_keys(now, PacketType::zero_rtt);
  loss.discard_zero_rtt(now);
  settle_outcomes(now);
  streams.on_zero_rtt_rejected();
  if (peer_parameters) streams.set_peer_parameters(*peer_parameters);
  push_event(EarlyDataRejected{});
  return {};
}

Result<void> Connection::State::on_handshake_complete(Instant now) {
  handshake_complete = true;
  zero_rtt_decided = true;
  handshake->deadline = Instant::never();
  if (role == Role::client) {
    if (handshake->early_data_offered && peer_parameters) streams.set_peer_parameters(*peer_parameters);
    current->validation.set_validated();
  }
  push_event(Connected{.resumed = session->negotiated().resumed,
                       .early_data_accepted = session->negotiated().early_data,
                       .version = version});
  trace(now, trace::AlpnInformation{.chosen = session->negotiated().application_protocol});
  trace(now, trace::ConnectionStateUpdated{.state = trace::ConnectionState::handshake_complete});
  if (role == Role::server) {
    // Spare ids are of no use before the client may migrate (RFC 9000 §9), and the first flight has better use for its
    // room.
    local_ids->set_peer_limit(peer_parameters->active_connection_id_limit);
    // RFC 9001 §4.1.2: for a server, complete is confirmed.
    handshake_done_due = true;
    current->amplification.set_validated();
    current->validation.set_validated();
    new_tokens_left = static_cast<uint8_t>(std::min(server_config->new_tokens, kNewTokensMax));
    issue_new_token(now);
    // Late copies of the client's first packets must still find this connection.
    forget_original_at = now + loss.pto() * kClosingPtos;
    confirm_handshake(now);
  }
  return {};
}

/// RFC 9000 §8.1.3. One at a time: the next when this one is acknowledged.
void Connection::State::issue_new_token(Instant now) {
  if (!shared.new_tokens || new_tokens_left == 0) return;
  new_tokens_left--;
  new_token_in_flight =
      shared.new_tokens->new_token(wall_clock + (now - wall_clock_at), current->path.remote.ip, version);
  new_token_due = !new_token_in_flight.empty();
}

void Connection::State::on_ticket(tls::ClientTicket ticket) {
  if (!peer_parameters) return;
  ResumptionReceived received;
  received.state.ticket = std::move(ticket);
  received.state.parameters = remembered_parameters(*peer_parameters);
  received.state.version = version;
  push_event(std::move(received));
}

void Connection::State::on_new_token(Bytes token) {
  // RFC 9000 §8.1.3: to be used in a later connection.
  if (token.size() > kTokenSizeMax || !peer_parameters) return;
  ResumptionReceived received;
  received.state.parameters = remembered_parameters(*peer_parameters);
  received.state.version = version;
  received.state.token.assign(token.begin(), token.end());
  push_event(std::move(received));
}

void Connection::State::confirm_handshake(Instant now) {
  if (confirmed) return;
  confirmed = true;
  loss.on_handshake_confirmed(now);
  protection.on_handshake_confirmed();
  // RFC 9001 §4.9.2. A client that lost the race with its own Initial keys drops these too.
  discard_keys(now, PacketType::initial);
  discard_keys(now, PacketType::handshake);
  session->confirm();
  handshake.reset();
  handshake_spaces.reset();
  loss.trim();
  push_event(Confirmed{});
  trace(now, trace::ConnectionStateUpdated{.state = trace::ConnectionState::handshake_confirmed});
  if (role == Role::client) follow_preferred_address(now);
}

void Connection::State::discard_keys(Instant now, PacketType type) {
  if (!protection.can_open(type) && !protection.can_seal(type)) return;
  protection.discard(type);
  trace(now, trace::KeyDiscarded{.type = type, .sender = role});
  if (type == PacketType::zero_rtt || type == PacketType::one_rtt) return;
  const Space which = space_of(type);
  loss.discard_space(now, which);
  SpaceState& state = space(which);
  state.tokens.release_below(loss.first_token(which));
  state.tokens.trim();
  state.received.trim();
  state.probes = 0;
  state.ping = false;
}

// --- Retry and Version Negotiation

void Connection::State::on_retry(Instant now, const RetryPacket& packet) {
  // RFC 9000 §17.2.5.2: one only, before anything else of the server was processed.
  const bool in_time = handshake && role == Role::client && !handshake->processed_packet && !handshake->retried;
  if (!in_time) return count_drop(trace::DropReason::unexpected_retry, trace::PacketKind::retry);
  if (packet.version != original_version || packet.token.empty()) {
    return count_drop(trace::DropReason::bad_retry, trace::PacketKind::retry);
  }
  if (!std::ranges::equal(packet.destination, local_ids->initial().bytes())) {
    return count_drop(trace::DropReason::wrong_connection_id, trace::PacketKind::retry);
  }
  // §7.3: the id must change, else the Retry proves nothing.
  if (std::ranges::equal(packet.source, original_destination.bytes())) {
    return count_drop(trace::DropReason::bad_retry, trace::PacketKind::retry);
  }
  const auto tag = retry_integrity_tag(*shared.provider, original_version, original_destination, packet.without_tag);
  if (!crypto::ct::equal(tag, packet.integrity_tag)) {
    return count_drop(trace::DropReason::bad_integrity_tag, trace::PacketKind::retry);
  }
  trace(now, trace::RetryReceived{.version = packet.version,
                                  .destination = packet.destination,
                                  .source = packet.source,
                                  .token = packet.token});
  const ConnectionId servers(packet.source);
  handshake->retried = true;
  handshake->ids.retry_source = servers;
  handshake->initial_destination = servers;
  handshake->token.assign(packet.token.begin(), packet.token.end());
  remote_ids->replace_initial(servers);
  current->remote_id.id = servers;
  protection.install_initial(version, servers, PacketProtection::Initial::replace);
  loss.on_retry(now);
  settle_outcomes(now);
  for (SpaceState& each : *handshake_spaces) each.probes = 0;
  application_space.probes = 0;
}

void Connection::State::on_version_negotiation(Instant now, const VersionNegotiationPacket& packet) {
  // RFC 9000 §6.2: ignored once anything else of the server was processed; RFC 8999 §6: it returns both our ids.
  const bool in_time = handshake && role == Role::client && !handshake->processed_packet && !handshake->retried;
  if (!in_time || !std::ranges::equal(packet.destination, local_ids->initial().bytes()) ||
      !std::ranges::equal(packet.source, original_destination.bytes())) {
    return count_drop(trace::DropReason::unexpected_version_negotiation, trace::PacketKind::version_negotiation);
  }
  VersionList offered;
  for (size_t i = 0; i < packet.size(); i++) offered.add(packet[i]);
  const VersionNegotiationAnswer answer =
      answer_version_negotiation(original_version, handshake->reacted_to_version_negotiation, config.versions,
                                 std::span(offered.begin(), offered.size()));
  switch (answer.action) {
    case VersionNegotiationAnswer::Action::ignore:
      return count_drop(trace::DropReason::bad_version_negotiation, trace::PacketKind::version_negotiation);
    case VersionNegotiationAnswer::Action::abandon:
      end({.why = Closed::Why::version_negotiation, .reason = "no version in common"});
      return become_drained();
    case VersionNegotiationAnswer::Action::retry_with:
      break;
  }
  trace(now, trace::VersionNegotiationReceived{
                 .destination = packet.destination, .source = packet.source, .versions = packet.versions});
  // A new attempt: what was sent is forgotten, 0-RTT data among it.
  handshake->reacted_to_version_negotiation = true;
  discard_keys(now, PacketType::zero_rtt);
  loss.on_retry(now);
  settle_outcomes(now);
  streams.on_zero_rtt_rejected();
  const bool offered_early_data = std::exchange(handshake->early_data_offered, false);
  for (SpaceState& each : *handshake_spaces) each.probes = 0;
  application_space.probes = 0;
  if (Result<void> started = start_client(now, wall_clock + (now - wall_clock_at), answer.version); !started) {
    return fail(now, started.error());
  }
  if (offered_early_data) push_event(EarlyDataRejected{});
}

}  // namespace quoll::quic
