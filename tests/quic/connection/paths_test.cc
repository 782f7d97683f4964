// Paths: challenges and responses, migration of the peer and our own (RFC 9000 §8.2, §9).
#include <algorithm>
#include <map>
#include <set>

#include "tests/quic/connection/stage.h"

#include <doctest/doctest.h>

namespace quoll::quic::tests {
namespace {

using T = FrameType;
constexpr Role kBoth[] = {Role::client, Role::server};

constexpr PathData kData = {1, 2, 3, 4, 5, 6, 7, 8};

/// A confirmed connection whose peer has given spare connection ids.
struct Ready : Stage {
  explicit Ready(Role under_test) : Stage(under_test) {}
  void begin() {
    REQUIRE(handshake());
    give_ids(3);
    REQUIRE_FALSE(close());
    advance(Duration::milliseconds(500));
    elsewhere = path;
    elsewhere.remote = address_of("203.0.113.9:4000");
  }
  struct Found {
    CollectedFrame frame;
    SeenDatagram datagram;
    SeenPacket packet;
  };
  std::vector<Found> found(T type, size_t since) const {
    std::vector<Found> all;
    for (size_t i = since; i < seen(); i++) {
      const SeenPacket& packet = puppet->packets()[i];
      if (const CollectedFrame* f = packet.find(type)) {
        all.push_back({*f, puppet->datagrams()[packet.datagram], packet});
      }
    }
    return all;
  }
  void respond(const CollectedFrame& challenge, const Path& on) {
    PathResponseFrame response;
    std::copy_n(challenge.bytes.begin(), 8, response.data.begin());
    send({.frames = frames(response), .size = 1200}, on);
  }
  size_t bytes_to(const SocketAddress& remote, size_t since = 0) const {
    size_t sum = 0;
    for (size_t i = since; i < datagrams(); i++) {
      const SeenDatagram& d = puppet->datagrams()[i];
      if (d.path.remote == remote) sum += d.bytes.size();
    }
    return sum;
  }
  Path elsewhere;
};

/// As many ids, `given` so far, as make up for those that the endpoint has retired.
void give_for_retired(Stage& s, uint8_t& given, const Path& on) {
  const size_t wanted = 3 + s.all(T::retire_connection_id).size();
  while (given < wanted) {
    const uint8_t number = ++given;
    StatelessResetToken token;
    token.fill(number);
    s.send({.frames = frames(NewConnectionIdFrame{
                .sequence_number = number, .connection_id = id_of("spare", number), .stateless_reset_token = token})},
           on);
  }
}

}  // namespace

TEST_SUITE("quic connection: paths") {
  // RFC 9000 §8.2.2, §19.17
  TEST_CASE("PATH_CHALLENGE is answered at once, once, on its path, in a datagram of 1200 bytes") {
    for (const Role role : kBoth) {
      for (const bool other_path : {false, true}) {
        if (role == Role::client && other_path) continue;  // a client knows no other address of a server
        Ready s(role);
        s.begin();
        const Path& on = other_path ? s.elsewhere : s.path;
        const size_t before = s.seen();
        if (other_path) s.change_destination();
        s.send({.frames = frames(PathChallengeFrame{kData}), .size = 1200}, on);
        auto responses = s.found(T::path_response, before);
        REQUIRE_EQ(responses.size(), 1);
        CHECK(responses[0].frame.bytes == Data(kData.begin(), kData.end()));
        CHECK(responses[0].datagram.path == on);
        CHECK_GE(responses[0].datagram.bytes.size(), 1200);
        s.puppet->acknowledges = false;  // not even when it is lost
        s.advance(Duration::seconds(3));
        CHECK_EQ(s.found(T::path_response, before).size(), 1);
      }
    }
  }

  // RFC 9000 §8.2.1, §8.2.2
  TEST_CASE("a small challenge is not dropped, and its response is not expanded beyond the limit of its address") {
    Ready s(Role::server);
    s.begin();
    const size_t before = s.seen();
    const Data small = s.puppet->seal({.frames = frames(PathChallengeFrame{kData})});
    s.deliver(small, s.elsewhere);
    CHECK_EQ(s.found(T::path_response, before).size(), 1);
    CHECK_LE(s.bytes_to(s.elsewhere.remote), 3 * small.size());
    s.send({.frames = frames(PathChallengeFrame{kData})});
    CHECK_EQ(s.found(T::path_response, before).size(), 2);
  }

  // RFC 9000 §9, §9.3, §9.3.3, §8.2.1, §9.5
  TEST_CASE("a peer that moves is followed, challenged at both addresses, and limited until it is validated") {
    Ready s(Role::server);
    s.begin();
    const StreamId id = *s.streams().open(true);
    CHECK(s.streams().write(id, Data(200'000, 1)));
    s.drain();
    s.answer();
    const size_t before = s.seen(), datagrams = s.datagrams();
    s.puppet->answers = false;
    const ConnectionId old_destination = s.puppet->packets().back().destination;
    s.change_destination();
    // All that was sent is acknowledged, so that the old path's window has room for its challenge.
    const PacketNumber last = s.puppet->packets().back().number;
    s.send({.frames = ack_of({{0, last + 1}}) + frames(PingFrame{}), .size = 1200}, s.elsewhere);
    s.advance(Duration::milliseconds(30));
    std::set<Data> challenges;
    bool to_new = false, to_old = false;
    for (const auto& challenge : s.found(T::path_challenge, before)) {
      to_new |= challenge.datagram.path.remote == s.elsewhere.remote;
      to_old |= challenge.datagram.path.remote == s.path.remote;
      CHECK_GE(challenge.datagram.bytes.size(), 1200);
      CHECK(challenges.insert(challenge.frame.bytes).second);  // never the same data
    }
    CHECK(to_new);
    CHECK(to_old);
    CHECK_LE(s.bytes_to(s.elsewhere.remote), 3 * 1200);
    for (size_t i = before; i < s.seen(); i++) {
      const SeenPacket& packet = s.puppet->packets()[i];
      const SeenDatagram& datagram = s.puppet->datagrams()[packet.datagram];
      const bool is_new = datagram.path.remote == s.elsewhere.remote;
      if (is_new) CHECK(packet.destination != old_destination);
      // What is not a probe goes to the new address.
      if (packet.has(T::stream)) CHECK(is_new);
    }
    CHECK_GT(s.datagrams(), datagrams);
    // Validated: data flows there.
    for (const auto& challenge : s.found(T::path_challenge, before)) {
      if (challenge.datagram.path.remote == s.elsewhere.remote) s.respond(challenge.frame, s.elsewhere);
    }
    CHECK_GT(s.bytes_to(s.elsewhere.remote), 3 * 2400);
    CHECK(s.connection()->path().remote == s.elsewhere.remote);
  }

  // RFC 9000 §8.2.2
  TEST_CASE("a response counts on whatever path it comes") {
    Ready s(Role::server);
    s.begin();
    const size_t before = s.seen();
    s.send({.frames = frames(PingFrame{}), .size = 1200}, s.elsewhere);
    for (const auto& challenge : s.found(T::path_challenge, before)) {
      if (challenge.datagram.path.remote != s.elsewhere.remote) continue;
      PathResponseFrame response;
      std::copy_n(challenge.frame.bytes.begin(), 8, response.data.begin());
      // A reordered number, so that the old address does not look like a way back.
      s.puppet->set_next_number(Space::application, s.puppet->next_number(Space::application) + 1);
      s.send({.frames = frames(response), .size = 1200}, s.path);
    }
    s.puppet->answers = false;
    s.advance(Duration::seconds(5));
    CHECK(s.connection()->path().remote == s.elsewhere.remote);  // it did not fail
  }

  // RFC 9000 §5.1.1, §9.5
  TEST_CASE("a peer that moves again and again gets its ids back in time to be answered everywhere") {
    Ready s(Role::server);
    s.begin();
    uint8_t given = 3;
    for (uint16_t move = 0; move < 12; move++) {
      const size_t before = s.seen();
      s.elsewhere.remote.port = static_cast<uint16_t>(4001 + move);
      s.change_destination();
      s.send({.frames = frames(PingFrame{}), .size = 1200}, s.elsewhere);
      CHECK(s.connection()->path().remote == s.elsewhere.remote);
      bool answered = false;
      for (const auto& challenge : s.found(T::path_challenge, before)) {
        answered |= challenge.datagram.path.remote == s.elsewhere.remote;
        s.respond(challenge.frame, s.elsewhere);
      }
      CHECK(answered);
      // It retires what it used no more, and gives as many as it is told that we have retired.
      s.send_frames(RetireConnectionIdFrame{.sequence_number = move}, PingFrame{});
      s.advance(Duration::milliseconds(1));
      give_for_retired(s, given, s.elsewhere);
      REQUIRE_FALSE(s.close());
    }
  }

  // RFC 9000 §8.2, §9.1, §9.5
  TEST_CASE("a peer that probes one address after the other, and stays where it is, is answered from each") {
    Ready s(Role::server);
    s.begin();
    uint8_t given = 3;
    const ConnectionId here = s.puppet->remote;
    for (uint16_t probe = 0; probe < 12; probe++) {
      const size_t before = s.seen();
      s.elsewhere.remote.port = static_cast<uint16_t>(4001 + probe);
      s.change_destination();
      const ConnectionId there = s.puppet->remote;
      bool answered = false;
      for (int attempt = 0; attempt < 2 && !answered; attempt++) {
        s.puppet->remote = there;
        s.puppet->answers = false;  // those go the usual way
        s.send({.frames = frames(PathChallengeFrame{kData}), .size = 1200}, s.elsewhere);
        s.puppet->remote = here;
        s.puppet->answers = true;
        for (const auto& response : s.found(T::path_response, before)) {
          answered |= response.datagram.path.remote == s.elsewhere.remote;
        }
        s.send_frames(PingFrame{});
        give_for_retired(s, given, s.path);
      }
      CHECK(answered);
      s.send_frames(RetireConnectionIdFrame{.sequence_number = probe + 1u}, PingFrame{});
      CHECK(s.connection()->path().remote == s.path.remote);
      REQUIRE_FALSE(s.close());
    }
  }

  // RFC 9000 §9.3.2
  TEST_CASE("when a new address does not answer, the last validated one is used again") {
    Ready s(Role::server);
    s.begin();
    size_t before_move = s.seen();
    s.send({.frames = frames(PingFrame{}), .size = 1200}, s.elsewhere);
    CHECK(s.connection()->path().remote == s.elsewhere.remote);
    for (const auto& challenge : s.found(T::path_challenge, before_move)) {
      if (challenge.datagram.path.remote != s.path.remote) continue;
      PathResponseFrame response;  // alone: a probe, which moves nothing
      std::copy_n(challenge.frame.bytes.begin(), 8, response.data.begin());
      s.send({.frames = frames(response), .size = 1200}, s.path);
    }
    s.puppet->answers = false;
    s.advance(Duration::seconds(5));
    REQUIRE(s.connection());
    CHECK(s.connection()->path().remote == s.path.remote);
    const size_t before = s.datagrams();
    s.connection()->ping();
    s.drain();
    REQUIRE_GT(s.datagrams(), before);
    CHECK(s.puppet->datagrams().back().path.remote == s.path.remote);
    CHECK_FALSE(s.connection()->is_closed());
  }

  // RFC 9000 §9.4
  TEST_CASE("a validated new address begins with a fresh window and RTT, a new port alone does not") {
    for (const bool new_ip : {false, true}) {
      Ready s(Role::server);
      s.begin();
      if (!new_ip) s.elsewhere.remote = address_of("198.51.100.7:50001");
      const StreamId id = *s.streams().open(true);
      for (int i = 0; i < 10; i++) {
        CHECK(s.streams().write(id, Data(20'000, 1)));
        s.advance(Duration::milliseconds(60));
      }
      const Statistics old = s.connection()->statistics();
      REQUIRE_GT(old.congestion_window, 13'000);
      REQUIRE_LT(old.smoothed_rtt, Duration::milliseconds(100));
      const size_t before = s.seen();
      s.send({.frames = frames(PingFrame{}), .size = 1200}, s.elsewhere);
      for (const auto& challenge : s.found(T::path_challenge, before)) {
        if (challenge.datagram.path.remote == s.elsewhere.remote) s.respond(challenge.frame, s.elsewhere);
      }
      REQUIRE(s.connection()->path().remote == s.elsewhere.remote);
      const Statistics now = s.connection()->statistics();
      if (new_ip) CHECK_LE(now.congestion_window, 14'720);
      if (!new_ip) CHECK_GE(now.congestion_window, old.congestion_window);
    }
  }

  // RFC 9000 §9
  TEST_CASE("a peer that moves in spite of disable_active_migration is not reset") {
    Ready s(Role::server);
    s.transport.disable_active_migration = true;
    s.begin();
    s.send({.frames = frames(PingFrame{}), .size = 1200}, s.elsewhere);
    s.advance(Duration::milliseconds(100));
    CHECK_EQ(s.endpoint->statistics().stateless_resets_sent, 0);
    CHECK_FALSE(s.connection()->is_closed());
    CHECK_LE(s.bytes_to(s.elsewhere.remote), 3 * 1200);
  }

  // RFC 9000 §9
  TEST_CASE("a client drops packets from addresses that it does not know") {
    Ready s(Role::client);
    s.begin();
    s.elsewhere.remote = address_of("203.0.113.1:443");
    const PacketNumber number = s.send({.frames = frames(PingFrame{}), .size = 1200}, s.elsewhere);
    s.send({.frames = frames(PathChallengeFrame{kData}), .size = 1200}, s.elsewhere);
    s.advance(Duration::milliseconds(100));
    CHECK_FALSE(s.acknowledged(number));
    CHECK_EQ(s.bytes_to(s.elsewhere.remote), 0);
  }

  // RFC 9000 §9, §18.2
  TEST_CASE("a client migrates only when the handshake is confirmed and the server did not forbid it") {
    Ready early(Role::client);
    early.start();
    early.puppet->sends_done = false;
    early.run();
    REQUIRE(early.event<Connected>());
    CHECK_FALSE(early.connection()->migrate(early.now, address_of("192.0.2.77:1000")));
    Ready forbidden(Role::client);
    forbidden.options.parameters.disable_active_migration = true;
    forbidden.begin();
    CHECK_FALSE(forbidden.connection()->migrate(forbidden.now, address_of("192.0.2.77:1000")));
    forbidden.advance(Duration::seconds(1));
    for (const SeenDatagram& d : forbidden.puppet->datagrams()) CHECK(d.path.local == forbidden.path.local);
  }

  // RFC 9000 §8.2.1, §9.5
  TEST_CASE(
      "a client that migrates probes from its new address with a new connection id, and goes when it is answered") {
    for (const bool answered : {false, true}) {
      Ready s(Role::client);
      s.begin();
      const size_t before = s.seen();
      const SocketAddress local = address_of("192.0.2.77:1000");
      REQUIRE(s.connection()->migrate(s.now, local));
      s.drain();
      const auto challenges = s.found(T::path_challenge, before);
      REQUIRE_GE(challenges.size(), 1);
      CHECK(challenges[0].datagram.path.local == local);
      CHECK_GE(challenges[0].datagram.bytes.size(), 1200);
      if (answered) s.respond(challenges[0].frame, {.local = local, .remote = s.path.remote});
      s.advance(Duration::seconds(5));
      CHECK((s.connection()->path().local == local) == answered);
      CHECK((s.event<Migrated>() != nullptr) == answered);
      CHECK((s.event<MigrationFailed>() != nullptr) == !answered);
      // No connection id from two addresses.
      std::map<Data, SocketAddress> used;
      std::set<Data> data;
      for (const SeenPacket& packet : s.puppet->packets()) {
        const SocketAddress& from = s.puppet->datagrams()[packet.datagram].path.local;
        const Bytes id = packet.destination.bytes();
        const auto [at, fresh] = used.insert({Data(id.begin(), id.end()), from});
        CHECK(at->second == from);
        if (const CollectedFrame* f = packet.find(T::path_challenge)) CHECK(data.insert(f->bytes).second);
      }
      CHECK_EQ(used.size(), 3);  // the first one is the client's invention
    }
  }
}

}  // namespace quoll::quic::tests
