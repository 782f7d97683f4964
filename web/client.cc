#include "web/client.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <unordered_map>

#include "udp/outbox.h"
#include "web/client_origin.h"
#include "web/icmp_errors.h"
#include "web/receive_buffers.h"

namespace quoll::web {
namespace {

constexpr size_t kTrainSize = 64 * 1024;
constexpr size_t kReceiveCallsPerTurnMax = 8;
constexpr Duration kLogPatience = Duration::milliseconds(200);
/// close() waits no longer for tickets.
constexpr Duration kLastSendMax = Duration::milliseconds(100);
constexpr Duration kKeepAliveMax = Duration::seconds(20);  // NATs forget a flow after 30 (RFC 9000 §10.1.2)
constexpr Duration kCloseWaitMax = Duration::milliseconds(250);
constexpr uint8_t kStallPings = 20;  // two seconds' worth

std::shared_ptr<const quic::ClientConfig> quic_config(const ClientOptions& options) {
  auto tls = options.tls ? std::make_shared<tls::ClientConfig>(*options.tls) : std::make_shared<tls::ClientConfig>();
  tls->application_protocols = {std::string(h3::kProtocol)};
  auto config = std::make_shared<quic::ClientConfig>();
  config->tls = std::move(tls);
  config->transport = options.transport;
  h3::prepare(config->transport, options.session);
  // A server that takes its time over an answer is not gone. With no idle timeout of ours there is one of the server's.
  if (config->transport.keep_alive.is_zero()) {
    config->transport.keep_alive = std::min(config->transport.max_idle_timeout / 3, kKeepAliveMax);
  }
  // A response that began has more to come.
  if (config->transport.stall_pings == 0) config->transport.stall_pings = kStallPings;
  config->original_version = options.original_version;
  return config;
}

}  // namespace

Result<udp::Socket*> ClientContext::socket_for(IpAddress::Family family) {
  for (udp::Socket& socket : sockets) {
    if (socket.local_address().ip.family() == family) return &socket;
  }
  udp::SocketOptions socket_options = options.socket;
  socket_options.dual_stack = false;
  const SocketAddress any{.ip = family == IpAddress::Family::ipv6 ? IpAddress::v6({}) : IpAddress::v4({})};
  Result<udp::Socket> socket = udp::Socket::bind(any, socket_options);
  if (!socket) return std::unexpected(socket.error());
  want_icmp_errors(*socket);
  if (Result<void> watched = loop.watch(socket->fd(), sockets.size(), true, false); !watched) {
    return std::unexpected(watched.error());
  }
  sockets.push_back(std::move(*socket));
  return &sockets.back();
}

ClientConnection* ClientContext::find(quic::ConnectionHandle handle) {
  if (handle.index >= table.size() || !table[handle.index]) return nullptr;
  return table[handle.index]->handle() == handle ? table[handle.index] : nullptr;
}

struct Client::State {
  State(udp::Loop loop) : context(std::move(loop)), buffers(kTrainSize) {}

  ClientContext context;
  ReceiveBuffers buffers;
  udp::Outbox outbox;
  std::span<const udp::Loop::Ready> ready;
  bool more_to_send = false;
  std::optional<size_t> watched_blocked;
  std::map<ClientOrigin::Key, ClientOrigin> origins;
  std::unordered_map<const ClientTransfer*, std::unique_ptr<ClientTransfer>> transfers;
  std::vector<ClientTransfer*> starting;
  std::vector<ClientConnection*> taking;
  Instant next_deadline = Instant::never();  // not later than that of any transfer
  std::atomic<bool> stopped = false;
  Duration tick_every = Duration::infinite();
  Instant next_tick = Instant::never();
  Instant close_wait_until = Instant::never();
  std::function<void(Instant)> tick;

