// The course of a scenario: connections are made, sides are paired, endings come, until nothing is left to happen.
// scenario_setup.cc has the configurations and the network, judge.cc says whether a connection's end is explained.

#include "tests/sim/simulation.h"

#include <algorithm>

#include "tests/sim/judge.h"

namespace quoll::sim {
namespace {

constexpr uint64_t kClientCode = 0x1234;
constexpr uint64_t kServerCode = (uint64_t{1} << 62) - 1;
constexpr Duration kLingering = Duration::seconds(200);  // beyond the timeouts: then nothing may be left

}  // namespace

Simulation::Simulation(const ScenarioOptions& options, const std::string& traces, const Extras& extras)
    : options_(options),
      extras_(extras),
      tls_(make_tls_configs(options)),
      amplification_(Duration::microseconds(options.down.delay_us)),
      traces_(!traces.empty()         ? std::make_unique<Traces>(traces)
              : options.trace_kib > 0 ? std::make_unique<Traces>(uint64_t{options.trace_kib} * 1024)
                                      : nullptr),
      is_checked_(traces_ && traces.empty()),
      client_(world_, Direction::to_server, client_endpoint(), host_options(quic::Role::client)),
      server_(world_, Direction::to_client, server_endpoint(), host_options(quic::Role::server)),
      to_server_(world_.scheduler, world_.journal, Direction::to_server,
                 [this](Datagram datagram) { server_.deliver(std::move(datagram)); }),
      to_client_(world_.scheduler, world_.journal, Direction::to_client,
                 [this](Datagram datagram) { client_.deliver(std::move(datagram)); }),
      client_side_(*this),
      server_side_(*this) {
  pairs_.reserve(options.connections);
  client_.attach([this](Datagram datagram) { to_server_.send(std::move(datagram)); }, &client_side_);
  server_.attach([this](Datagram datagram) { to_client_.send(std::move(datagram)); }, &server_side_);
  build_network();
  schedule_hazards();
}

Outcome Simulation::run() {
  world_.scheduler.at(Instant(), [this] { connect_next(); });
  if (options_.parallel > 0) {
    for (uint32_t i = 1; i < options_.connections; i++) {
      world_.scheduler.after(Duration::milliseconds(10 * i), [this] { connect_next(); });
    }
  }
  while (!world_.verdict.failed() && !is_over()) {
    if (!world_.scheduler.step()) {
      world_.fail("nothing is scheduled any more: " + describe_unfinished());
    } else if (world_.scheduler.steps() > kStepsMax) {
      world_.fail("too many steps: " + describe_unfinished());
    } else if (world_.now() - Instant() > kTimeMax) {
      world_.fail("too much time went by: " + describe_unfinished());
    }
    referee();
  }
  for (Pair& pair : pairs_) {
    if (extras_.inspect && pair.client->closed()) extras_.inspect(*pair.client, pair.server);
    if (world_.verdict.failed()) break;
    const Facts facts{.options = options_,
                      .journal = world_.journal,
                      .ending = ending_of(pair),
                      .client = *pair.client,
                      .server = pair.server,
                      .restarted = restarted_ && pair.client->closed_at() >= restarted_at_,
                      .also_accept = extras_.also_accept};
    if (const std::string wrong = judge(facts, features_); !wrong.empty()) world_.fail(wrong);
  }
  if (is_checked_ && !world_.verdict.failed()) check_traces();
  collect_features();
  return {.failure = world_.verdict.failure(),
          .features = features_,
          .virtual_end = world_.now(),
          .steps = world_.scheduler.steps()};
}

void Simulation::connect_next() {
  if (started_ == options_.connections) return;
  const uint32_t index = started_++;
  Path path{.local = kClientAddress, .remote = kServerAddress};
  path.local.port = static_cast<uint16_t>(path.local.port + index);
  quic::Endpoint::ConnectOptions how{.server_name = "sim.example"};
  bool early = false;
  if (options_.resume > 0 && resumption_) {
    early = options_.early_data > 0 && resumption_->ticket.has_value();
    how.resumption = std::move(resumption_);
    how.early_data = options_.early_data > 0;
    resumption_.reset();
  }
  if (index > 0 && options_.refuse_early > 0) tls_.anti_replay->refuse = true;
  const auto handle = client_.endpoint().connect(world_.now(), client_config(), path, std::move(how));
  if (!handle) return world_.fail(std::string("connect() failed: ") + handle.error().reason);
  client_.watch(*handle);
  Pair& pair = pairs_.emplace_back();
  pair.client =
      std::make_unique<Conversation>(world_, options_, features_, client_, *handle, quic::Role::client, index);
  if (early) pair.client->begin(world_.now());
  plan_ending(pair);
  client_.pump();
}

void Simulation::plan_ending(Pair& pair) {
  const Duration when = Duration::milliseconds(options_.abort_ms);
  switch (ending_of(pair)) {
    case Ending::client_closes:
    case Ending::server_closes:
    case Ending::idle:
      break;
    case Ending::client_aborts:
      world_.scheduler.after(when, [this, &pair] { abort(pair, quic::Role::client); });
      break;
    case Ending::server_aborts:
      world_.scheduler.after(when, [this, &pair] { abort(pair, quic::Role::server); });
      break;
    case Ending::both_abort:
      world_.scheduler.after(when, [this, &pair] {
        abort(pair, quic::Role::client);
        abort(pair, quic::Role::server);
      });
      break;
    case Ending::server_restarts:
      world_.scheduler.after(when, [this] { restart_server(); });
      break;
  }
}

void Simulation::abort(Pair& pair, quic::Role who) {
  if (who == quic::Role::client) {
    if (pair.client->closed()) return;
    features_.add(Feature::aborts);
    pair.client->close(world_.now(), kClientCode);
    return client_.pump();
  }
  Conversation* target = pair.server;
  // Before the handshake tells, whose a server's connection is can be known only where there is one client.
  const bool is_only_one = std::ranges::count_if(pairs_, [](const Pair& p) { return !p.server; }) == 1;
  for (const auto& candidate : server_conversations_) {
    const bool paired =
        std::any_of(pairs_.begin(), pairs_.end(), [&](const Pair& p) { return p.server == candidate.get(); });
    if (!target && !paired && is_only_one && !candidate->closed()) target = candidate.get();
  }
  if (!target && !pair.client->closed()) {  // it has not come there yet
    world_.scheduler.after(Duration::milliseconds(5), [this, &pair, who] { abort(pair, who); });
    return;
  }
  if (!target || target->closed()) return;
  features_.add(Feature::aborts);
  if (!pair.server) pair.server = target;
  target->close(world_.now(), kServerCode);
  server_.pump();
}

void Simulation::restart_server() {
  restarted_ = true;
  restarted_at_ = world_.now();
  for (const auto& conversation : server_conversations_) conversation->abandon();
  decisions_.clear();
  server_.restart(server_endpoint());
  // The client finds out when it sends something.
  world_.scheduler.after(Duration::milliseconds(10), [this] {
    for (Pair& pair : pairs_) pair.client->ping();
    client_.pump();
  });
}

void Simulation::referee() {
  for (size_t i = 0; i < pairs_.size(); i++) {
    Pair& pair = pairs_[i];
    if (pair.client->closed() && !pair.replaced) {
      pair.replaced = true;
      if (pair.client->resumption()) resumption_ = pair.client->resumption();
      if (options_.parallel == 0) world_.scheduler.after(Duration::milliseconds(1), [this] { connect_next(); });
    }
    if (pair.ending_begun || !pair.client->is_done() || !pair.server || !pair.server->is_done()) continue;
    pair.ending_begun = true;
    const Ending ending = restarted_ ? Ending::client_closes : ending_of(pair);
    if (ending == Ending::client_closes) {
      pair.client->close(world_.now(), kClientCode);
      client_.pump();
    } else if (ending == Ending::server_closes) {
      pair.server->close(world_.now(), kServerCode);
      server_.pump();
    }
  }
}

/// Both sides of a connection export the same secret (RFC 8446 §7.5), and nobody else does.
void Simulation::pair_up(Instant now, Conversation& server) {
  std::array<uint8_t, 16> exported{};
  if (!server.connection()->export_keying_material("EXPORTER-quoll-sim", {}, exported)) {
    return world_.fail("no keying material can be exported on a connected server");
  }
  for (Pair& pair : pairs_) {
    if (pair.exported != exported || !pair.client->connected_at()) continue;
    // One that was matched when it began, and never got connected, may have been a guess.
    if (pair.server && pair.server != &server && pair.server->connected_at()) {
      return world_.fail("two connections of a server have one client");
    }
    pair.server = &server;
    return world_.journal.note(now, "connection " + std::to_string(pair.client->index()) + " has both sides");
  }
  world_.fail("a server is connected with a client that is not");
}

void Simulation::ClientSide::on_event(Instant now, const quic::EndpointEvent& event) {
  for (Pair& pair : simulation.pairs_) {
    if (!(pair.client->handle() == event.connection)) continue;
    const auto* inner = std::get_if<quic::Event>(&event.event);
    if (!inner) return simulation.world_.fail("a client was offered a connection");
    if (std::holds_alternative<quic::Connected>(*inner)) {
      if (!pair.client->connection()->export_keying_material("EXPORTER-quoll-sim", {}, pair.exported)) {
        return simulation.world_.fail("no keying material can be exported on a connected client");
      }
    }
    return pair.client->on_event(now, *inner);
  }
  simulation.world_.fail("an event of a connection that the client never made");
}

Instant Simulation::ClientSide::next_timeout() const {
  Instant next = Instant::never();
  for (const Pair& pair : simulation.pairs_) next = std::min(next, pair.client->next_timeout());
  return next;
}

void Simulation::ClientSide::on_timeout(Instant now) {
  for (Pair& pair : simulation.pairs_) pair.client->on_timeout(now);
}

void Simulation::ServerSide::on_event(Instant now, const quic::EndpointEvent& event) {
  if (const auto* offered = std::get_if<quic::Offered>(&event.event)) {
    if (simulation.options_.ask == 0) return;
    if (offered->address_validated && simulation.started_ > 1) simulation.features_.add(Feature::tokens_used);
    simulation.decisions_.push_back({now + Duration::milliseconds(simulation.options_.ask_delay_ms), event.connection});
    return;
  }
  Conversation* found = nullptr;
  for (const auto& conversation : simulation.server_conversations_) {
    if (!conversation->is_abandoned() && conversation->handle() == event.connection) found = conversation.get();
  }
  if (!found) {
    const auto index = static_cast<uint32_t>(simulation.server_conversations_.size());
    simulation.server_conversations_.push_back(
        std::make_unique<Conversation>(simulation.world_, simulation.options_, simulation.features_, simulation.server_,
                                       event.connection, quic::Role::server, index));
    found = simulation.server_conversations_.back().get();
  }
  const quic::Event& inner = std::get<quic::Event>(event.event);
  if (std::holds_alternative<quic::Connected>(inner)) simulation.pair_up(now, *found);
  found->on_event(now, inner);
}

Instant Simulation::ServerSide::next_timeout() const {
  Instant next = Instant::never();
  for (const auto& conversation : simulation.server_conversations_) {
    if (!conversation->is_abandoned()) next = std::min(next, conversation->next_timeout());
  }
  for (const Decision& decision : simulation.decisions_) next = std::min(next, decision.when);
  return next;
}

void Simulation::ServerSide::on_timeout(Instant now) {
  for (const auto& conversation : simulation.server_conversations_) {
    if (!conversation->is_abandoned()) conversation->on_timeout(now);
  }
  std::vector<Decision> later;
  for (const Decision& decision : std::exchange(simulation.decisions_, {})) {
    if (decision.when <= now) {
      simulation.decide(now, decision);
    } else {
      later.push_back(decision);
    }
  }
  simulation.decisions_.insert(simulation.decisions_.end(), later.begin(), later.end());
}

/// The offer may be gone by now: offers do not wait for ever.
void Simulation::decide(Instant now, const Decision& decision) {
  quic::Endpoint& endpoint = server_.endpoint();
  if (options_.ask == 2 && endpoint.retry(now, decision.offer)) return;
  (void)endpoint.accept(now, decision.offer);
}

/// The connections' own counters were read for the last time when they ended; a trace goes on.
void Simulation::check_traces() {
  if (const std::string wrong = traces_->check(); !wrong.empty()) return world_.fail(wrong);
  const auto& summaries = traces_->summaries(quic::Role::client);
  for (size_t i = 0; i < std::min(summaries.size(), pairs_.size()); i++) {
    if (!summaries[i]) continue;
    features_.add(Feature::traces_checked);
    const quic::Statistics& s = pairs_[i].client->statistics();
    const qlog::Summary& told = *summaries[i];
    if (told.packets_sent < s.packets_sent || told.packets_received < s.packets_received ||
        told.packets_lost < s.packets_lost || told.packets_dropped < s.packets_dropped) {
      return world_.fail("the trace of client " + std::to_string(i + 1) + " leaves out packets");
    }
  }
}

bool Simulation::is_over() {
  if (started_ < options_.connections) return false;
  for (const Pair& pair : pairs_) {
    if (!pair.client->closed()) return false;
  }
  if (all_closed_.is_never()) {
    all_closed_ = world_.now();
  }
  if (client_.endpoint().connections() == 0 && server_.endpoint().connections() == 0) {
    for (const auto& conversation : server_conversations_) {
      if (conversation->closed() || conversation->is_abandoned()) continue;
      world_.fail("a connection of the server is gone without Closed");
    }
    for (const Host* host : {&client_, &server_}) {
      if (options_.ask > 0) break;  // a replayed Initial packet may have made an offer, which lasts for a while
      if (!host->endpoint().next_timeout().is_never()) world_.fail("a timer is left although all connections are gone");
    }
    return true;
  }
  const Duration timeouts = Duration::milliseconds(options_.idle_ms + options_.handshake_ms);
  if (world_.now() - all_closed_ > timeouts + kLingering) {
    world_.fail("connections remain when all should be over: " + describe_unfinished());
  }
  return false;
}

std::string Simulation::describe_unfinished() {
  std::string text = std::to_string(client_.endpoint().connections()) + " connections at the client, " +
                     std::to_string(server_.endpoint().connections()) + " at the server";
  for (const Pair& pair : pairs_) {
    text += "; connection " + std::to_string(pair.client->index()) + ": ";
    text += pair.client->closed()         ? "closed"
            : pair.client->is_confirmed() ? "confirmed"
            : pair.client->connected_at() ? "connected"
                                          : "not connected";
    text += ", " + std::to_string(pair.client->halves_left()) + " directions of streams left";
    if (pair.server) {
      text += " (server: " + std::string(pair.server->closed() ? "closed, " : "") +
              std::to_string(pair.server->halves_left()) + ")";
    }
  }
  return text;
}

Outcome run(const ScenarioOptions& options, const Files& files, const Extras& extras) {
  Simulation simulation(options, files.traces, extras);
  Outcome outcome = simulation.run();
  if (!outcome.passed() && !files.log.empty()) {
    if (std::FILE* file = std::fopen(files.log.c_str(), "w")) {
      std::fprintf(file, "%s\nFAILED: %s\n\n", to_string(options).c_str(), outcome.failure.c_str());
      simulation.world().journal.write(file);
      std::fclose(file);
    }
  }
  return outcome;
}

}  // namespace quoll::sim
