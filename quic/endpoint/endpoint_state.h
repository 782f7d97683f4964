// The inside of an Endpoint: its connections, what routes to them, and who waits for what. Only the endpoint's own
// sources include this; they are cut by verb: endpoint_receive.cc (datagrams to connections), endpoint_accept.cc (first
// packets to connections or answers), endpoint_poll.cc (outputs and timers), endpoint.cc (the application's side).
//
// A slot holds an offer or a connection. It is in up to three lists: of those that may have something to transmit, that
// may have events, and that are to be settled. Whoever gives a connection an input or lends it to the application puts
// it into all three (touch()). Settling follows up what may have changed: routes, the timer, the count of handshakes,
// and that a connection is drained. It runs at the beginning of receive(), on_timeout() and next_timeout() and nowhere
// else: these are the only calls that make handles stale, except where the application itself ends an offer.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/intrusive_list.h"
#include "base/slab.h"
#include "quic/endpoint/address_token.h"
#include "quic/endpoint/connection_table.h"
#include "quic/endpoint/endpoint.h"
#include "quic/endpoint/stateless_answers.h"
#include "quic/endpoint/timer_queue.h"

namespace quoll::quic {

/// Datagrams that wait with an offer, so that 0-RTT and the rest of a large ClientHello are not lost. They are copied:
/// an undecided offer must not pin buffers of the socket's pool.
inline constexpr size_t kHeldDatagramsMax = 4;
inline constexpr size_t kHeldBytesMax = 8 * 1024;
/// An undecided offer is refused after so long; the client would give up before much longer.
inline constexpr Duration kOfferLifetime = Duration::seconds(5);
/// Routes of a connection: its ids and those that the peer has not retired yet, the peer's reset tokens, the client's
/// first destination, its addresses. A connection that tries to have more is not routed by them.
inline constexpr size_t kRoutesPerConnectionMax = 64;
/// Draws of a connection id until one is free.
inline constexpr int kIdDrawsMax = 16;
/// RFC 9000 §7.2: of the connection id that a client chooses for its first Initial packet.
inline constexpr size_t kInitialDestinationSizeMin = 8;

struct HeldDatagram {
  Buffer data;
  Ecn ecn = Ecn::not_ect;
};

/// What a client's first Initial packet says, judged.
struct ConnectionAttempt {
  Path path;
  Version version = Version::v1;
  ConnectionId original_destination;
  std::optional<ConnectionId> retry_source{};  // after our Retry
  ConnectionId destination;
  ConnectionId source;
  bool address_validated = false;
};

/// An attempt that waits for the application's decision.
struct Offer {
  ConnectionAttempt attempt;
  std::vector<HeldDatagram> held;
  size_t held_bytes = 0;
  bool announced = false;
};

struct TransmitTag;
struct EventTag;
struct SettleTag;

struct ConnectionSlot : ListHook<TransmitTag>, ListHook<EventTag>, ListHook<SettleTag>, TimerHook {
  // One of the two.
  std::unique_ptr<Offer> offer;
  std::optional<Connection> connection;

  std::vector<RouteKey> routes;
  /// A server's: how the client's first packets are routed, and the key that the same id would have as one of ours.
  RouteKey initial_route{};
  RouteKey initial_id{};
  bool handshaking = false;  // a server's, counted in State::handshakes
  bool established = false;
};

/// The configured generator, but it draws again when an id is in use, and gives an empty one when it always is.
class FreeConnectionIds final : public ConnectionIdGenerator {
 public:
  FreeConnectionIds(std::shared_ptr<ConnectionIdGenerator> generator, const ConnectionTable& table)
      : generator_(std::move(generator)), table_(table), size_(generator_->size()) {}
  size_t size() const override { return size_; }
  ConnectionId generate(Rng& rng) override;

 private:
  std::shared_ptr<ConnectionIdGenerator> generator_;
  const ConnectionTable& table_;
  size_t size_;
};

struct Endpoint::State {
  State(EndpointConfig configuration, const crypto::Provider& crypto_provider, Rng& random);

