#include "quic/endpoint/endpoint.h"

#include "quic/endpoint/endpoint_state.h"

namespace quoll::quic {
namespace {

/// A client's ids need only differ from those of its own few connections, and each packet that it receives carries one.
constexpr size_t kClientIdSize = 4;

std::shared_ptr<ConnectionIdGenerator> generator_of(const EndpointConfig& config) {
  if (config.connection_ids) return config.connection_ids;
  return config.server ? std::make_shared<RandomConnectionIds>() : std::make_shared<RandomConnectionIds>(kClientIdSize);
}

uint32_t slots_max(const EndpointConfig& config) {
  return static_cast<uint32_t>(std::min<size_t>(config.max_connections + config.max_offered, UINT32_MAX / 2));
}

}  // namespace

ConnectionId FreeConnectionIds::generate(Rng& rng) {
  ConnectionId id = generator_->generate(rng);
  for (int draws = 1; draws < kIdDrawsMax && !id.empty() && table_.contains(table_.by_id(id)); draws++) {
    id = generator_->generate(rng);
  }
  // RFC 9000 §5.1: an id that leads to another connection is worse than none.
  if (!id.empty() && table_.contains(table_.by_id(id))) return {};
  return id;
}

Endpoint::State::State(EndpointConfig configuration, const crypto::Provider& crypto_provider, Rng& random)
    : config(std::move(configuration)),
      provider(crypto_provider),
      rng(random),
      table(random, slots_max(config) * kRoutesPerConnectionMax),
      ids(generator_of(config), table),
      answers(crypto_provider, random, config.stateless_answers_per_second),
      slots(slots_max(config)) {
  QUOLL_CHECK(config.wall_clock);
  if (!config.secret) rng.fill(config.secret.emplace());
  const FleetKeys keys(provider, *config.secret);
  config.secret.reset();  // derived keys are all that is needed
  reset_tokens.emplace(provider, keys.stateless_reset);
  tokens.emplace(
      provider, keys, rng,
      AddressTokens::Lifetimes{.retry = config.retry_token_lifetime, .new_token = config.new_token_lifetime});
  context = {.provider = &provider,
             .rng = &rng,
             .ids = {.generator = &ids, .reset_tokens = &*reset_tokens, .rng = &rng},
             .new_tokens = config.server ? &*tokens : nullptr,
             .train = &train};
}

Endpoint::Endpoint(EndpointConfig config, const crypto::Provider& provider, Rng& rng)
    : state_(std::make_unique<State>(std::move(config), provider, rng)) {}

Endpoint::~Endpoint() = default;

Result<ConnectionHandle> Endpoint::connect(Instant now, std::shared_ptr<const ClientConfig> config, const Path& path,
                                           ConnectOptions options) {
  State& state = *state_;
  if (!config) return usage_error("no client configuration");
  if (state.closed) return usage_error("the endpoint is closed");
  if (state.connections >= state.config.max_connections) return usage_error("too many connections");
  ConnectionSlot* slot = state.slots.emplace();
  if (!slot) return usage_error("too many connections");
  if (state.ids.size() == 0) {
    // RFC 9000 §5.1: one connection without ids for a pair of addresses. §5.2.1: its server may answer from another one,
    // when it has a preferred address; then the local address has to do, for the first connection that has it.
    if (!state.add_route(*slot, state.table.by_address(path))) {
      state.erase(*slot);
      return usage_error("these addresses have a connection, and there are no connection ids to tell another one");
    }
    (void)state.add_route(*slot, state.table.by_address({.local = path.local, .remote = {}}));
  }
  Connection::ClientStart start{.config = std::move(config),
                                .path = path,
                                .server_name = options.server_name,
                                .resumption = std::move(options.resumption),
                                .early_data = options.early_data};
  if (state.config.trace) start.trace = state.config.trace(Role::client, ConnectionId());
  Result<Connection> connection =
      Connection::connect(now, state.config.wall_clock(now), state.context, std::move(start));
  if (!connection) {
    state.erase(*slot);
    return std::unexpected(connection.error());
  }
  slot->connection.emplace(std::move(*connection));
  state.connections++;
  state.after_input(*slot);
  return state.slots.handle_of(*slot);
}

Result<void> Endpoint::accept(Instant now, ConnectionHandle offer, std::shared_ptr<const ServerConfig> config) {
  ConnectionSlot* slot = state_->find_offer(offer);
  if (!slot) return usage_error("no such offer");
  if (!config) config = state_->config.server;
  return state_->accept_offer(now, *slot, std::move(config));
}

Result<void> Endpoint::retry(Instant now, ConnectionHandle offer) {
  ConnectionSlot* slot = state_->find_offer(offer);
  if (!slot) return usage_error("no such offer");
  // RFC 9000 §8.1.2: one that comes with a token of a Retry can only be refused or permitted to proceed.
  if (slot->offer->attempt.retry_source) return usage_error("the client has answered a Retry already");
  (void)state_->send_retry(now, slot->offer->attempt);
  state_->erase(*slot);
  return {};
}

Result<void> Endpoint::refuse(Instant now, ConnectionHandle offer) {
  ConnectionSlot* slot = state_->find_offer(offer);
  if (!slot) return usage_error("no such offer");
  state_->refuse_offer(now, *slot);
  return {};
}

Connection* Endpoint::find(ConnectionHandle handle) {
  ConnectionSlot* slot = state_->slots.find(handle);
  if (!slot || !slot->connection) return nullptr;
  state_->touch(*slot);  // whatever the application does with it
  return &*slot->connection;
}

const Connection* Endpoint::find(ConnectionHandle handle) const {
  const ConnectionSlot* slot = state_->slots.find(handle);
  return slot && slot->connection ? &*slot->connection : nullptr;
}

void Endpoint::receive(Instant now, Received received) { state_->receive(now, received); }

void Endpoint::on_timeout(Instant now) { state_->on_timeout(now); }

std::optional<Transmit> Endpoint::poll_transmit(Instant now, MutBytes scratch) {
  return state_->poll_transmit(now, scratch);
}

std::optional<EndpointEvent> Endpoint::poll_event() { return state_->poll_event(); }

Instant Endpoint::next_timeout() const {
  state_->settle();
  return state_->timers.next();
}

void Endpoint::close(Instant now, ApplicationErrorCode error, std::string_view reason) {
  State& state = *state_;
  state.closed = true;
  state.slots.for_each([&](ConnectionSlot& slot) {
    if (slot.offer) {
      state.refuse_offer(now, slot);
    } else {
      slot.connection->close(now, error, reason);
      state.after_input(slot);
    }
  });
}

size_t Endpoint::connections() const { return state_->connections; }

const EndpointStatistics& Endpoint::statistics() const { return state_->statistics; }

void Endpoint::check_invariants() const { state_->check_invariants(); }

void Endpoint::State::check_invariants() {
  size_t routes_seen = 0, connections_seen = 0, offers_seen = 0, handshakes_seen = 0;
  slots.for_each([&](ConnectionSlot& slot) {
    QUOLL_CHECK(slot.connection.has_value() != (slot.offer != nullptr));
    for (const RouteKey key : slot.routes) QUOLL_CHECK(table.find(key) == slots.handle_of(slot));
    QUOLL_CHECK(slot.routes.size() <= kRoutesPerConnectionMax);
    routes_seen += slot.routes.size();
    handshakes_seen += slot.handshaking;
    if (slot.offer) {
      offers_seen++;
      QUOLL_CHECK(slot.offer->held.size() <= kHeldDatagramsMax && slot.offer->held_bytes <= kHeldBytesMax);
      QUOLL_CHECK(slot.has_timer() && !to_transmit.is_linked(slot));
    } else {
      connections_seen++;
      slot.connection->check_invariants();
      // Once settled, a timer is the connection's own.
      if (!to_settle.is_linked(slot))
        QUOLL_CHECK(slot.connection->is_drained() || timers.at(slot) == slot.connection->next_timeout());
    }
  });
  QUOLL_CHECK(routes_seen == table.size());
  QUOLL_CHECK(connections_seen == connections && connections <= config.max_connections);
  QUOLL_CHECK(offers_seen == offers && offers <= config.max_offered);
  QUOLL_CHECK(handshakes_seen == handshakes && handshakes <= config.max_handshakes);
  QUOLL_CHECK(slots.size() == connections + offers);
  table.check_invariants();
  timers.check_invariants();
}

}  // namespace quoll::quic
