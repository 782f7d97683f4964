#include "web/server_worker.h"

#include <algorithm>

#include "quic/path/steered_connection_ids.h"
#include "web/add_statistics.h"
#include "web/thread_rng.h"

namespace quoll::web {
namespace {

constexpr size_t kReceiveCallsPerTurnMax = 8;  // then what was received is answered
// Many small requests come in one datagram. While the last of them are answered the client works on the first answers.
constexpr size_t kEventsPerSend = 32;
constexpr size_t kOfferedMax = 4096;  // more than arrive between two looks at them
constexpr Duration kExhaustedWait = Duration::milliseconds(10);
constexpr Duration kLastSendMax = Duration::milliseconds(100);
constexpr Duration kLogPatience = Duration::seconds(1);  // a closed connection is looked for so often
// Between the two GOAWAYs (RFC 9114 §5.2): a round trip, within reason.
constexpr Duration kAnnounceMin = Duration::milliseconds(10);
constexpr Duration kAnnounceMax = Duration::milliseconds(500);

}  // namespace

Result<std::unique_ptr<ServerWorker>> ServerWorker::create(ServerShared& shared, uint16_t number,
                                                           std::span<udp::Socket> sockets, udp::WorkerInbox& inbox) {
  Result<udp::Loop> loop = udp::Loop::create();
  if (!loop) return std::unexpected(loop.error());
  Result<void> watched = loop->watch(inbox.fd(), sockets.size(), true, false);
  for (size_t i = 0; watched && i < sockets.size(); i++) watched = loop->watch(sockets[i].fd(), i, true, false);
  if (!watched) return std::unexpected(watched.error());
  return std::unique_ptr<ServerWorker>(new ServerWorker(shared, number, sockets, inbox, std::move(*loop)));
}

ServerWorker::ServerWorker(ServerShared& shared, uint16_t number, std::span<udp::Socket> sockets,
                           udp::WorkerInbox& inbox, udp::Loop loop)
    : shared_(shared),
      sockets_(sockets),
      inbox_(inbox),
      loop_(std::move(loop)),
      buffers_(sockets_.front().receive_buffer_size()),
      rng_(std::make_unique<ThreadRng>()),
      config_(shared.config()) {
  context_.options = &shared.options;
  context_.handler = &shared.handler;
  context_.rng = rng_.get();
  context_.now = udp::now();
  endpoint_ = std::make_unique<quic::Endpoint>(endpoint_config(number), crypto::best(), *rng_);
  context_.endpoint = endpoint_.get();
}

ServerWorker::~ServerWorker() {
  endpoint_.reset();  // before the logs that its connections write into
}

quic::EndpointConfig ServerWorker::endpoint_config(uint16_t number) {
  const ServerOptions& options = shared_.options;
  quic::EndpointConfig config;
  config.secret = shared_.secret;
  config.server = config_;
  config.ask_before_accept = true;  // each connection has the certificates of its time
  config.retry = options.retry;
  config.max_connections = options.max_connections;
  config.max_offered = kOfferedMax;
  config.wall_clock = [this](Instant at) { return context_.clock.at(at); };
  if (options.workers > 1 || options.fleet) {
    const quic::FleetKeys keys(crypto::best(), shared_.secret);
    const uint16_t server = options.fleet ? options.fleet->server : 0;
    auto ids = std::make_shared<quic::SteeredConnectionIds>(keys.connection_ids, number, server);
    config.connection_ids = ids;
    config.may_reset = [ids, number](const quic::ConnectionId& id) { return ids->worker_of(id) == number; };
  }
  if (!options.qlog_directory.empty()) {
    config.trace = [this](quic::Role role, const quic::ConnectionId& original_destination) {
      new_log_ =
          std::make_unique<ConnectionLog>(shared_.options.qlog_directory, role, original_destination, context_.clock);
      return new_log_.get();
    };
  }
  return config;
}

void ServerWorker::run() {
  while (phase_ != Phase::closed) {
    context_.now = udp::now();
    follow_stops();
    receive();
    if (endpoint_->next_timeout() <= context_.now) endpoint_->on_timeout(context_.now);
    take_events();
    transmit();
    // To send may end a connection.
    take_events();
    if (phase_ == Phase::draining && connection_count_ == 0) close_all();
    publish();
    if (phase_ != Phase::closed) wait();
  }
  take_events();
  finish_sending();
  publish();
}

/// What is left to send, unless a socket takes nothing for a while.
void ServerWorker::finish_sending() {
  const Instant until = udp::now() + kLastSendMax;
  for (transmit(); more_to_send_ || outbox_.blocked_socket(); transmit()) {
    if (udp::now() >= until) return;
    if (more_to_send_) continue;
    watch();
    (void)loop_.wait(until);
  }
}

void ServerWorker::receive() {
  for (const udp::Loop::Ready& ready : ready_) {
    if (!ready.readable) continue;
    for (size_t calls = 0; calls < kReceiveCallsPerTurnMax; calls++) {
      const std::span<Received> arrived = receive_some(ready.key);
      if (!arrived.empty()) take_events();
      if (arrived.size() < kReceiveBatch) break;
    }
  }
}

std::span<Received> ServerWorker::receive_some(uint64_t key) {
  const bool handed_over = key == sockets_.size();
  const std::span<Received> arrived = handed_over ? buffers_.receive(inbox_) : buffers_.receive(sockets_[key]);
  for (Received& received : arrived) {
    if (handed_over || inbox_.keep(received)) endpoint_->receive(context_.now, std::move(received));
  }
  return arrived;
}

void ServerWorker::take_events() {
  // Handlers use connections, and that makes new events of the endpoint's.
  do {
    for (size_t taken = 1; std::optional<quic::EndpointEvent> event = endpoint_->poll_event(); taken++) {
      on_event(*event);
      if (taken % kEventsPerSend != 0) continue;
      take_used();
      transmit();
    }
    take_used();
  } while (!context_.used.empty());
}

void ServerWorker::on_event(quic::EndpointEvent& event) {
  if (std::holds_alternative<quic::Offered>(event.event)) {
    accept(event.connection);
    return;
  }
  const uint32_t index = event.connection.index;
  if (index >= connections_.size() || !connections_[index] || connections_[index]->handle() != event.connection) return;
  connections_[index]->on_event(std::get<quic::Event>(event.event));
}

void ServerWorker::accept(quic::ConnectionHandle offer) {
  if (phase_ != Phase::serving) {
    (void)endpoint_->refuse(context_.now, offer);
    return;
  }
  if (const uint64_t version = shared_.config_version(); version != config_version_) {
    config_version_ = version;
    config_ = shared_.config();
  }
  if (Result<void> accepted = endpoint_->accept(context_.now, offer, config_); !accepted) {
    new_log_.reset();
    return;
  }
  const quic::Connection* connection = endpoint_->find(offer);
  if (!connection) {  // what looked like an Initial packet was none
    new_log_.reset();
    return;
  }
  if (offer.index >= connections_.size()) connections_.resize(offer.index + 1);
  connections_[offer.index] = std::make_unique<ServerConnection>(context_, offer, *connection, std::move(new_log_));
  connection_count_++;
}

void ServerWorker::take_used() {
  std::swap(taking_, context_.used);
  for (ServerConnection* connection : taking_) {
    connection->take_events();
    if (connection->is_over()) remove(*connection);
  }
  taking_.clear();
}

void ServerWorker::remove(ServerConnection& connection) {
  if (std::unique_ptr<ConnectionLog> log = connection.take_log()) {
    closing_logs_.push_back({.handle = connection.handle(), .log = std::move(log)});
  }
  connections_[connection.handle().index].reset();
  connection_count_--;
}

void ServerWorker::free_logs() {
  std::erase_if(closing_logs_, [&](const ClosingLog& closing) { return !endpoint_->find(closing.handle); });
}

void ServerWorker::transmit() {
  more_to_send_ = outbox_.transmit(context_.now, *endpoint_, sockets_) == udp::Outbox::Progress::limit;
}

void ServerWorker::wait() {
  Instant deadline = std::min({endpoint_->next_timeout(), phase_until_, drain_until_});
  if (more_to_send_) deadline = context_.now;
  if (!closing_logs_.empty()) deadline = std::min(deadline, context_.now + kLogPatience);
  if (buffers_.is_exhausted()) deadline = std::min(deadline, context_.now + kExhaustedWait);
  watch();
  ready_ = loop_.wait(deadline);
  if (!closing_logs_.empty()) free_logs();
  buffers_.trim();
}

void ServerWorker::watch() {
  const bool exhausted = buffers_.is_exhausted();
  const std::optional<size_t> blocked = outbox_.blocked_socket();
  if (exhausted == watched_exhausted_ && blocked == watched_blocked_) return;
  watched_exhausted_ = exhausted;
  watched_blocked_ = blocked;
  for (size_t i = 0; i < sockets_.size(); i++) (void)loop_.watch(sockets_[i].fd(), i, !exhausted, blocked == i);
}

void ServerWorker::publish() {
  ServerStatistics now;
  now.endpoint = endpoint_->statistics();
  for (const udp::Socket& socket : sockets_) add(now.socket, socket.statistics());
  now.connections = connection_count_;
  now.requests = context_.requests;
  now.exchanges = context_.exchanges;
  const std::lock_guard lock(statistics_mutex_);
  statistics_ = now;
}

ServerStatistics ServerWorker::statistics() const {
  const std::lock_guard lock(statistics_mutex_);
  return statistics_;
}

// --- The end

void ServerWorker::follow_stops() {
  const int stops = shared_.stops.load(std::memory_order_acquire);
  if (stops == 0 || phase_ == Phase::closed) return;
  if (stops > 1 || context_.now >= drain_until_) {
    close_all();
    return;
  }
  if (phase_ == Phase::serving) announce_end();
  if (phase_ == Phase::announced && context_.now >= phase_until_) begin_draining();
}

void ServerWorker::announce_end() {
  phase_ = Phase::announced;
  drain_until_ = context_.now + shared_.options.drain;
  phase_until_ = context_.now + round_trip();
  for_each([](ServerConnection& connection) {
    if (h3::Session* session = connection.session()) session->shutdown(false);
  });
  if (connection_count_ == 0) close_all();
}

void ServerWorker::begin_draining() {
  phase_ = Phase::draining;
  phase_until_ = Instant::never();
  context_.draining = true;
  for_each([](ServerConnection& connection) {
    if (h3::Session* session = connection.session()) session->shutdown(true);
  });
}

void ServerWorker::close_all() {
  phase_ = Phase::closed;
  endpoint_->close(context_.now, quic::ApplicationErrorCode{static_cast<uint64_t>(h3::ErrorCode::no_error)}, {});
}

Duration ServerWorker::round_trip() const {
  Duration longest;
  for (const std::unique_ptr<ServerConnection>& connection : connections_) {
    if (!connection) continue;
    const quic::Connection* open = endpoint_->find(connection->handle());
    if (open) longest = std::max(longest, open->statistics().smoothed_rtt);
  }
  return std::clamp(longest, kAnnounceMin, kAnnounceMax);
}

}  // namespace quoll::web
