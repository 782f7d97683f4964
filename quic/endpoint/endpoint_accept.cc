// Endpoint: what becomes of a client's first Initial packet (RFC 9000 §5.2.2, §6, §8.1).
#include "quic/endpoint/endpoint_state.h"

namespace quoll::quic {

void Endpoint::State::negotiate_version(const Arrival& arrival, const InvariantHeader& header, size_t datagram_size) {
  drop();
  const TransportConfig& transport = config.server->transport;
  switch (answers.version_negotiation(arrival.now, arrival.path, datagram_size, header, transport.versions,
                                      transport.grease)) {
    case StatelessAnswers::Outcome::queued:
      statistics.version_negotiations_sent++;
      break;
    case StatelessAnswers::Outcome::suppressed:
      statistics.answers_suppressed++;
      break;
    case StatelessAnswers::Outcome::none:
      statistics.unroutable++;
      break;
  }
}

void Endpoint::State::on_initial(const Arrival& arrival, const ProtectedPacket& packet, MutBytes datagram) {
  const std::vector<Version>& versions = config.server->transport.versions;
  if (std::ranges::find(versions, packet.version()) == versions.end()) {
    const InvariantHeader header{.long_header = true,
                                 .version = packet.version(),
                                 .destination = packet.destination(),
                                 .source = packet.source()};
    negotiate_version(arrival, header, datagram.size());
    return;
  }

  using Kind = AddressTokens::Verdict::Kind;
  const AddressTokens::Verdict verdict = tokens->judge(arrival.wall, {.client = arrival.path.remote,
                                                                      .version = packet.version(),
                                                                      .destination = packet.destination(),
                                                                      .token = packet.token()});
  if (!packet.token().empty() && (verdict.kind == Kind::none || verdict.kind == Kind::invalid_retry)) {
    statistics.invalid_tokens++;
  }
  ConnectionAttempt attempt{.path = arrival.path,
                            .version = packet.version(),
                            .original_destination = ConnectionId(packet.destination()),
                            .destination = ConnectionId(packet.destination()),
                            .source = ConnectionId(packet.source()),
                            .address_validated = verdict.kind == Kind::retry || verdict.kind == Kind::new_token};
  if (verdict.kind == Kind::retry) {
    attempt.original_destination = verdict.original_destination;
    attempt.retry_source = attempt.destination;
  } else if (packet.destination().size() < kInitialDestinationSizeMin) {
    drop();  // RFC 9000 §7.2
    return;
  }

  if (verdict.kind == Kind::invalid_retry) {
    // RFC 9000 §8.1.2: the client takes no other Retry, so it is told at once.
    drop();
    send_refusal(arrival.now, attempt, TransportError::invalid_token);
  } else if (closed) {
    drop();
    send_refusal(arrival.now, attempt, TransportError::connection_refused);
  } else if (!attempt.address_validated && wants_retry()) {
    drop();
    (void)send_retry(arrival.now, attempt);
  } else if (!has_room()) {
    drop();
    send_refusal(arrival.now, attempt, TransportError::connection_refused);
  } else if (config.ask_before_accept) {
    make_offer(arrival, attempt, datagram);
  } else {
    accept_first(arrival, attempt, datagram);
  }
}

bool Endpoint::State::wants_retry() const {
  switch (config.retry) {
    case RetryPolicy::never:
      return false;
    case RetryPolicy::under_load:
      return handshakes + offers >= config.retry_threshold || 2 * offers >= config.max_offered;
    case RetryPolicy::always:
      return true;
  }
  return false;
}

bool Endpoint::State::has_room() const {
  if (connections >= config.max_connections || handshakes >= config.max_handshakes) return false;
  return !config.ask_before_accept || offers < config.max_offered;
}

void Endpoint::State::make_offer(const Arrival& arrival, const ConnectionAttempt& attempt, MutBytes datagram) {
  ConnectionSlot* slot = datagram.size() <= kHeldBytesMax ? slots.emplace() : nullptr;
  if (!slot) {
    drop();
    return;
  }
  offers++;
  slot->offer = std::make_unique<Offer>(Offer{.attempt = attempt, .held = {}});
  if (!add_route(*slot, table.by_initial(attempt.destination, attempt.path.remote))) {
    erase(*slot);
    drop();
    return;
  }
  hold(arrival, *slot->offer, datagram);
  timers.set(*slot, arrival.now + kOfferLifetime);
  with_events.push_back(*slot);
}

void Endpoint::State::hold(const Arrival& arrival, Offer& offer, Bytes datagram) {
  const bool fits = offer.held.size() < kHeldDatagramsMax && datagram.size() <= kHeldBytesMax - offer.held_bytes;
  if (!fits || arrival.path != offer.attempt.path) {
    drop();
    return;
  }
  HeldDatagram held{.data = Buffer::allocate(datagram.size()), .ecn = arrival.ecn};
  copy_bytes(held.data.bytes().data(), datagram);
  offer.held_bytes += datagram.size();
  offer.held.push_back(std::move(held));
}

void Endpoint::State::accept_first(const Arrival& arrival, const ConnectionAttempt& attempt, MutBytes datagram) {
  ConnectionSlot* slot = slots.emplace();
  if (!slot || !start(arrival.now, *slot, attempt, config.server)) {
    if (slot) erase(*slot);
    drop();
    send_refusal(arrival.now, attempt, TransportError::connection_refused);
    return;
  }
  const ReceivedDatagram first{.bytes = datagram, .ecn = arrival.ecn};
  deliver(arrival, *slot, {&first, 1});
  // What is no Initial packet at all, though it looked like one, leaves nothing behind: garbage, or what another server
  // sent to an address of ours that somebody gave as his own.
  const Statistics received = slot->connection->statistics();
  if (received.packets_received == 0 && received.packets_dropped != 0 && !slot->connection->is_closed()) {
    statistics.accepted--;
    drop();
    erase(*slot);
  }
}

Result<void> Endpoint::State::start(Instant now, ConnectionSlot& slot, const ConnectionAttempt& attempt,
                                    std::shared_ptr<const ServerConfig> server) {
  const RouteKey initial_route = table.by_initial(attempt.destination, attempt.path.remote);
  if (!add_route(slot, initial_route)) return usage_error("no route for the connection");
  // RFC 9000 §5.1: one connection without ids for a pair of addresses.
  if (ids.size() == 0 && !add_route(slot, table.by_address(attempt.path))) {
    return usage_error("these addresses have a connection, and there are no connection ids to tell another one");
  }
  Connection::ServerStart start{.config = std::move(server),
                                .path = attempt.path,
                                .version = attempt.version,
                                .original_destination = attempt.original_destination,
                                .retry_source = attempt.retry_source,
                                .destination = attempt.destination,
                                .source = attempt.source,
                                .address_validated = attempt.address_validated};
  if (config.trace) start.trace = config.trace(Role::server, attempt.original_destination);
  Result<Connection> connection = Connection::accept(now, context, std::move(start));
  if (!connection) return std::unexpected(connection.error());
  slot.connection.emplace(std::move(*connection));
  slot.initial_route = initial_route;
  slot.initial_id = table.by_id(attempt.destination);
  slot.handshaking = true;
  handshakes++;
  connections++;
  statistics.accepted++;
  after_input(slot);
  return {};
}

Result<void> Endpoint::State::accept_offer(Instant now, ConnectionSlot& slot,
                                           std::shared_ptr<const ServerConfig> server) {
  if (!server) return usage_error("no server configuration");
  if (connections >= config.max_connections || handshakes >= config.max_handshakes) {
    refuse_offer(now, slot);
    return usage_error("too many connections");
  }
  const std::unique_ptr<Offer> offer = std::move(slot.offer);
  offers--;
  timers.remove(slot);
  with_events.remove(slot);
  if (const Result<void> started = start(now, slot, offer->attempt, std::move(server)); !started) {
    send_refusal(now, offer->attempt, TransportError::connection_refused);
    erase(slot);
    return started;
  }
  for (HeldDatagram& held : offer->held) {
    const Arrival arrival{
        .now = now, .wall = config.wall_clock(now), .path = offer->attempt.path, .ecn = held.ecn, .buffer = held.data};
    const ReceivedDatagram datagram{.bytes = held.data.bytes(), .ecn = held.ecn};
    deliver(arrival, slot, {&datagram, 1});
  }
  return {};
}

bool Endpoint::State::send_retry(Instant now, const ConnectionAttempt& attempt) {
  if (!answers.has_room(now)) {
    statistics.answers_suppressed++;
    return false;
  }
  // RFC 9000 §17.2.5.1: not the id that the client chose. An id is drawn, so that this ends unless the generator has but
  // one id.
  ConnectionId source = ids.generate(rng);
  for (int draws = 1; draws < kIdDrawsMax && source == attempt.destination; draws++) source = ids.generate(rng);
  if (source == attempt.destination || source.size() != ids.size()) return false;
  const std::vector<uint8_t> token =
      tokens->retry_token(config.wall_clock(now), {.client = attempt.path.remote,
                                                   .version = attempt.version,
                                                   .original_destination = attempt.destination,
                                                   .retry_source = source});
  const auto outcome = answers.retry(now, attempt.path,
                                     {.version = attempt.version,
                                      .client_source = attempt.source,
                                      .original_destination = attempt.destination,
                                      .retry_source = source,
                                      .token = token});
  if (outcome != StatelessAnswers::Outcome::queued) return false;
  statistics.retries_sent++;
  return true;
}

void Endpoint::State::send_refusal(Instant now, const ConnectionAttempt& attempt, TransportError error) {
  statistics.refused++;
  if (!answers.has_room(now)) {
    statistics.answers_suppressed++;
    return;
  }
  (void)answers.refuse(now, attempt.path,
                       {.version = attempt.version,
                        .client_source = attempt.source,
                        .client_destination = attempt.destination,
                        .source = ids.generate(rng),
                        .error = error});
}

void Endpoint::State::refuse_offer(Instant now, ConnectionSlot& slot) {
  send_refusal(now, slot.offer->attempt, TransportError::connection_refused);
  erase(slot);
}

ConnectionSlot* Endpoint::State::find_offer(ConnectionHandle handle) {
  ConnectionSlot* slot = slots.find(handle);
  return slot && slot->offer ? slot : nullptr;
}

}  // namespace quoll::quic
