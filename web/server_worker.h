// ServerWorker: one thread of a server: sockets, an endpoint, a loop, and the connections that are its own.
//
// It shares with other workers the handler, the configuration of new connections (ServerShared) and nothing else. Made
// by the thread that makes the server, then used by the one that calls run(); wake() and statistics() are for any.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "base/buffer_pool.h"
#include "udp/loop.h"
#include "udp/outbox.h"
#include "udp/socket.h"
#include "udp/worker_inbox.h"
#include "web/receive_buffers.h"
#include "web/server.h"
#include "web/server_connection.h"

namespace quoll::web {

inline constexpr size_t kWorkersMax = 1024;

/// What all workers of a server share.
struct ServerShared {
  ServerOptions options;
  Handler handler;
  quic::FleetSecret secret;
  std::shared_ptr<tls::TicketKeys> ticket_keys;
  std::shared_ptr<tls::AntiReplay> anti_replay;
  std::atomic<int> stops = 0;  // calls of stop()

  /// The configuration of connections to come.
  std::shared_ptr<const quic::ServerConfig> config() const;
  void set_identities(tls::Identities identities);
  /// The fleet's secret or a new one, and what hangs on it; before anything is configured.
  quic::FleetKeys prepare_secrets();
  /// Changes with each set_identities().
  uint64_t config_version() const { return config_version_.load(std::memory_order_acquire); }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const quic::ServerConfig> config_;
  std::atomic<uint64_t> config_version_ = 0;
};

class ServerWorker {
 public:
  [[nodiscard]] static Result<std::unique_ptr<ServerWorker>> create(ServerShared& shared, uint16_t number,
                                                                    std::span<udp::Socket> sockets,
                                                                    udp::WorkerInbox& inbox);
  ServerWorker(const ServerWorker&) = delete;
  ServerWorker& operator=(const ServerWorker&) = delete;
  ~ServerWorker();

  /// Serves until the server is stopped and what was under way is over.
  void run();
  /// So that it looks at ServerShared::stops. Also from signal handlers.
  void wake() { loop_.wake(); }
  ServerStatistics statistics() const;

 private:
  /// How far the end of the worker is.
  enum class Phase : uint8_t {
    serving,
    announced,  // the first GOAWAY is out: new requests are still taken
    draining,   // the second is out
    closed,     // connections are closed, and the last packets go out
  };
  /// A qlog that waits for its connection to leave the endpoint.
  struct ClosingLog {
    quic::ConnectionHandle handle;
    std::unique_ptr<ConnectionLog> log;
  };

  ServerWorker(ServerShared& shared, uint16_t number, std::span<udp::Socket> sockets, udp::WorkerInbox& inbox,
               udp::Loop loop);
  quic::EndpointConfig endpoint_config(uint16_t number);

  // The steps of a turn.
  void follow_stops();
  void receive();
  void take_events();
  void transmit();
  void publish();
  void wait();

  void watch();
  std::span<Received> receive_some(uint64_t key);
  void on_event(quic::EndpointEvent& event);
  void accept(quic::ConnectionHandle offer);
  void take_used();
  void remove(ServerConnection& connection);
  void free_logs();
  void announce_end();
  void begin_draining();
  void close_all();
  void finish_sending();
  Duration round_trip() const;
  template <class Visit>
  void for_each(Visit visit) {
    for (const std::unique_ptr<ServerConnection>& connection : connections_) {
      if (connection) visit(*connection);
    }
  }

  ServerShared& shared_;
  std::span<udp::Socket> sockets_;  // the loop's keys are their indices, and their number the inbox's
  udp::WorkerInbox& inbox_;
  udp::Loop loop_;
  ReceiveBuffers buffers_;
  udp::Outbox outbox_;
  std::span<const udp::Loop::Ready> ready_;  // what the last wait gave
  bool more_to_send_ = false;                // the turn ended before everything was sent
  bool watched_exhausted_ = false;           // what the loop was told
  std::optional<size_t> watched_blocked_;

  std::unique_ptr<Rng> rng_;
  WorkerContext context_;
  std::unique_ptr<ConnectionLog> new_log_;  // of the connection that is being accepted
  std::vector<ClosingLog> closing_logs_;
  std::shared_ptr<const quic::ServerConfig> config_;
  uint64_t config_version_ = 0;
  std::unique_ptr<quic::Endpoint> endpoint_;
  std::vector<std::unique_ptr<ServerConnection>> connections_;  // by the handle's index
  size_t connection_count_ = 0;
  std::vector<ServerConnection*> taking_;  // whose events are taken now

  Phase phase_ = Phase::serving;
  Instant phase_until_ = Instant::never();  // of announced, then of draining
  Instant drain_until_ = Instant::never();

  mutable std::mutex statistics_mutex_;
  ServerStatistics statistics_;
};

}  // namespace quoll::web
