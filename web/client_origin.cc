#include "web/client_origin.h"

#include <algorithm>

#include "web/resolve.h"

namespace quoll::web {

ClientOrigin::ClientOrigin(ClientContext& context, Key key, std::string authority)
    : context_(context), key_(std::move(key)), authority_(std::move(authority)), server_name_(key_.host) {
  // TLS knows names without the dot at the end of a full one.
  if (server_name_.size() > 1 && server_name_.ends_with('.')) server_name_.pop_back();
}

void ClientOrigin::turn() {
  forget_ended();
  end_losers();
  open_waiting();
  if (wants_connection()) attempt();
  close_idle();
}

Instant ClientOrigin::next_timeout() const {
  Instant earliest = next_attempt_;
  for (const auto& connection : connections_) {
    if (connection->is_idle() && connection->is_established() && !connection->is_going_away()) {
      earliest = std::min(earliest, connection->idle_since() + context_.options.idle);
    }
  }
  return earliest;
}

void ClientOrigin::forget_ended() {
  for (auto at = connections_.begin(); at != connections_.end();) {
    ClientConnection& connection = **at;
    if (!connection.is_over()) {
      ++at;
      continue;
    }
    if (!connection.is_established() && !connection.is_closing()) {
      failure_ = connection.failure();
      next_attempt_ = context_.now;
      // Another address of a server that cannot prove who it is would make no difference.
      if (failure_->kind == FailureKind::tls) next_address_ = addresses_.size();
    }
    if (connection.is_established()) {
      useless_ = connection.was_used() ? 0 : useless_ + 1;
      if (useless_ >= kUselessConnectionsMax) {
        useless_ = 0;
        fail_waiting(connection.failure());
      }
    }
    at = connections_.erase(at);
  }
}

void ClientOrigin::end_losers() {
  const bool won = std::ranges::any_of(
      connections_, [](const auto& each) { return each->is_established() && !each->is_going_away(); });
  if (!won || !attempting_) return;
  attempting_ = false;
  next_attempt_ = Instant::never();
  for (const auto& connection : connections_) {
    if (!connection->is_established()) connection->close();
  }
}

void ClientOrigin::close_idle() {
  for (const auto& connection : connections_) {
    const bool due = connection->is_going_away() || context_.now >= connection->idle_since() + context_.options.idle;
    if (connection->is_established() && connection->is_idle() && due) connection->close();
  }
}

void ClientOrigin::open_waiting() {
  for (const auto& connection : connections_) {
    if (connection->is_going_away()) continue;
    for (size_t i = 0; i < waiting_.size() && connection->has_room();) {
      ClientTransfer* transfer = waiting_[i];
      if (!connection->takes(*transfer)) {
        i++;
        continue;
      }
      // It must not be found here any more when it is open, or over at once.
      const auto next = waiting_.erase(waiting_.begin() + static_cast<ptrdiff_t>(i));
      if (!transfer->open(*connection)) {
        waiting_.insert(next, transfer);
        connection->note_out_of_streams();
        break;
      }
    }
  }
}

bool ClientOrigin::wants_connection() const {
  if (waiting_.empty()) return false;
  // A connection that is full is waited for.
  return std::ranges::none_of(connections_,
                              [](const auto& each) { return each->is_established() && !each->is_going_away(); });
}

bool ClientOrigin::is_attempting() const {
  return std::ranges::any_of(connections_,
                             [](const auto& each) { return !each->is_established() && !each->is_closing(); });
}

void ClientOrigin::attempt() {
  if (!attempting_) {
    failure_.reset();
    if (!resolve()) return;
    attempting_ = true;
    next_address_ = 0;
    next_attempt_ = context_.now;
  }
  while (next_address_ < addresses_.size() && context_.now >= next_attempt_) {
    begin({.ip = addresses_[next_address_++], .port = key_.target_port});
  }
  if (next_address_ >= addresses_.size()) next_attempt_ = Instant::never();
  if (is_attempting() || next_address_ < addresses_.size()) return;
  attempting_ = false;
  fail_waiting(failure_.value_or(Failure{.text = "no connection to " + authority_}));
}

bool ClientOrigin::resolve() {
  const ClientOptions& options = context_.options;
  addresses_.clear();
  std::string failure = "no address for " + key_.target_host;
  if (options.resolve) addresses_ = options.resolve(key_.target_host, key_.target_port);
  if (addresses_.empty()) {
    Resolved resolved = web::resolve(key_.target_host, options.ipv4, options.ipv6);
    addresses_ = std::move(resolved.addresses);
    failure = std::move(resolved.failure);
  }
  context_.now = udp::now();  // the resolver takes its time
  if (addresses_.empty()) {
    fail_waiting({.kind = FailureKind::resolve, .text = std::move(failure)});
    return false;
  }
  for (ClientTransfer* transfer : waiting_) transfer->timings().resolved = context_.now;
  return true;
}

void ClientOrigin::begin(const SocketAddress& remote) {
  next_attempt_ = context_.now + kAttemptDelay;
  const auto fail = [&](const Error& error, const char* what) {
    failure_ = Failure{.kind = FailureKind::connect,
                       .code = error.code,
                       .text = std::string(what) + " " + remote.to_string() + ": " + error.reason};
    next_attempt_ = context_.now;
  };
  const Result<udp::Socket*> socket = context_.socket_for(remote.ip.family());
  if (!socket) return fail(socket.error(), "no socket for");
  const Path path{.local = {.ip = {}, .port = (*socket)->local_address().port}, .remote = remote};

  std::optional<quic::ResumptionState> resumption = context_.store.take(authority_, context_.clock.at(context_.now));
  std::optional<h3::Settings> remembered;
  const bool wants_early =
      std::ranges::any_of(waiting_, [](const ClientTransfer* each) { return each->may_be_early(); });
  if (wants_early && resumption && resumption->ticket && resumption->ticket->max_early_data_size != 0 &&
      !resumption->ticket->application_settings.empty()) {
    if (Result<h3::Settings> settings = h3::Settings::parse(resumption->ticket->application_settings)) {
      remembered = *settings;
    }
  }
  const Result<quic::ConnectionHandle> handle = context_.endpoint->connect(
      context_.now, context_.config, path,
      {.server_name = server_name_, .resumption = std::move(resumption), .early_data = remembered.has_value()});
  std::unique_ptr<ConnectionLog> log = std::move(context_.new_log);
  if (!handle) return fail(handle.error(), "cannot connect to");
  connections_.push_back(
      std::make_unique<ClientConnection>(context_, ClientConnection::Start{.handle = *handle,
                                                                           .authority = authority_,
                                                                           .remote = remote,
                                                                           .remembered = std::move(remembered),
                                                                           .log = std::move(log)}));
  open_waiting();
}

void ClientOrigin::on_refused(const SocketAddress& remote) {
  for (const auto& connection : connections_) {
    if (connection->is_established() || connection->is_closing() || connection->remote() != remote) continue;
    connection->close();
    failure_ = Failure{.kind = FailureKind::connect,
                       .text = "nobody answers at " + remote.to_string() + " (port unreachable)"};
    next_attempt_ = context_.now;
  }
}

void ClientOrigin::fail_waiting(const Failure& failure) {
  const std::deque<ClientTransfer*> failed = std::exchange(waiting_, {});
  for (ClientTransfer* transfer : failed) transfer->end(failure);
}

void ClientOrigin::close_all() {
  for (const auto& connection : connections_) connection->close();
}

}  // namespace quoll::web