  void turn();
  void start_waiting();
  void receive();
  void take_events();
  void follow_deadlines();
  void tell_ends();
  void transmit();
  void wait();
  void cancel_all();
  /// What is left to send, unless a socket takes nothing for a while.
  void finish_sending();
  /// How long tickets may still be on their way; zero: none are.
  Duration ticket_patience();
};

Result<std::unique_ptr<Client>> Client::create(ClientOptions options) {
  if (!options.ipv4 && !options.ipv6) return usage_error("both families of addresses are switched off");
  if (Result<void> checked = check_qlog_directory(options.qlog_directory); !checked) {
    return std::unexpected(checked.error());
  }
  Result<udp::Loop> loop = udp::Loop::create();
  if (!loop) return std::unexpected(loop.error());
  auto state = std::make_unique<State>(std::move(*loop));
  ClientContext& context = state->context;
  context.options = std::move(options);
  context.config = quic_config(context.options);
  context.now = udp::now();
  quic::EndpointConfig config;
  config.wall_clock = [&context](Instant at) { return context.clock.at(at); };
  if (!context.options.qlog_directory.empty()) {
    config.trace = [&context](quic::Role role, const quic::ConnectionId& original_destination) {
      context.new_log =
          std::make_unique<ConnectionLog>(context.options.qlog_directory, role, original_destination, context.clock);
      return context.new_log.get();
    };
  }
  context.endpoint = std::make_unique<quic::Endpoint>(std::move(config), crypto::best(), context.rng);
  return std::unique_ptr<Client>(new Client(std::move(state)));
}

Client::Client(std::unique_ptr<State> state) : state_(std::move(state)) {}

Client::~Client() = default;

ClientExchange& Client::send(ClientRequest request, Listener& listener) {
  State& state = *state_;
  state.context.now = udp::now();
  auto made = std::make_unique<ClientTransfer>(state.context, std::move(request), listener);
  ClientTransfer& transfer = *made;
  state.transfers.emplace(&transfer, std::move(made));
  state.starting.push_back(&transfer);
  state.next_deadline = std::min(state.next_deadline, transfer.deadline());
  return transfer;
}

void Client::run() {
  State& state = *state_;
  if (!state.tick_every.is_infinite()) state.next_tick = udp::now() + state.tick_every;
  while (!state.transfers.empty()) {
    if (state.stopped.load(std::memory_order_acquire)) state.cancel_all();
    state.turn();
    if (!state.transfers.empty()) state.wait();
  }
}

void Client::stop() {
  state_->stopped.store(true, std::memory_order_release);
  state_->context.loop.wake();
}

void Client::close() {
  State& state = *state_;
  state.cancel_all();
  state.turn();
  if (state.context.options.wait_for_tickets) {
    state.close_wait_until = udp::now() + std::min(state.ticket_patience(), kCloseWaitMax);
    while (udp::now() < state.close_wait_until && !state.stopped.load(std::memory_order_acquire) &&
           !state.ticket_patience().is_zero()) {
      state.wait();
      state.turn();
    }
    state.close_wait_until = Instant::never();
  }
  for (auto& [key, origin] : state.origins) origin.close_all();
  state.turn();
  state.finish_sending();
}

quic::ResumptionStore& Client::resumption() { return state_->context.store; }

void Client::on_tick(Duration every, std::function<void(Instant)> callback) {
  state_->tick_every = every;
  state_->tick = std::move(callback);
}

// --- A turn

void Client::State::turn() {
  context.now = udp::now();
  receive();
  if (context.endpoint->next_timeout() <= context.now) context.endpoint->on_timeout(context.now);
  start_waiting();
  take_events();
  for (auto& [key, origin] : origins) origin.turn();
  follow_deadlines();
  take_events();
  tell_ends();
  if (context.now >= next_tick && tick) {
    next_tick = context.now + tick_every;
    tick(context.now);
  }
  take_events();
  transmit();
  take_events();
  std::erase_if(origins, [](const auto& each) { return each.second.is_empty(); });
}

void Client::State::start_waiting() {
  for (ClientTransfer* transfer : std::exchange(starting, {})) {
    if (transfer->phase() == ClientTransfer::Phase::over) continue;  // cancelled before it began
    const http::Url& url = transfer->url();
    // RFC 9114 §3.1.2: nothing here finds out whether a server is willing to serve another scheme.
    if (url.scheme != "https") {
      transfer->end(
          Failure{.kind = FailureKind::stream, .text = "the request cannot be sent: HTTP/3 is for https URLs"});
      continue;
    }
    ClientOrigin::Key key{url.scheme, url.host, url.port, url.host, url.port};
    if (context.options.connect_to) {
      if (const auto target = context.options.connect_to(url.host, url.port)) {
        std::tie(key.target_host, key.target_port) = *target;
      }
    }
    const auto at = origins.try_emplace(key, context, key, url.authority()).first;
    transfer->wait_at(at->second);
  }
}

void Client::State::receive() {
  for (const udp::Loop::Ready& event : ready) {
    if (!event.readable) continue;
    udp::Socket& socket = context.sockets[event.key];
    for (size_t calls = 0; calls < kReceiveCallsPerTurnMax; calls++) {
      const std::span<Received> arrived = buffers.receive(socket);
      for (Received& received : arrived) context.endpoint->receive(context.now, std::move(received));
      if (arrived.size() == kReceiveBatch) continue;
      if (calls == 0 && arrived.empty()) {
        // Readable, and nothing there: an error is.
        take_icmp_errors(socket, [this](const SocketAddress& remote) {
          for (auto& [key, origin] : origins) origin.on_refused(remote);
        });
      }
      break;
    }
  }
  ready = {};
}

void Client::State::take_events() {
  do {
    while (std::optional<quic::EndpointEvent> event = context.endpoint->poll_event()) {
      auto* news = std::get_if<quic::Event>(&event->event);
      ClientConnection* connection = context.find(event->connection);
      if (news && connection) connection->on_event(*news);
    }
    std::swap(taking, context.used);
    for (ClientConnection* connection : taking) connection->take_events();
    taking.clear();
  } while (!context.used.empty());
}

void Client::State::follow_deadlines() {
  if (context.now < next_deadline) return;
  next_deadline = Instant::never();
  for (const auto& [key, transfer] : transfers) {
    if (transfer->phase() == ClientTransfer::Phase::over) continue;
    transfer->on_deadline(context.now);
    if (transfer->phase() != ClientTransfer::Phase::over) {
      next_deadline = std::min(next_deadline, transfer->deadline());
    }
  }
}

void Client::State::tell_ends() {
  while (!context.over.empty()) {
    std::vector<ClientTransfer*> over = std::exchange(context.over, {});
    for (ClientTransfer* transfer : over) {
      transfer->tell_end();
      std::erase(starting, transfer);
      transfers.erase(transfer);
    }
  }
}

void Client::State::transmit() {
  more_to_send = outbox.transmit(context.now, *context.endpoint, context.sockets) == udp::Outbox::Progress::limit;
}

void Client::State::wait() {
  Instant deadline = std::min({context.endpoint->next_timeout(), next_deadline, next_tick, close_wait_until});
  for (auto& [key, origin] : origins) deadline = std::min(deadline, origin.next_timeout());
  if (more_to_send || !starting.empty() || !context.over.empty()) deadline = context.now;
  if (!context.closing_logs.empty()) {
    std::erase_if(context.closing_logs,
                  [this](const ClosingLog& closing) { return !context.endpoint->find(closing.handle); });
    if (!context.closing_logs.empty()) deadline = std::min(deadline, context.now + kLogPatience);
  }
  if (const std::optional<size_t> blocked = outbox.blocked_socket(); blocked != watched_blocked) {
    watched_blocked = blocked;
    for (size_t i = 0; i < context.sockets.size(); i++) {
      (void)context.loop.watch(context.sockets[i].fd(), i, true, blocked == i);
    }
  }
  ready = context.loop.wait(deadline);
}

void Client::State::finish_sending() {
  const Instant until = udp::now() + kLastSendMax;
  while (udp::now() < until && (more_to_send || outbox.blocked_socket())) {
    close_wait_until = until;
    wait();
    turn();
  }
  close_wait_until = Instant::never();
}

void Client::State::cancel_all() {
  for (const auto& [key, transfer] : transfers) transfer->cancel();
}

Duration Client::State::ticket_patience() {
  Duration patience;
  for (auto& [key, origin] : origins) {
    for (const auto& connection : origin.connections()) {
      if (!connection->is_established() || connection->is_going_away() || connection->got_ticket()) continue;
      patience = std::max(patience, connection->probe_timeout());
    }
  }
  return patience;
}

}  // namespace quoll::web
