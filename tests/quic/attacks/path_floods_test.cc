// Floods of path frames: PATH_CHALLENGE, PATH_RESPONSE, and packets from many addresses (RFC 9000 §8.2, §9.3, §21.5).
#include "quic/path/path_validation.h"
#include "tests/quic/attacks/attack.h"

#include <map>
#include <string>

#include <doctest/doctest.h>

namespace quoll::quic::tests {
namespace {

using T = FrameType;

PathData data_of(uint64_t number) {
  PathData data{};
  store_be(data.data(), number);
  return data;
}

}  // namespace

TEST_SUITE("quic attacks: paths") {
  // RFC 9000 §8.2.2, §21.9
  TEST_CASE("a packet full of PATH_CHALLENGE is answered by few PATH_RESPONSE") {
    for (const Role role : kBothRoles) {
      Attack s(role);
      REQUIRE(s.handshake());
      Data all;
      for (uint64_t i = 0; i < 120; i++) all = all + frames(PathChallengeFrame{.data = data_of(i)});
      const size_t before = s.seen();
      s.mark();
      s.hit_with({.frames = all});
      CHECK_LE(s.all(T::path_response, before).size(), PathResponses::kMax);
      CHECK_LE(s.datagrams_out, PathResponses::kMax + 1);
      CHECK(s.is_open());
    }
  }

  // RFC 9000 §8.2.2: … unless constrained by congestion control
  TEST_CASE("a flood of PATH_CHALLENGE that is never acknowledged leaves memory and bytes in flight bounded") {
    for (const Role role : kBothRoles) {
      Attack s(role);
      REQUIRE(s.handshake());
      s.puppet_hears = false;
      s.mark();
      for (uint64_t i = 0; i < 5000; i++) {
        s.hit_frames(PathChallengeFrame{.data = data_of(i)});
        s.now += Duration::milliseconds(1);
      }
      CHECK(s.is_open());
      const Statistics statistics = s.connection()->statistics();
      CHECK_LE(statistics.bytes_in_flight, statistics.congestion_window + 2 * 1200);
      CHECK_LE(s.heap, kUnansweredMemory);
      CHECK_LE(s.datagrams_out, 3 * s.blows);
    }
  }

  // RFC 9000 §8.2.2
  TEST_CASE("a flood of PATH_CHALLENGE that is acknowledged holds nothing") {
    for (const Role role : kBothRoles) {
      Attack s(role);
      REQUIRE(s.handshake());
      for (uint64_t i = 0; i < 1000; i++) {
        if (i == 500) s.mark();
        s.hit_frames(PathChallengeFrame{.data = data_of(i)});
        s.reply();
        s.now += Duration::milliseconds(1);
      }
      CHECK(s.is_open());
      CHECK_LE(s.heap, kSome);
      CHECK_LE(s.datagrams_out, 3 * s.blows);
    }
  }

  // RFC 9000 §8.2.1, §8.2.2, §9.3.1, §21.1.1.1
  TEST_CASE("PATH_CHALLENGE from addresses that are not validated is answered with three times the bytes at most") {
    for (const size_t size : {size_t{0}, size_t{100}, size_t{1200}}) {
      Attack s(Role::server);
      auto ids = std::make_shared<NotedConnectionIds>();
      s.endpoint_config.connection_ids = ids;
      REQUIRE(s.handshake());
      const size_t first = s.datagrams();
      std::map<std::string, uint64_t> sent, got;
      for (uint32_t i = 0; i < 300; i++) {
        const Path from{.local = s.path.local, .remote = stranger(i % 60)};
        const Data packet = s.puppet->seal({.frames = frames(PathChallengeFrame{.data = data_of(i)}),
                                            .destination = ids->made[i % ids->made.size()],
                                            .size = size});
        sent[from.remote.to_string()] += packet.size();
        s.hit(packet, from);
        s.now += Duration::milliseconds(1);
      }
      s.wait(Duration::seconds(2));
      CHECK(s.is_open());
      for (size_t i = first; i < s.datagrams(); i++) {
        const SeenDatagram& seen = s.puppet->datagrams()[i];
        if (seen.path.remote != s.path.remote) got[seen.path.remote.to_string()] += seen.bytes.size();
      }
      for (const auto& [address, bytes] : got) CHECK_LE(bytes, 3 * sent[address]);
    }
  }

  // RFC 9000 §8.2.3
  TEST_CASE("PATH_RESPONSE that answers nothing changes nothing") {
    for (const Role role : kBothRoles) {
      Attack s(role);
      REQUIRE(s.handshake());
      for (uint64_t i = 0; i < 2000; i++) {
        if (i == 1000) s.mark();
        s.hit_frames(PathResponseFrame{.data = data_of(i)});
        if (i % 16 == 0) s.reply();
      }
      CHECK(s.is_open());
      CHECK_LE(s.heap, kSome);
      CHECK_LE(s.datagrams_out, s.blows);
      CHECK_EQ(s.connection()->statistics().migrations, 0);
    }
  }

  // RFC 9000 §9.3, §9.3.1, §21.1.1.1
  TEST_CASE("packets with one id from many addresses: few paths, three times the bytes for each address") {
    Attack s(Role::server);
    REQUIRE(s.handshake());
    const size_t first = s.datagrams();
    std::map<std::string, uint64_t> sent, got;
    std::optional<PathData> to_answer;
    constexpr uint32_t kAddresses = 1000;
    for (uint32_t i = 0; i < kAddresses; i++) {
      if (i == kAddresses / 2) s.mark();
      const Path from{.local = s.path.local, .remote = stranger(i)};
      const Data packet = s.puppet->seal({.frames = frames(PingFrame{})});
      sent[from.remote.to_string()] += packet.size();
      s.hit(packet, from);
      if (i == 0) {
        // The honest peer is still where it was.
        for (const SeenPacket& seen : s.puppet->packets()) {
          const CollectedFrame* f = seen.find(T::path_challenge);
          if (!f || s.puppet->datagrams()[seen.datagram].path.remote != s.path.remote) continue;
          PathData data{};
          copy_bytes(data.data(), f->bytes);
          to_answer = data;
        }
        REQUIRE(to_answer);
        s.hit_frames(PathResponseFrame{.data = *to_answer});
      }
      s.now += Duration::microseconds(200);
    }
    // Packets that nobody acknowledges are remembered, small as they are.
    CHECK_LE(s.heap, static_cast<int64_t>(96 * s.blows));
    s.wait(Duration::seconds(10));
    REQUIRE(s.is_open());
    for (size_t i = first; i < s.datagrams(); i++) {
      const SeenDatagram& seen = s.puppet->datagrams()[i];
      if (seen.path.remote != s.path.remote) got[seen.path.remote.to_string()] += seen.bytes.size();
    }
    for (const auto& [address, bytes] : got) CHECK_LE(bytes, 3 * sent[address]);
    // The one address that was validated is where it goes on in the end.
    CHECK(s.connection()->path().remote == s.path.remote);
    // And what was remembered is bounded whatever comes.
    CHECK_LE(s.heap, kUnansweredMemory);
  }

  // RFC 9000 §9.3.2, §9.3.3
  TEST_CASE("a packet of a quiet peer that somebody forwards from elsewhere does not take the connection away") {
    Attack s(Role::server);
    REQUIRE(s.handshake());
    s.mark();
    const size_t first = s.seen();
    s.hit_with({.frames = frames(PingFrame{})}, {.local = s.path.local, .remote = stranger(1)});
    // The challenge to the old address is answered, that to the new one is not.
    std::optional<PathData> to_answer;
    for (size_t i = first; i < s.seen(); i++) {
      const SeenPacket& seen = s.puppet->packets()[i];
      const CollectedFrame* f = seen.find(T::path_challenge);
      if (!f || s.puppet->datagrams()[seen.datagram].path.remote != s.path.remote) continue;
      to_answer.emplace();
      copy_bytes(to_answer->data(), f->bytes);
    }
    REQUIRE(to_answer);
    s.hit_frames(PathResponseFrame{.data = *to_answer});
    s.wait(Duration::seconds(10));
    REQUIRE(s.is_open());
    CHECK(s.connection()->path().remote == s.path.remote);
    const PacketNumber number = s.hit_frames(PingFrame{});
    s.wait(Duration::seconds(1));
    CHECK(s.acknowledged(number));
  }

  // RFC 9000 §9.3.1, §9.5
  TEST_CASE("a storm of migrations with other ids each uses up the ids that the peer gave, and no more") {
    Attack s(Role::server);
    auto ids = std::make_shared<NotedConnectionIds>();
    ids->made.reserve(10'000);
    s.endpoint_config.connection_ids = ids;
    REQUIRE(s.handshake());
    for (uint32_t i = 0; i < 1000; i++) {
      if (i == 500) s.mark();
      const Path from{.local = s.path.local, .remote = stranger(i)};
      // Whatever id is known, in use or retired.
      s.hit_with({.frames = frames(PingFrame{}), .destination = ids->made[i % ids->made.size()]}, from);
      s.now += Duration::microseconds(200);
    }
    CHECK(s.is_open());
    CHECK_LE(s.heap, kUnansweredMemory);
    CHECK_LE(s.datagrams_out, 4 * s.blows);
    CHECK_LE(ids->made.size(), 40);
  }

  // RFC 9000 §9.3.2
  TEST_CASE("a peer that goes to and fro between two addresses makes us send no more than it sends") {
    Attack s(Role::server);
    REQUIRE(s.handshake());
    const Path other{.local = s.path.local, .remote = stranger(1)};
    s.puppet_hears = false;
    s.mark();
    for (uint32_t i = 0; i < 2000; i++) {
      s.hit_with({.frames = frames(PingFrame{})}, i % 2 == 0 ? other : s.path);
      s.now += Duration::milliseconds(1);
    }
    CHECK(s.is_open());
    CHECK_LE(s.heap, kUnansweredMemory);
    CHECK_LE(s.datagrams_out, 3 * s.blows);
    const Statistics statistics = s.connection()->statistics();
    CHECK_LE(statistics.bytes_in_flight, statistics.congestion_window + 2 * 1200);
  }

  // RFC 9000 §9, §9.6
  TEST_CASE("a client takes no packet from an address that is not its server's") {
    Attack s(Role::client);
    REQUIRE(s.handshake());
    s.mark();
    for (uint32_t i = 0; i < 500; i++) {
      s.hit_with({.frames = frames(PathChallengeFrame{.data = data_of(i)})},
                 {.local = s.path.local, .remote = stranger(i)});
    }
    CHECK_EQ(s.datagrams_out, 0);
    CHECK_LE(s.heap, kSome);
    CHECK(s.is_open());
  }
}

}  // namespace quoll::quic::tests
