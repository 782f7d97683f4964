// The server's preferred address, from both sides (RFC 9000 §9.6, §18.2, §21.5.3).
#include <algorithm>

#include "tests/quic/connection/stage.h"

#include <doctest/doctest.h>

namespace quoll::quic::tests {
namespace {

using T = FrameType;

const SocketAddress kPreferred = address_of("203.0.113.50:4433");

/// A client whose server prefers another address.
struct Invited : Stage {
  Invited() : Stage(Role::client) {
    options.amend = [](TransportParameters& p) {
      p.preferred_address = PreferredAddress{.ipv4 = kPreferred, .connection_id = id_of("prefer")};
    };
    path = {.local = address_of("192.0.2.1:50000"), .remote = address_of("198.51.100.7:443")};
  }
  bool to_preferred(const SeenPacket& packet) const {
    return puppet->datagrams()[packet.datagram].path.remote == kPreferred;
  }
  const CollectedFrame* challenge() const {
    for (const SeenPacket& packet : puppet->packets()) {
      if (to_preferred(packet) && packet.has(T::path_challenge)) return packet.find(T::path_challenge);
    }
    return nullptr;
  }
};

/// A server that prefers another address.
struct Inviting : Stage {
  Inviting() : Stage(Role::server) {
    server.preferred_ipv4 = kPreferred;
    preferred = {.local = kPreferred, .remote = path.remote};
  }
  Path preferred;
};

}  // namespace

TEST_SUITE("quic connection: preferred address") {
  // RFC 9000 §9.6.2, §9.6.3, §21.5.3
  TEST_CASE("a client validates the preferred address with probes alone, then moves there") {
    Invited s;
    REQUIRE(s.handshake());
    s.connection()->ping();
    s.advance(Duration::milliseconds(50));
    REQUIRE(s.challenge());
    for (const SeenPacket& packet : s.puppet->packets()) {
      if (!s.to_preferred(packet)) continue;
      CHECK(packet.destination == id_of("prefer"));
      for (const CollectedFrame& f : packet.frames) CHECK(traits_of(f.type).probing);
    }
    PathResponseFrame response;
    std::copy_n(s.challenge()->bytes.begin(), 8, response.data.begin());
    s.send({.frames = frames(response), .size = 1200}, {.local = s.path.local, .remote = kPreferred});
    s.connection()->ping();
    s.drain();
    CHECK(s.connection()->path().remote == kPreferred);
    const size_t before = s.seen();
    s.connection()->ping();
    s.advance(Duration::seconds(3));
    REQUIRE_GT(s.seen(), before);
    for (size_t i = before; i < s.seen(); i++) CHECK(s.to_preferred(s.puppet->packets()[i]));
  }

  // RFC 9000 §9.6.1
  TEST_CASE("a client stays where it was when the preferred address does not answer") {
    Invited s;
    REQUIRE(s.handshake());
    s.advance(Duration::seconds(10));
    REQUIRE(s.challenge());
    CHECK(s.connection()->path().remote == s.path.remote);
    const size_t before = s.seen();
    s.connection()->ping();
    s.advance(Duration::seconds(1));
    REQUIRE_GT(s.seen(), before);
    for (size_t i = before; i < s.seen(); i++) CHECK_FALSE(s.to_preferred(s.puppet->packets()[i]));
  }

  // RFC 9000 §9.6.2
  TEST_CASE("a preferred address is not remembered for another connection") {
    Invited s;
    REQUIRE(s.handshake());
    s.send_frames(NewTokenFrame{.token = Data{1, 2, 3}});
    const auto* kept = s.event<ResumptionReceived>();
    REQUIRE(kept);
    CHECK_FALSE(kept->state.parameters.preferred_address);
  }

  // RFC 9000 §18.2
  TEST_CASE("a preferred address comes with a connection id, and not from servers with empty ones") {
    Inviting s;
    REQUIRE(s.handshake());
    const auto& preferred = s.puppet->peer_parameters()->preferred_address;
    REQUIRE(preferred);
    CHECK(preferred->ipv4 == kPreferred);
    CHECK_FALSE(preferred->connection_id.empty());
    Inviting empty;
    empty.endpoint_config.connection_ids = std::make_shared<RandomConnectionIds>(0);
    empty.handshake();
    REQUIRE(empty.puppet->peer_parameters());
    CHECK_FALSE(empty.puppet->peer_parameters()->preferred_address);
  }

  // RFC 9000 §9.6.2
  TEST_CASE("a server stays at its original address until the client has moved, and probes from the preferred one") {
    Inviting s;
    REQUIRE(s.handshake());
    s.give_ids(3);
    s.connection()->ping();
    s.advance(Duration::milliseconds(200));
    for (const SeenDatagram& d : s.puppet->datagrams()) CHECK(d.path.local == s.path.local);
    const ConnectionId preferred_id = s.puppet->peer_parameters()->preferred_address->connection_id;
    const size_t before = s.seen();
    const auto sent_from = [&](size_t since, bool preferred, auto wanted) {
      for (size_t i = since; i < s.seen(); i++) {
        const SeenPacket& packet = s.puppet->packets()[i];
        if ((s.puppet->datagrams()[packet.datagram].path.local == kPreferred) != preferred) continue;
        for (const CollectedFrame& f : packet.frames) {
          if (wanted(f.type)) return true;
        }
      }
      return false;
    };
    const auto moves = [](T type) { return !traits_of(type).probing && type != T::ack; };
    // A probe moves nothing; the answer comes from there.
    s.send({.frames = frames(PathChallengeFrame{{1}}), .destination = preferred_id, .size = 1200}, s.preferred);
    s.connection()->ping();
    s.drain();
    CHECK(sent_from(before, true, [](T type) { return type == T::path_response; }));
    // RFC 9000 §9.6.3
    CHECK(sent_from(before, true, [](T type) { return type == T::path_challenge; }));
    CHECK_FALSE(sent_from(before, true, moves));
    // The client goes there: a challenge comes from there, and nothing else until it is answered.
    s.send({.frames = frames(PingFrame{}), .destination = preferred_id, .size = 1200}, s.preferred);
    s.connection()->ping();
    s.drain();
    CHECK_FALSE(sent_from(before, true, moves));
    CHECK(sent_from(before, false, moves));
    const CollectedFrame* challenge = nullptr;
    for (size_t i = before; i < s.seen(); i++) {
      const SeenPacket& packet = s.puppet->packets()[i];
      const bool is_there = s.puppet->datagrams()[packet.datagram].path.local == kPreferred;
      if (is_there && packet.has(T::path_challenge)) challenge = packet.find(T::path_challenge);
    }
    REQUIRE(challenge);
    PathResponseFrame response;
    std::copy_n(challenge->bytes.begin(), 8, response.data.begin());
    s.send({.frames = frames(response, PingFrame{}), .destination = preferred_id, .size = 1200}, s.preferred);
    s.connection()->ping();
    s.drain();
    CHECK(s.connection()->path().local == kPreferred);
    CHECK(sent_from(before, true, moves));
  }

  // RFC 9000 §9.6.3
  TEST_CASE("a server validates the address that a client probes from, in the packet that answers the probe") {
    Inviting s;
    REQUIRE(s.handshake());
    s.give_ids(3);
    const ConnectionId preferred_id = s.puppet->peer_parameters()->preferred_address->connection_id;
    const size_t before = s.seen();
    s.send({.frames = frames(PathChallengeFrame{{1}}), .destination = preferred_id, .size = 1200}, s.preferred);
    s.drain();
    REQUIRE_GT(s.seen(), before);
    const SeenPacket& answer = s.puppet->packets()[before];
    CHECK(answer.has(T::path_response));
    REQUIRE(answer.has(T::path_challenge));
    PathResponseFrame response;
    std::copy_n(answer.find(T::path_challenge)->bytes.begin(), 8, response.data.begin());
    s.send({.frames = frames(response), .destination = preferred_id, .size = 1200}, s.preferred);
    CHECK(s.connection()->path().local == s.path.local);  // probes move nothing
    // The client comes, and data follows it at once.
    const size_t moved = s.seen();
    s.send({.frames = frames(PingFrame{}), .destination = preferred_id}, s.preferred);
    s.connection()->ping();
    s.drain();
    CHECK(s.connection()->path().local == kPreferred);
    REQUIRE_GT(s.seen(), moved);
    for (size_t i = moved; i < s.seen(); i++) {
      const SeenPacket& packet = s.puppet->packets()[i];
      const bool is_there = s.puppet->datagrams()[packet.datagram].path.local == kPreferred;
      CHECK_FALSE((is_there && packet.has(T::path_challenge)));
    }
  }

  // RFC 9000 §9.6.3
  TEST_CASE("a client that comes to the preferred address from elsewhere is limited until it is validated") {
    Inviting s;
    REQUIRE(s.handshake());
    s.give_ids(3);
    const StreamId id = *s.streams().open(true);
    CHECK(s.streams().write(id, Data(100'000, 1)));
    Path moved = s.preferred;
    moved.remote = address_of("203.0.113.99:1");
    const ConnectionId preferred_id = s.puppet->peer_parameters()->preferred_address->connection_id;
    const Data packet = s.puppet->seal({.frames = frames(PingFrame{}), .destination = preferred_id, .size = 1200});
    s.deliver(packet, moved);
    s.puppet->answers = false;
    s.advance(Duration::seconds(1));
    size_t bytes = 0;
    for (const SeenDatagram& d : s.puppet->datagrams()) {
      if (d.path.remote == moved.remote) bytes += d.bytes.size();
    }
    CHECK_GT(bytes, 0);
    CHECK_LE(bytes, 3 * packet.size());
  }
}

}  // namespace quoll::quic::tests
