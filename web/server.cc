#include "web/server.h"

#include <algorithm>
#include <thread>

#include "os/system_rng.h"
#include "os/wall_clock.h"
#include "quic/path/steered_connection_ids.h"
#include "udp/worker_group.h"
#include "web/add_statistics.h"
#include "web/server_worker.h"

namespace quoll::web {
namespace {

Result<void> check(const ServerOptions& options) {
  if (options.listen.empty()) return usage_error("no address to listen on");
  if (options.identities.empty()) return usage_error("no certificate");
  if (std::ranges::find(options.identities, nullptr) != options.identities.end())
    return usage_error("a certificate is missing (null)");
  const tls::ClientPolicy& clients = options.client_policy;
  const bool trusts_some = clients.verifier || (clients.trust && !clients.trust->certificates().empty());
  if (clients.authentication != tls::ClientAuthentication::none && !trusts_some)
    return usage_error("clients are asked for certificates, but none would be trusted");
  if (options.fleet && std::ranges::all_of(options.fleet->secret.bytes(), [](uint8_t byte) { return byte == 0; }))
    return usage_error("the fleet's secret is all zeros");
  if (options.workers == 0 || options.workers > kWorkersMax)
    return usage_error("the number of workers is out of range");
  return check_qlog_directory(options.qlog_directory);
}

/// Sockets of all workers, where a connection stays with its worker when its client's address changes.
Result<udp::WorkerGroup> bind_all(const ServerOptions& options, const quic::FleetKeys& keys) {
  udp::WorkerGroupOptions group;
  group.workers = options.workers;
  group.socket = options.socket;
  if (options.workers > 1) {
    udp::SteeringKey key;
    copy_bytes(key.data(), keys.connection_ids.bytes());
    group.steering = key;
    group.server = options.fleet ? options.fleet->server : 0;
    group.worker_of = [ids = quic::SteeredConnectionIds(key, 0, group.server)](
                          Bytes datagram) -> std::optional<size_t> { return ids.worker_of_datagram(datagram); };
  }
  return udp::WorkerGroup::bind(options.listen, group);
}

}  // namespace

std::shared_ptr<const quic::ServerConfig> ServerShared::config() const {
  const std::lock_guard lock(mutex_);
  return config_;
}

quic::FleetKeys ServerShared::prepare_secrets() {
  const std::optional<Fleet>& fleet = options.fleet;
  Rng& rng = os::thread_rng();
  if (fleet) {
    secret = fleet->secret;
  } else {
    rng.fill(secret);
  }
  quic::FleetKeys keys(crypto::best(), secret);
  const UnixTime now = os::wall_clock();
  ticket_keys = tls::TicketKeys::ratcheted(crypto::best(), keys.tls_tickets, {.origin = fleet ? fleet->since : now});
  if (!options.early_data) return keys;
  if (fleet) {
    anti_replay = fleet->anti_replay;
  } else {
    // The secret was drawn here, so no ticket is older than the server: the register need not wait for what a
    // predecessor could have admitted.
    tls::StrikeRegister::Options replay;
    replay.start = now - replay.window * 3;
    anti_replay = std::make_shared<tls::StrikeRegister>(replay, rng);
  }
  return keys;
}

void ServerShared::set_identities(tls::Identities identities) {
  auto tls = std::make_shared<tls::ServerConfig>();
  tls->application_protocols = {std::string(h3::kProtocol)};
  tls->identities = std::move(identities);
  tls->client_policy = options.client_policy;
  tls->ticket_keys = ticket_keys;
  tls->anti_replay = anti_replay;
  tls->key_log = options.key_log;
  auto config = std::make_shared<quic::ServerConfig>();
  config->tls = std::move(tls);
  config->transport = options.transport;
  config->early_data_context = h3::early_data_context(options.session);
  const std::lock_guard lock(mutex_);
  config_ = std::move(config);
  config_version_.fetch_add(1, std::memory_order_release);
}

struct Server::State {
  ServerShared shared;
  std::vector<SocketAddress> addresses;
  std::vector<std::string> notices;
  std::optional<udp::WorkerGroup> group;
  std::vector<std::unique_ptr<ServerWorker>> workers;

  void note(const std::string& notice) {
    if (!notice.empty() && std::ranges::find(notices, notice) == notices.end()) notices.push_back(notice);
  }
};

Result<std::unique_ptr<Server>> Server::listen(ServerOptions options, Handler handler) {
  if (Result<void> checked = check(options); !checked) return std::unexpected(checked.error());
  auto state = std::make_unique<State>();
  ServerShared& shared = state->shared;
  shared.options = std::move(options);
  shared.handler = std::move(handler);
  h3::prepare(shared.options.transport, shared.options.session);

  const quic::FleetKeys keys = shared.prepare_secrets();
  shared.set_identities(std::move(shared.options.identities));

  Result<udp::WorkerGroup> group = bind_all(shared.options, keys);
  if (!group) return std::unexpected(group.error());
  state->group.emplace(std::move(*group));
  state->addresses = state->group->addresses();
  for (size_t i = 0; i < shared.options.workers; i++) {
    for (const udp::Socket& socket : state->group->sockets(i)) state->note(socket.cap_notice());
    auto worker =
        ServerWorker::create(shared, static_cast<uint16_t>(i), state->group->sockets(i), state->group->inbox(i));
    if (!worker) return std::unexpected(worker.error());
    state->workers.push_back(std::move(*worker));
  }
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}

Server::~Server() = default;

const std::vector<SocketAddress>& Server::addresses() const { return state_->addresses; }

std::vector<std::string> Server::notices() const { return state_->notices; }

Result<void> Server::run() {
  std::vector<std::thread> threads;
  for (size_t i = 1; i < state_->workers.size(); i++) {
    threads.emplace_back([worker = state_->workers[i].get()] { worker->run(); });
  }
  state_->workers.front()->run();
  for (std::thread& thread : threads) thread.join();
  return {};
}

void Server::stop() {
  state_->shared.stops.fetch_add(1, std::memory_order_release);
  for (const std::unique_ptr<ServerWorker>& worker : state_->workers) worker->wake();
}

void Server::set_identities(std::vector<std::shared_ptr<const tls::Identity>> identities) {
  if (!identities.empty()) state_->shared.set_identities(std::move(identities));
}

ServerStatistics Server::statistics() const {
  ServerStatistics sum;
  for (const std::unique_ptr<ServerWorker>& worker : state_->workers) add(sum, worker->statistics());
  return sum;
}

}  // namespace quoll::web
