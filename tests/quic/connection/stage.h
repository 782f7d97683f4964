// A stage: an Endpoint under test opposite a Puppet, in memory, on one virtual clock. What the endpoint sends reaches the
// puppet at once; what the puppet answers by itself takes kDelay. A test changes the configurations, calls start() or
// handshake(), and then sends what it wants and looks at what comes.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "quic/endpoint/endpoint.h"
#include "tests/quic/connection/puppet.h"
#include "tests/tls/support.h"

namespace quoll::quic::tests {

inline constexpr Duration kDelay = Duration::milliseconds(20);

SocketAddress address_of(const char* text);

/// Random ids, and a list of those that were made.
class NotedConnectionIds final : public ConnectionIdGenerator {
 public:
  explicit NotedConnectionIds(size_t size = 8) : random_(size) {}
  size_t size() const override { return random_.size(); }
  ConnectionId generate(Rng& rng) override { return made.emplace_back(random_.generate(rng)); }
  std::vector<ConnectionId> made;

 private:
  RandomConnectionIds random_;
};

class Stage {
 public:
  explicit Stage(Role under_test, uint64_t seed = 1);
  ~Stage();

  // To be changed before start().
  EndpointConfig endpoint_config;
  TransportConfig transport;  // of the endpoint under test
  ServerConfig server;        // its tls and transport are filled in from here
  ClientConfig client;
  tls::ServerConfig tls_server;  // of whichever side is the server
  tls::ClientConfig tls_client;
  Puppet::Options options;
  std::optional<ResumptionState> resumption;
  bool early_data = false;

  /// Makes both; the client's first flight waits to be delivered.
  void start();
  /// start() and run(): true when both are complete and the endpoint's handshake is confirmed.
  bool handshake();
  /// Until both are quiet and only timers could change that. Gives up after a hundred rounds.
  void run();
  /// Time passes, with timers and the puppet's answers.
  void advance(Duration time);
  /// The endpoint's outputs go to the puppet and into `events`.
  void drain();
  /// What goes by itself at the puppet, delivered now.
  void answer();

  /// A datagram to the endpoint, now, and what it sends at once in return.
  void deliver(Bytes datagram) { deliver(datagram, path); }
  void deliver(Bytes datagram, const Path& on, Ecn ecn = Ecn::not_ect);
  /// One packet; one in an Initial packet is padded to 1200 bytes.
  PacketNumber send(PuppetPacket packet);
  PacketNumber send(PuppetPacket packet, const Path& on, Ecn ecn = Ecn::not_ect);
  /// Frames in a 1-RTT packet.
  template <class... Frames>
  PacketNumber send_frames(const Frames&... all) {
    return send({.frames = frames(all...)});
  }

  /// Gives the endpoint spare connection ids, id_of("spare", n) with sequence numbers n from 1 to `count`.
  void give_ids(uint8_t count);
  /// The puppet uses the next id that the endpoint issued.
  void change_destination();

  // What came back. `since` counts packets, as seen().
  size_t seen() const { return puppet->packets().size(); }
  size_t datagrams() const { return puppet->datagrams().size(); }
  const CollectedFrame* find(FrameType type, size_t since = 0) const;
  std::vector<CollectedFrame> all(FrameType type, size_t since = 0) const;
  /// The CONNECTION_CLOSE that the endpoint sent, of either kind.
  const CollectedFrame* close() const;
  /// Whether it closed with this code.
  bool closed_with(TransportError code) const;
  /// Whether the endpoint has acknowledged the puppet's packet.
  bool acknowledged(PacketNumber number, Space space = Space::application) const {
    return puppet->acknowledged(space).contains(number);
  }
  /// The last event of a kind.
  template <class T>
  const T* event() const {
    for (size_t i = events.size(); i > 0; i--) {
      if (const auto* general = std::get_if<Event>(&events[i - 1].event)) {
        if (const auto* found = std::get_if<T>(general)) return found;
      }
    }
    return nullptr;
  }
  Connection* connection() { return handle ? endpoint->find(*handle) : nullptr; }
  Streams& streams() { return connection()->streams(); }

  quoll::tests::SeededRng rng;
  tls::tests::Authority authority;
  std::unique_ptr<Endpoint> endpoint;
  std::unique_ptr<Puppet> puppet;
  std::optional<ConnectionHandle> handle;
  std::vector<EndpointEvent> events;
  Instant now = Instant::from_nanoseconds(1'000'000'000);
  Path path;  // as the endpoint sees it

 private:
  void pass(Duration time);

  size_t ids_used_ = 0;

  Role under_test_;
};

}  // namespace quoll::quic::tests
