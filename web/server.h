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

/// For one of several servers that clients reach at one address, through a load balancer or several records in the DNS:
/// each opens what the others gave to clients, so that resumption and address validation work whichever a client meets.
/// Those with one secret trust the same client certificates (tls::ServerConfig::ticket_keys).
struct Fleet {
  /// Random, the same for all, and kept over restarts: tokens, tickets, stateless resets and connection ids hang on it.
  quic::FleetSecret secret;
  /// When the secret came into use, the same for all. Ticket keys change every six hours from then on.
  UnixTime since;
  /// A number of its own for each server. It stands, encrypted, in connection ids, so that a datagram that went astray does
  /// not end another server's connection with a stateless reset (RFC 9000 §21.11).
  uint16_t server = 0;
  /// What sees the 0-RTT of all of them; null: 0-RTT is refused, since a register of one server's own would admit what
  /// was replayed to another (RFC 8446 §8.2).
  std::shared_ptr<tls::AntiReplay> anti_replay = {};
};

struct ServerOptions {
  std::vector<SocketAddress> listen;
  std::vector<std::shared_ptr<const tls::Identity>> identities;  // certificates, chosen by name; at least one
  /// Whether clients are asked for certificates (mutual TLS), and whom they are to come from. A handler finds what a client
  /// showed by exchange.connection()->peer_certificate().
  tls::ClientPolicy client_policy = {};
  std::optional<Fleet> fleet = {};  // empty: the server stands alone
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
  /// Binds its sockets; nothing is served before run(). A usage error for options with which no handshake could succeed: no
  /// certificate, or client certificates that are required but trusted by nobody.
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
