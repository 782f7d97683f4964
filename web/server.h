// Server: HTTP/3 on UDP sockets for a handler: endpoints, sessions, workers, certificates, an orderly end.
//
// One thread a worker (SO_REUSEPORT; connection ids tell whose connection it is), which share nothing but the handler.
// For those who have an event loop of their own, quic::Endpoint and h3::OverQuic are the way.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/net.h"
#include "h3/session.h"
#include "quic/endpoint/endpoint.h"
#include "tls/config.h"
#include "udp/socket.h"
#include "web/exchange.h"

namespace quoll::web {

struct ServerOptions {
  std::vector<SocketAddress> listen;
  std::vector<std::shared_ptr<const tls::Identity>> identities;  // certificates, chosen by name; at least one
  size_t workers = 1;
  quic::RetryPolicy retry = quic::RetryPolicy::under_load;
  quic::TransportConfig transport = {};  // h3::prepare() is applied to it
  h3::SessionOptions session = {};
  udp::SocketOptions socket = {};
  size_t max_connections = 100'000;  // for each worker
  bool early_data = true;            // 0-RTT is accepted; handlers see is_early()
  tls::KeyLog* key_log = nullptr;    // called by all workers; outlives the server
  std::string qlog_directory = {};   // empty: no qlog
  /// How long stop() waits for exchanges that are under way.
  Duration drain = Duration::seconds(10);
};

struct ServerStatistics {
  quic::EndpointStatistics endpoint;
  udp::SocketStatistics socket;
  uint64_t connections = 0;  // now
  uint64_t requests = 0;
  uint64_t exchanges = 0;  // open now
};

class Server {
 public:
  /// Binds its sockets; nothing is served before run().
  [[nodiscard]] static Result<std::unique_ptr<Server>> listen(ServerOptions options, Handler handler);
  ~Server();

  /// With the ports that the kernel chose.
  const std::vector<SocketAddress>& addresses() const;
  /// Lines for the operator (udp::Socket::cap_notice()).
  std::vector<std::string> notices() const;
  /// Serves until stop(): blocks. Then GOAWAY, and what is under way gets the time of `drain`.
  [[nodiscard]] Result<void> run();
  /// From any thread, and from signal handlers. A second call ends at once.
  void stop();
  /// New certificates for connections to come, from any thread.
  void set_identities(std::vector<std::shared_ptr<const tls::Identity>> identities);
  /// The sum over workers, from any thread.
  ServerStatistics statistics() const;

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace quoll::web
