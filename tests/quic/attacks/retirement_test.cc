// Connection ids issued and retired without end (RFC 9000 §5.1.1, §5.1.2, §19.15, §19.16).
#include "quic/path/remote_connection_ids.h"
#include "tests/quic/attacks/attack.h"

#include <map>
#include <set>

#include <doctest/doctest.h>

namespace quoll::quic::tests {
namespace {

using T = FrameType;

NewConnectionIdFrame new_id(uint64_t sequence_number, uint64_t retire_prior_to) {
  std::array<uint8_t, 8> bytes{};
  store_be(bytes.data(), 0xaa00'0000'0000'0000 + sequence_number);
  NewConnectionIdFrame frame{.sequence_number = sequence_number, .retire_prior_to = retire_prior_to};
  frame.connection_id = ConnectionId(bytes);
  store_be(frame.stateless_reset_token.data(), 0xbb00'0000'0000'0000 + sequence_number);
  return frame;
}

/// The ids that the endpoint has announced, by sequence number.
std::map<uint64_t, ConnectionId> announced(const Attack& s) {
  std::map<uint64_t, ConnectionId> all;
  for (const CollectedFrame& f : s.all(T::new_connection_id)) {
    all.emplace(f.numbers[0], ConnectionId(Bytes(f.bytes).first(f.numbers[2])));
  }
  return all;
}

}  // namespace

TEST_SUITE("quic attacks: connection ids") {
  // RFC 9000 §5.1.2, §19.16
  TEST_CASE("a peer that retires ids as fast as they come and acknowledges nothing is given no more") {
    for (const Role role : kBothRoles) {
      Attack s(role);
      auto ids = std::make_shared<NotedConnectionIds>();
      ids->made.reserve(10'000);
      s.endpoint_config.connection_ids = ids;
      REQUIRE(s.handshake());
      s.mark();
      std::set<uint64_t> retired;
      for (int round = 0; round < 500 && s.is_open(); round++) {
        const auto known = announced(s);
        Data out;
        // All but the newest, which carries the packet.
        for (const auto& [sequence, id] : known) {
          if (sequence == known.rbegin()->first || !retired.insert(sequence).second) continue;
          out = out + frames(RetireConnectionIdFrame{.sequence_number = sequence});
        }
        if (round == 0) out = out + frames(RetireConnectionIdFrame{.sequence_number = 0});
        out = out + frames(PingFrame{});
        s.hit_with({.frames = out, .destination = known.rbegin()->second});
        s.now += Duration::milliseconds(1);
      }
      CHECK(s.is_open());
      CHECK_LE(ids->made.size(), kLocalIdsIssuedUnackedMax + kLocalIdsMax + 2);
      CHECK_LE(s.heap, 8 * kSome);
    }
  }

  // RFC 9000 §5.1.1, §5.1.2
  TEST_CASE("a peer that retires ids and acknowledges new ones costs an id for an id, and holds nothing") {
    for (const Role role : kBothRoles) {
      Attack s(role);
      auto ids = std::make_shared<NotedConnectionIds>();
      ids->made.reserve(10'000);
      s.endpoint_config.connection_ids = ids;
      REQUIRE(s.handshake());
      size_t retirements = 0;
      std::set<uint64_t> retired;
      for (int round = 0; round < 1200 && s.is_open(); round++) {
        if (round == 600) s.mark();
        const auto known = announced(s);
        Data out;
        for (const auto& [sequence, id] : known) {
          if (sequence == known.rbegin()->first || !retired.insert(sequence).second) continue;
          out = out + frames(RetireConnectionIdFrame{.sequence_number = sequence});
          retirements++;
        }
        if (round == 0) {
          out = out + frames(RetireConnectionIdFrame{.sequence_number = 0});
          retirements++;
        }
        s.puppet->remote = known.rbegin()->second;
        s.hit_with({.frames = out + frames(PingFrame{})});
        s.reply();
        s.now += Duration::milliseconds(1);
      }
      CHECK(s.is_open());
      CHECK_GT(retirements, 400);
      CHECK_LE(ids->made.size(), retirements + kLocalIdsMax + 2);
      CHECK_LE(s.heap, kSome);
      // What was retired routes nowhere.
      s.puppet->remote = ids->made[1];
      const PacketNumber lost = s.hit_frames(PingFrame{});
      CHECK_FALSE(s.acknowledged(lost));
    }
  }

  // RFC 9000 §19.16
  TEST_CASE("retirements that are repeated without end cost nothing") {
    Attack s(Role::server);
    REQUIRE(s.handshake());
    const auto known = announced(s);
    REQUIRE_FALSE(known.empty());
    s.puppet->remote = known.rbegin()->second;
    Data many;
    for (int i = 0; i < 500; i++) many = many + frames(RetireConnectionIdFrame{.sequence_number = 0});
    for (int i = 0; i < 200; i++) {
      if (i == 100) s.mark();
      s.hit_with({.frames = many});
      s.reply();
    }
    CHECK(s.is_open());
    CHECK_LE(s.heap, kSome);
    CHECK_LE(s.datagrams_out, s.blows);
  }

  // RFC 9000 §5.1.2: … retire_prior_to storms
  TEST_CASE("a storm of new ids that retire all earlier ones ends the connection when nothing is acknowledged") {
    for (const Role role : kBothRoles) {
      Attack s(role);
      REQUIRE(s.handshake());
      s.puppet_hears = false;
      s.mark();
      uint64_t sequence = 1;
      for (; sequence < 5000 && s.is_open(); sequence++) s.hit_frames(new_id(sequence, sequence));
      CHECK_FALSE(s.is_open());
      CHECK_LE(sequence, kRetirementsMax + 4);
      CHECK_LE(s.heap, 8 * kSome);
      REQUIRE(s.closed());
      CHECK_EQ(s.closed()->error_code, static_cast<uint64_t>(TransportError::connection_id_limit_error));
    }
  }

  // RFC 9000 §5.1.2
  TEST_CASE("the same with every retirement acknowledged goes on for ever, and holds nothing") {
    for (const Role role : kBothRoles) {
      Attack s(role);
      REQUIRE(s.handshake());
      for (uint64_t sequence = 1; sequence < 1000 && s.is_open(); sequence++) {
        if (sequence == 500) s.mark();
        s.hit_frames(new_id(sequence, sequence));
        s.reply();
        s.now += Duration::milliseconds(1);
      }
      CHECK(s.is_open());
      CHECK_LE(s.heap, kSome);
      CHECK_LE(s.datagrams_out, 2 * s.blows);
      s.endpoint->check_invariants();
    }
  }

  // RFC 9000 §5.1.1, §5.1.2
  TEST_CASE("one packet full of new ids stays within the limit that was announced, or ends the connection") {
    for (const bool retire : {false, true}) {
      for (const Role role : kBothRoles) {
        Attack s(role);
        REQUIRE(s.handshake());
        Data all;
        for (uint64_t i = 1; i <= 40; i++) all = all + frames(new_id(i, retire ? i : 0));
        s.mark();
        s.hit_with({.frames = all});
        CHECK_FALSE(s.is_open());
        CHECK(s.closed_with(TransportError::connection_id_limit_error));
        CHECK_LE(s.heap, 4 * kSome);
      }
    }
  }

  // RFC 9000 §5.1.2: sequence numbers with gaps
  TEST_CASE("new ids with gaps between their sequence numbers leave bounded memory") {
    for (const Role role : kBothRoles) {
      Attack s(role);
      REQUIRE(s.handshake());
      s.mark();
      for (uint64_t i = 1; i < 1000 && s.is_open(); i++) {
        s.hit_frames(new_id(1000 * i, 1000 * i));
        s.reply();
        s.now += Duration::milliseconds(1);
      }
      CHECK_LE(s.heap, 4 * kSome);
      if (!s.is_open()) {
        REQUIRE(s.closed());
        CHECK(s.closed()->why == Closed::Why::local);
      }
    }
  }

  // RFC 9000 §19.15: a late repetition
  TEST_CASE("an id that was retired and comes again, from the largest of sequence numbers, changes nothing") {
    Attack s(Role::server);
    REQUIRE(s.handshake());
    s.hit_frames(new_id(kVarintMax - 1, kVarintMax - 1));
    s.reply();
    for (int i = 0; i < 200; i++) {
      if (i == 100) s.mark();
      s.hit_frames(new_id(5, 0));
      s.reply();
    }
    CHECK(s.is_open());
    CHECK_LE(s.heap, kSome);
    s.hit_frames(new_id(kVarintMax, kVarintMax));
    CHECK(s.is_open());
  }
}

}  // namespace quoll::quic::tests
