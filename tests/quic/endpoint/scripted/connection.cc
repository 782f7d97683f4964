#include "tests/quic/endpoint/scripted/connection.h"

#include <algorithm>

namespace quoll::tests {

std::deque<Script>& Scripts::all() {
  static std::deque<Script> scripts;
  return scripts;
}

bool& Scripts::fail_next() {
  static bool fail = false;
  return fail;
}

Scripts::Scripts() {
  all().clear();
  fail_next() = false;
}

}  // namespace quoll::tests

namespace quoll::quic {

using tests::Script;
using tests::Scripts;

struct Connection::State {
  Script& script;

  ~State() { script.alive = false; }
};

namespace {

Script& begin(const ConnectionContext& context, Role role, const Path& path) {
  Script& script = Scripts::all().emplace_back();
  script.role = role;
  script.path = path;
  script.context = context;
  script.id = context.ids.generator->generate(*context.ids.rng);
  script.add_id(script.id);
  script.datagrams_to_send = 1;
  return script;
}

}  // namespace

Connection::Connection(std::unique_ptr<State> state) : state_(std::move(state)) {}
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;
Connection::~Connection() = default;

Result<Connection> Connection::connect(Instant, UnixTime, const ConnectionContext& context, ClientStart start) {
  if (std::exchange(Scripts::fail_next(), false)) return usage_error("told to fail");
  Script& script = begin(context, Role::client, start.path);
  script.server_name = start.server_name;
  return Connection(std::make_unique<State>(script));
}

Result<Connection> Connection::accept(Instant, const ConnectionContext& context, ServerStart start) {
  if (std::exchange(Scripts::fail_next(), false)) return usage_error("told to fail");
  Script& script = begin(context, Role::server, start.path);
  script.add_id(start.destination);  // as the real one does
  script.server = start;
  return Connection(std::make_unique<State>(script));
}

void Connection::receive(Instant, UnixTime, const Path&, std::span<const ReceivedDatagram> datagrams, const Buffer&) {
  Script& script = state_->script;
  script.batches.push_back(datagrams.size());
  for (const ReceivedDatagram& datagram : datagrams) {
    script.datagrams.emplace_back(datagram.bytes.begin(), datagram.bytes.end());
  }
}

Statistics Connection::statistics() const {
  constexpr std::string_view kGarbage = "garbage";
  Statistics statistics;
  for (const auto& datagram : state_->script.datagrams) {
    const bool garbage = as_text(datagram).find(kGarbage) != std::string_view::npos;
    (garbage ? statistics.packets_dropped : statistics.packets_received)++;
  }
  return statistics;
}

void Connection::on_timeout(Instant) {
  state_->script.timeouts++;
  state_->script.timeout = Instant::never();
}
void Connection::on_stateless_reset(Instant) {
  state_->script.stateless_resets++;
  state_->script.closed = state_->script.drained = true;
  state_->script.events.push_back(Closed{.why = Closed::Why::stateless_reset, .reason = {}});
}
bool Connection::is_reset_token(Bytes token) const {
  return std::ranges::any_of(state_->script.reset_tokens,
                             [&](const auto& each) { return std::ranges::equal(each, token); });
}
std::optional<Transmit> Connection::poll_transmit(Instant now, MutBytes scratch) {
  Script& script = state_->script;
  if (script.datagrams_to_send == 0) return {};
  script.datagrams_to_send--;
  std::ranges::fill(scratch.first(100), uint8_t{0x55});
  return Transmit{.path = script.path, .ecn = Ecn::ect0, .bytes = scratch.first(100), .departure = now};
}
std::optional<Event> Connection::poll_event() {
  auto& events = state_->script.events;
  if (events.empty()) return {};
  Event event = std::move(events.front());
  events.pop_front();
  return event;
}
std::optional<RouteChange> Connection::poll_route_change() {
  auto& changes = state_->script.changes;
  if (changes.empty()) return {};
  const RouteChange change = changes.front();
  changes.pop_front();
  return change;
}
void Connection::close(Instant, ApplicationErrorCode, std::string_view) {
  state_->script.close_called = state_->script.closed = true;
}
Role Connection::role() const { return state_->script.role; }
Instant Connection::next_timeout() const { return state_->script.timeout; }
bool Connection::is_established() const { return state_->script.established; }
bool Connection::is_closed() const { return state_->script.closed; }
bool Connection::is_drained() const { return state_->script.drained; }
Version Connection::version() const { return state_->script.server.version; }
const Path& Connection::path() const { return state_->script.path; }
void Connection::check_invariants() const {}

}  // namespace quoll::quic
