// Connection: composes the owners of a QUIC connection, for client and server (RFC 9000, 9001, 9002).
//
// Its functions are of four kinds. The application's: streams, datagrams, close, migrate, statistics. Inputs: receive(),
// on_timeout(). Outputs, to be polled until they are empty after any input or use: poll_transmit(), poll_event(),
// poll_route_change(), next_timeout(). And state that tests look at.
//
// An Endpoint owns connections and does all this; nothing else needs the inputs and outputs. The work is cut by verb:
// receive.cc (datagrams to packets), dispatch.cc (frames to owners), transmit.cc (owners to packets), delivery.cc
// (acknowledged and lost), handshake.cc, migrate.cc, close.cc, timers.cc.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "base/net.h"
#include "base/result.h"
#include "base/rng.h"
#include "base/unix_time.h"
#include "crypto/provider.h"
#include "quic/connection/config.h"
#include "quic/connection/event.h"
#include "quic/connection/statistics.h"
#include "quic/path/local_connection_ids.h"
#include "quic/protect/seal_train.h"
#include "quic/wire/packet_header.h"
#include "tls/session.h"

namespace quoll::quic {

/// What connections of an endpoint share; all of it outlives them.
struct ConnectionContext {
  const crypto::Provider* provider = nullptr;
  Rng* rng = nullptr;
  LocalConnectionIds::Source ids;
  /// Makes the tokens of NEW_TOKEN frames for a client's address; null: none are sent.
  class NewTokenSource* new_tokens = nullptr;
  /// Scratch that is used within a call of poll_transmit() and empty outside.
  SealTrain* train = nullptr;
};

/// Makes address validation tokens (RFC 9000 §8.1.3).
class NewTokenSource {
 public:
  virtual ~NewTokenSource() = default;
  /// A token for a later connection from this address in this version: the one that the connection negotiated (RFC 9369
  /// §5).
  virtual std::vector<uint8_t> new_token(UnixTime now, const IpAddress& client, Version version) = 0;
};

/// A change of what routes to a connection.
struct RouteChange {
  enum class Kind : uint8_t { add_id, remove_id, add_reset_token, remove_reset_token };
  Kind kind = Kind::add_id;
  ConnectionId id{};            // of *_id
  StatelessResetToken token{};  // of *_reset_token
};

/// One datagram for a connection: a part of a Buffer, which the caller keeps during the call.
struct ReceivedDatagram {
  MutBytes bytes{};
  Ecn ecn = Ecn::not_ect;
};

class Connection {
 public:
  struct ClientStart {
    std::shared_ptr<const ClientConfig> config;
    Path path;
    std::string_view server_name;  // as tls::ClientOptions
    std::optional<ResumptionState> resumption = {};
    bool early_data = false;  // offer 0-RTT when the resumption state allows it
    TraceSink<TraceEvent>* trace = nullptr;
  };
  /// What a server knows when it accepts a client's first Initial packet.
  struct ServerStart {
    std::shared_ptr<const ServerConfig> config;
    Path path;
    Version version = Version::v1;
    ConnectionId original_destination;           // of the client's first Initial: from the Retry token if there was one
    std::optional<ConnectionId> retry_source{};  // our Source Connection ID of the Retry
    ConnectionId destination;                    // of this Initial packet: keys derive from it
    ConnectionId source;                         // the client's
    bool address_validated = false;              // by a token
    TraceSink<TraceEvent>* trace = nullptr;
  };
  /// An Error for a configuration that cannot work.
  [[nodiscard]] static Result<Connection> connect(Instant now, UnixTime wall_clock, const ConnectionContext& context,
                                                  ClientStart start);
  [[nodiscard]] static Result<Connection> accept(Instant now, const ConnectionContext& context, ServerStart start);
  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;
  ~Connection();

  // The application's.

  Role role() const;
  /// Streams: open, write, read, reset, … (quic/stream/streams.h). Events of streams come by poll_event().
  Streams& streams();
  /// The largest datagram that fits now; empty when the peer takes none.
  std::optional<size_t> max_datagram_size() const;
  /// An Error (usage) for a datagram that cannot be sent at all, false when the queue is full.
  [[nodiscard]] Result<bool> send_datagram(Slice data);
  std::optional<Slice> receive_datagram();
  /// CONNECTION_CLOSE with an application's code (RFC 9000 §10.2). `reason` is cut to kCloseReasonMax bytes.
  void close(Instant now, ApplicationErrorCode error, std::string_view reason);
  /// The same for who has no clock at hand: the closing period begins with the next poll_transmit().
  void close(ApplicationErrorCode error, std::string_view reason);
  /// Client, confirmed: validates the path from `local` to the server and goes over to it (RFC 9000 §9.2). Migrated or
  /// MigrationFailed follows. A usage error when the server forbade it, or there is no spare connection id.
  [[nodiscard]] Result<void> migrate(Instant now, const SocketAddress& local);
  /// New 1-RTT keys now (RFC 9001 §6); a usage error when that is not allowed yet.
  [[nodiscard]] Result<void> update_keys(Instant now);
  /// Something ack-eliciting, so that the peer shows that it is alive.
  void ping();
  /// ICMP said that a datagram to `remote` was too big; `mtu`: UDP payload bytes that would fit. `quoted`: the start of our
  /// datagram that the message quotes, by which it is believed at all (RFC 9000 §14.2.1).
  void on_icmp_too_big(Instant now, const Path& path, uint16_t mtu, Bytes quoted);

  const tls::Negotiated& tls() const;
  /// The leaf that the peer proved to be its own; how it was verified is the TLS configuration's matter. Null before the
  /// handshake is complete (so for 0-RTT, which may be a replay), and where none was shown. A server has that of a client
  /// which it asked for one (mutual TLS) as long as the connection is there, and out of the ticket of a resumed one. A client
  /// has its server's until Confirmed; a resumed one, never.
  const x509::Certificate* peer_certificate() const;
  [[nodiscard]] Result<void> export_keying_material(std::string_view label, Bytes context, MutBytes out) const;
  const TransportParameters* peer_parameters() const;  // null before they are known
  const Path& path() const;
  Version version() const;
  bool is_established() const;  // the handshake is complete
  bool is_confirmed() const;
  bool is_closed() const;  // closing, draining or gone
  Statistics statistics() const;

  // Inputs.

  /// Datagrams that arrived together on one path, each routed here. `buffer` is the memory that they lie in.
  void receive(Instant now, UnixTime wall_clock, const Path& path, std::span<const ReceivedDatagram> datagrams,
               const Buffer& buffer);
  void on_timeout(Instant now);
  /// A datagram ended in the token of this connection's peer (RFC 9000 §10.3.1).
  void on_stateless_reset(Instant now);
  /// Whether `token` is one of the peer's reset tokens, in constant time.
  bool is_reset_token(Bytes token) const;

  // Outputs.

  /// A datagram or a train, in `scratch` (1200 bytes at least; a train as far as it holds several); empty when there is nothing to send now.
  std::optional<Transmit> poll_transmit(Instant now, MutBytes scratch);
  std::optional<Event> poll_event();
  std::optional<RouteChange> poll_route_change();
  Instant next_timeout() const;
  /// Nothing is left to do: the endpoint forgets it once events and route changes are polled.
  bool is_drained() const;

  /// Aborts when something does not hold that always must; for tests and simulations.
  void check_invariants() const;

  /// The state and the work on it, for the parts that are cut by verb.
  struct State;

 private:
  explicit Connection(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace quoll::quic
