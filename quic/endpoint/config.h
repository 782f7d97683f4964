// What an endpoint is configured with: ids, keys, who accepts, what strangers are answered, and limits.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "base/unix_time.h"
#include "quic/connection/config.h"
#include "quic/endpoint/fleet_keys.h"
#include "quic/path/connection_id_generator.h"

namespace quoll::quic {

/// What a server does with a client whose address is not validated (RFC 9000 §8.1).
enum class RetryPolicy : uint8_t { never, under_load, always };

/// The functions in here are called in the midst of the endpoint's work: they must not call it.
struct EndpointConfig {
  /// Makes connection ids; null: random ones of 8 bytes, on an endpoint that is a client only of 4.
  std::shared_ptr<ConnectionIdGenerator> connection_ids = {};
  /// Empty: drawn from the Rng, so good for this endpoint alone.
  std::optional<FleetSecret> secret = {};
  /// Who accepts connections; null: this endpoint is a client only.
  std::shared_ptr<const ServerConfig> server = {};
  /// The application decides about each connection: Offered, then accept(), retry() or refuse(). If not, `server` accepts.
  bool ask_before_accept = false;
  RetryPolicy retry = RetryPolicy::under_load;
  /// under_load: Retry from so many connections in the handshake on, or when the offers that wait are half of the most.
  size_t retry_threshold = 1000;
  Duration retry_token_lifetime = Duration::seconds(15);
  Duration new_token_lifetime = Duration::seconds(7 * 24 * 3600);

  size_t max_connections = 100'000;  // those that are drained, but whose Closed was not polled yet, included
  size_t max_handshakes = 10'000;    // connections that a server accepted and that are not established yet
  size_t max_offered = 256;          // connections that wait for the application's decision
  /// Answers to datagrams that belong to no connection, each second: stateless resets, Version Negotiation, Retry, refusals.
  uint32_t stateless_answers_per_second = 1000;
  /// RFC 9000 §21.11: whether a stateless reset may be sent for an id that no connection here has. False when another
  /// endpoint with the same secret could have it: an attacker could otherwise have the datagrams of a living connection
  /// answered by an endpoint that does not know it. Null: the ids of this length are all ours.
  std::function<bool(const ConnectionId&)> may_reset = {};

  /// The wall clock: the time at an Instant. TLS and tokens need it; it must be there.
  std::function<UnixTime(Instant)> wall_clock = {};
  /// Who gets the trace of a connection; null: nobody. Called when a connection begins; the sink outlives it. A client's
  /// original destination is drawn by the connection, so it is empty here.
  std::function<TraceSink<TraceEvent>*(Role, const ConnectionId& original_destination)> trace = {};
};

}  // namespace quoll::quic