  /// What all datagrams of a train have in common.
  struct Arrival {
    Instant now;
    UnixTime wall;
    const Path& path;
    Ecn ecn = Ecn::not_ect;
    const Buffer& buffer;
  };
  /// Datagrams for one connection, one after the other.
  struct Run {
    ConnectionSlot* slot = nullptr;
    Bytes id{};  // of the last short header, empty for others
    size_t size = 0;
    std::array<ReceivedDatagram, kOpenBatchMax> datagrams;
  };

  // endpoint_receive.cc
  void receive(Instant now, Received& received);
  void on_datagram(const Arrival& arrival, Run& run, MutBytes datagram);
  void append(const Arrival& arrival, Run& run, ConnectionSlot& slot, MutBytes datagram);
  void flush(const Arrival& arrival, Run& run);
  void deliver(const Arrival& arrival, ConnectionSlot& slot, std::span<const ReceivedDatagram> datagrams);
  ConnectionSlot* route(const InvariantHeader& header, const Path& path);
  ConnectionSlot* route_by_address(const Path& path);
  void on_unrouted(const Arrival& arrival, const InvariantHeader& header, MutBytes datagram);
  bool is_stateless_reset(const Arrival& arrival, Bytes datagram);
  void on_unknown_short(const Arrival& arrival, const InvariantHeader& header, Bytes datagram);
  void on_unknown_long(const Arrival& arrival, const InvariantHeader& header, MutBytes datagram);
  void drop() { statistics.datagrams_dropped++; }

  // endpoint_accept.cc
  void on_initial(const Arrival& arrival, const ProtectedPacket& packet, MutBytes datagram);
  bool wants_retry() const;
  bool has_room() const;
  void negotiate_version(const Arrival& arrival, const InvariantHeader& header, size_t datagram_size);
  void make_offer(const Arrival& arrival, const ConnectionAttempt& attempt, MutBytes datagram);
  void hold(const Arrival& arrival, Offer& offer, Bytes datagram);
  void accept_first(const Arrival& arrival, const ConnectionAttempt& attempt, MutBytes datagram);
  Result<void> start(Instant now, ConnectionSlot& slot, const ConnectionAttempt& attempt,
                     std::shared_ptr<const ServerConfig> server);
  Result<void> accept_offer(Instant now, ConnectionSlot& slot, std::shared_ptr<const ServerConfig> server);
  bool send_retry(Instant now, const ConnectionAttempt& attempt);
  void send_refusal(Instant now, const ConnectionAttempt& attempt, TransportError error);
  void refuse_offer(Instant now, ConnectionSlot& slot);
  ConnectionSlot* find_offer(ConnectionHandle handle);

  // endpoint_poll.cc
  void on_timeout(Instant now);
  std::optional<Transmit> poll_transmit(Instant now, MutBytes scratch);
  std::optional<EndpointEvent> poll_event();
  void touch(ConnectionSlot& slot);
  void after_input(ConnectionSlot& slot);
  void settle();
  void settle(ConnectionSlot& slot);
  void apply_route_changes(ConnectionSlot& slot);
  bool add_route(ConnectionSlot& slot, RouteKey key);
  void remove_route(ConnectionSlot& slot, RouteKey key);
  void erase(ConnectionSlot& slot);

  void check_invariants();

  EndpointConfig config;
  const crypto::Provider& provider;
  Rng& rng;
  ConnectionTable table;
  FreeConnectionIds ids;
  std::optional<FleetResetTokens> reset_tokens;
  std::optional<AddressTokens> tokens;
  StatelessAnswers answers;
  SealTrain train;
  ConnectionContext context;

  Slab<ConnectionSlot> slots;
  IntrusiveList<ConnectionSlot, TransmitTag> to_transmit;
  IntrusiveList<ConnectionSlot, EventTag> with_events;
  IntrusiveList<ConnectionSlot, SettleTag> to_settle;
  TimerQueue<ConnectionSlot> timers;

  EndpointStatistics statistics;
  size_t connections = 0;
  size_t handshakes = 0;
  size_t offers = 0;
  bool closed = false;
};

}  // namespace quoll::quic
