// Endpoint: owns the connections of one socket (or of several, for several local addresses), client and server: routes
// datagrams by connection id, accepts, answers what belongs to no connection, and keeps the timers (RFC 9000 §5.2, §6,
// §8.1, §10.3, §14.1).
//
// Sans-IO and polled. After any of receive(), on_timeout() or a use of a connection: poll_transmit() until it is empty (or
// the socket is full), poll_event() until it is empty, and next_timeout(). Connections are named by handles, which go stale
// and never dangle.
#pragma once

#include <optional>
#include <string_view>
#include <utility>

#include "base/net.h"
#include "quic/connection/connection.h"
#include "quic/endpoint/config.h"
#include "quic/endpoint/connection_handle.h"

namespace quoll::quic {

/// A server's: a client wants to connect. Decide with accept(), retry() or refuse(); undecided offers are refused when
/// there are too many, or after a while.
struct Offered {
  Path path;
  bool address_validated = false;  // by a token
  Version version = Version::v1;
};

using EndpointEventKind = std::variant<Offered, Event>;
struct EndpointEvent {
  ConnectionHandle connection;
  EndpointEventKind event;
};

struct EndpointStatistics {
  uint64_t datagrams_received = 0;
  uint64_t datagrams_dropped = 0;  // for whatever reason below or another
  uint64_t unroutable = 0;
  uint64_t too_small_initials = 0;
  uint64_t invalid_tokens = 0;
  uint64_t retries_sent = 0;
  uint64_t version_negotiations_sent = 0;
  uint64_t stateless_resets_sent = 0;
  uint64_t stateless_resets_received = 0;
  uint64_t refused = 0;
  uint64_t answers_suppressed = 0;  // by the rate limit
  uint64_t accepted = 0;
  uint64_t connected = 0;
};

class Endpoint {
 public:
  /// `provider` and `rng` outlive the endpoint.
  Endpoint(EndpointConfig config, const crypto::Provider& provider, Rng& rng);
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;
  ~Endpoint();

  struct ConnectOptions {
    std::string_view server_name;
    std::optional<ResumptionState> resumption = {};
    bool early_data = false;
  };
  [[nodiscard]] Result<ConnectionHandle> connect(Instant now, std::shared_ptr<const ClientConfig> config,
                                                 const Path& path, ConnectOptions options);
  /// Answers to Offered. A null config means EndpointConfig::server. Usage errors for handles that are no offer.
  [[nodiscard]] Result<void> accept(Instant now, ConnectionHandle offer,
                                    std::shared_ptr<const ServerConfig> config = {});
  [[nodiscard]] Result<void> retry(Instant now, ConnectionHandle offer);
  [[nodiscard]] Result<void> refuse(Instant now, ConnectionHandle offer);

  /// The connection of a handle, to be used until the next call of the endpoint; null when it is gone.
  Connection* find(ConnectionHandle handle);
  /// To look at it, as for statistics: costs nothing at the next poll.
  const Connection* find(ConnectionHandle handle) const;

  void receive(Instant now, Received received);
  void on_timeout(Instant now);
  std::optional<Transmit> poll_transmit(Instant now, MutBytes scratch);
  std::optional<EndpointEvent> poll_event();
  Instant next_timeout() const;

  /// Closes all connections with the code, and accepts no more.
  void close(Instant now, ApplicationErrorCode error, std::string_view reason);
  size_t connections() const;
  const EndpointStatistics& statistics() const;
  void check_invariants() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace quoll::quic
