// Packets as a weapon: coalesced garbage, packets before their keys, key updates, DATAGRAM and NEW_TOKEN without end,
// Retry and Version Negotiation that nobody sent (RFC 9000 §6, §12.2, §17.2.5, §21; RFC 9001 §5.7, §6, §9; RFC 9221).
#include "quic/connection/state.h"
#include "tests/quic/attacks/attack.h"

#include <doctest/doctest.h>

namespace quoll::quic::tests {
namespace {

using T = FrameType;

/// A long header packet with nothing right behind it, as small as one can be.
Data tiny(PacketType type, const ConnectionId& destination, const ConnectionId& source, size_t payload) {
  Data out(200);
  Writer writer(out);
  const HeaderPlaces places = write_long_header(
      writer, {.type = type, .version = Version::v1, .destination = destination.bytes(), .source = source.bytes()},
      {.number = 1, .size = 4});
  writer.zeros(payload);
  finish_long_header(writer, places, 0);
  out.resize(writer.size());
  return out;
}

}  // namespace

TEST_SUITE("quic attacks: packets") {
  // RFC 9000 §12.2, §21.9
  TEST_CASE("hundreds of tiny packets in a datagram, alone or behind a good one, are passed over") {
    for (const Role role : kBothRoles) {
      for (const PacketType type : {PacketType::initial, PacketType::zero_rtt, PacketType::handshake}) {
        Attack s(role);
        s.start();
        s.drain();
        if (role == Role::server) s.answer();
        Data garbage;
        while (garbage.size() < 60'000) garbage = garbage + tiny(type, s.puppet->remote, s.puppet->id(), 20);
        s.puppet_hears = false;
        for (int i = 0; i < 20; i++) {
          if (i == 10) s.mark();
          s.hit(garbage);
          const Data good = s.puppet->seal({.type = PacketType::initial, .frames = frames(PingFrame{}), .size = 1200});
          s.hit(good + Data(garbage.begin(), garbage.begin() + 50'000));
        }
        CHECK_FALSE(s.closed());
        CHECK_LE(s.heap, 4 * kSome);
        CHECK_LE(s.datagrams_out, 2 * s.blows + 10);
        CHECK_LE(s.bytes_out, 3 * s.bytes_in);
      }
      Attack s(role);
      REQUIRE(s.handshake());
      Data garbage;
      while (garbage.size() < 60'000)
        garbage = garbage + tiny(PacketType::handshake, s.puppet->remote, s.puppet->id(), 20);
      for (int i = 0; i < 20; i++) {
        if (i == 10) s.mark();
        s.hit(garbage);
      }
      CHECK(s.is_open());
      CHECK_LE(s.heap, kSome);
      CHECK_EQ(s.datagrams_out, 0);
    }
  }

  // RFC 9001 §5.7; RFC 9000 §5.7
  TEST_CASE("packets that cannot be opened yet are kept up to a limit") {
    for (const Role role : kBothRoles) {
      for (const PacketType type : {PacketType::handshake, PacketType::zero_rtt, PacketType::one_rtt}) {
        CAPTURE(static_cast<int>(type));
        Attack s(role);
        s.start();
        s.drain();
        if (role == Role::server) s.answer();
        s.puppet_hears = false;
        Data one;
        if (type == PacketType::one_rtt) {
          one = s.rng.bytes(1200);
          one[0] = 0x40;
          copy_bytes(one.data() + 1, s.puppet->remote.bytes());
        } else {
          one = tiny(type, s.puppet->remote, s.puppet->id(), 100);
        }
        s.mark();
        for (int i = 0; i < 2000; i++) s.hit(one);
        CHECK_FALSE(s.closed());
        CHECK_LE(s.heap, static_cast<int64_t>(kKeptBytesMax + 8 * 1024));
        if (s.connection()) {
          CHECK_LE(s.connection()->statistics().packets_undecryptable_kept, kKeptPacketsMax);
        }
        CHECK_LE(s.bytes_out, 3 * s.bytes_in);
        // The handshake goes on.
        s.puppet_hears = true;
        for (int i = 0; i < 20 && !s.puppet->is_complete(); i++) s.reply();
        CHECK(s.puppet->is_complete());
      }
    }
  }

  // RFC 9001 §6.1, §6.2, §6.5
  TEST_CASE("a peer that updates its keys all the time, as it may, costs no memory") {
    for (const Role role : kBothRoles) {
      Attack s(role);
      REQUIRE(s.handshake());
      s.reply();
      for (int i = 0; i < 200 && s.is_open(); i++) {
        if (i == 100) s.mark();
        s.puppet->update_keys();
        s.hit_frames(PingFrame{});
        s.connection()->ping();
        s.hit_frames(PingFrame{});
        s.reply();
        s.wait(Duration::seconds(1));
        s.reply();
      }
      CHECK(s.is_open());
      CHECK_LE(s.heap, kSome);
    }
  }

  // RFC 9001 §6.2, §6.6
  TEST_CASE("a peer that updates its keys without waiting ends the connection or is not understood") {
    for (const Role role : kBothRoles) {
      Attack s(role);
      REQUIRE(s.handshake());
      s.mark();
      for (int i = 0; i < 500 && s.is_open(); i++) {
        s.puppet->update_keys();
        s.hit_frames(PingFrame{});
      }
      CHECK_LE(s.heap, 8 * kSome);
      CHECK_LE(s.datagrams_out, s.blows + 2);
    }
  }

  // RFC 9001 §9.5, §6.3
  TEST_CASE("forged packets of the other key phase do not update keys") {
    for (const Role role : kBothRoles) {
      Attack s(role);
      REQUIRE(s.handshake());
      for (int i = 0; i < 1000; i++) {
        if (i == 500) s.mark();
        s.hit_with({.frames = frames(PingFrame{}), .key_phase = i % 2 == 0, .forged = true});
      }
      CHECK(s.is_open());
      CHECK_EQ(s.datagrams_out, 0);
      CHECK_EQ(s.connection()->statistics().key_updates, 0);
      CHECK_LE(s.heap, kSome);
      const PacketNumber number = s.hit_frames(PingFrame{});
      s.wait(Duration::milliseconds(100));
      CHECK(s.acknowledged(number));
    }
  }

  // RFC 9221 §5, §5.4
  TEST_CASE("a flood of DATAGRAM with an application that takes none of them keeps the newest, up to a limit") {
    for (const Role role : kBothRoles) {
      for (const size_t size : {0, 1, 1000}) {
        Attack s(role);
        s.transport.max_datagram_frame_size = 65'535;
        s.transport.datagrams.receive_bytes_max = 64 * 1024;
        REQUIRE(s.handshake());
        const Data one = frames(DatagramFrame{.data = Data(size, 1)});
        Data all;
        while (all.size() + one.size() < 1100) all = all + one;
        for (int i = 0; i < 3000; i++) {
          if (i == 0) s.mark();
          s.hit_with({.frames = all});
          if (i % 16 == 0) s.reply();
        }
        CHECK(s.is_open());
        MESSAGE("datagrams of ", size, ": ", s.heap, " bytes held");
        CHECK_LE(s.heap, 6 * 64 * 1024);
        CHECK_LE(s.datagrams_out, s.blows + 10);
        CHECK_GT(s.connection()->statistics().datagrams.dropped_on_receive, 0);
      }
    }
  }

  // RFC 9000 §8.1.3, §19.7
  TEST_CASE("a server that stuffs a client with tokens and tickets fills no more than its events") {
    for (const bool polls : {true, false}) {
      Attack s(Role::client);
      REQUIRE(s.handshake());
      s.polls_events = polls;
      for (int i = 0; i < 2000; i++) {
        if (i == 0) s.mark();
        const Data token(i % 4 == 0 ? 3000 : 500, static_cast<uint8_t>(i));
        s.hit_frames(NewTokenFrame{.token = token});
        if (i % 16 == 0) s.reply();
      }
      CHECK(s.is_open());
      CHECK_LE(s.heap, 160 * 1024);
      if (polls) CHECK_LE(s.heap, 4 * kSome);
      CHECK_LE(s.datagrams_out, s.blows);
    }
  }

  // RFC 9000 §17.2.5.2, §21.2
  TEST_CASE("forged Retry packets, before and after the handshake begins, change nothing") {
    Attack s(Role::client);
    s.start();
    s.puppet->answers = false;
    s.drain();
    const ConnectionId fake = id_of("fake");
    Data wrong = s.puppet->retry({1, 2, 3}, fake, false);
    s.mark();
    for (size_t i = 0; i < 200; i++) {
      Data bad = wrong;
      bad[bad.size() - 1 - i % 16] ^= static_cast<uint8_t>(1 << i % 8);
      s.hit(bad);
    }
    CHECK_EQ(s.datagrams_out, 0);
    CHECK_LE(s.heap, kSome);
    // The id that the client chose itself.
    s.hit(s.puppet->retry({1}, s.puppet->original_destination(), false));
    CHECK_EQ(s.datagrams_out, 0);
    // After the server was heard, a right one comes too late.
    s.puppet->forget_connection();
    s.puppet->answers = true;
    s.advance(Duration::seconds(4));
    REQUIRE(s.puppet->is_complete());
    s.mark();
    for (int i = 0; i < 100; i++) s.hit(wrong);
    CHECK_EQ(s.datagrams_out, 0);
    CHECK(s.is_open());
  }

  // RFC 9000 §17.2.5.2: one Retry
  TEST_CASE("a second Retry, and hundreds more, make a client send nothing") {
    Attack s(Role::client);
    s.start();
    s.puppet->answers = false;
    s.drain();
    s.hit(s.puppet->retry({1, 2, 3}, id_of("again"), false));
    s.mark();
    for (uint8_t i = 0; i < 200; i++) s.hit(s.puppet->retry({1, 2, 3, i}, id_of("more", i), false));
    CHECK_EQ(s.datagrams_out, 0);
    CHECK_LE(s.heap, kSome);
    CHECK_FALSE(s.closed());
  }

  // RFC 9000 §6.2, §21.12
  TEST_CASE("Version Negotiation that names our version, has wrong ids or comes late changes nothing") {
    Attack s(Role::client);
    s.start();
    s.puppet->answers = false;
    s.drain();
    const Data late = s.puppet->version_negotiation({Version{0x1a2a3a4a}});
    s.mark();
    for (int i = 0; i < 100; i++) {
      s.hit(s.puppet->version_negotiation({Version::v1, Version{0x1a2a3a4a}}));
      Data wrong = late;
      wrong[6] ^= 1;
      s.hit(wrong);
      wrong = late;
      wrong[6 + 9] ^= 1;
      s.hit(wrong);
    }
    CHECK_EQ(s.datagrams_out, 0);
    CHECK_FALSE(s.closed());
    CHECK_LE(s.heap, kSome);
    s.puppet->forget_connection();
    s.puppet->answers = true;
    s.advance(Duration::seconds(4));
    REQUIRE(s.puppet->is_complete());
    for (int i = 0; i < 100; i++) s.hit(late);
    CHECK(s.is_open());
  }

  // RFC 9000 §8.1, §21.1.1.1; RFC 9002 §6.2.2.1
  TEST_CASE("a handshake whose client falls silent gets three times the bytes, timeouts and all") {
    for (const size_t extra : {0, 1, 3}) {
      Attack s(Role::server);
      s.tls_server.identities = {s.authority.issue({.ocsp_response = Data(9000, 0x11)})};
      s.start();
      s.puppet_hears = false;
      s.mark();
      for (const Data& datagram : s.puppet->take_datagrams()) s.hit(datagram);
      CHECK_LE(s.bytes_out, 3 * s.bytes_in);
      for (size_t i = 0; i < extra; i++) {
        s.wait(Duration::milliseconds(300));
        s.hit_with({.type = PacketType::initial, .frames = frames(PingFrame{}), .size = 1200});
        CHECK_LE(s.bytes_out, 3 * s.bytes_in);
      }
      s.wait(Duration::seconds(9));
      CHECK_LE(s.bytes_out, 3 * s.bytes_in);
      s.wait(Duration::seconds(60));
      CHECK_LE(s.bytes_out, 3 * s.bytes_in);
      CHECK_EQ(s.endpoint->connections(), 0);
    }
  }

  // RFC 9000 §9.2: a server that sends PING after PING, no more than it gets
  TEST_CASE("a flood of PING is acknowledged by every second packet at most, and holds nothing") {
    for (const Role role : kBothRoles) {
      Attack s(role);
      REQUIRE(s.handshake());
      for (int i = 0; i < 4000; i++) {
        if (i == 2000) s.mark();
        s.hit_frames(PingFrame{});
        s.now += Duration::milliseconds(1);
      }
      // An ACK now and then carries a PING, so that old ranges are forgotten.
      CHECK_LE(s.datagrams_out, s.blows / 2 + 100);
      CHECK_LE(s.heap, kUnansweredMemory);
    }
  }
}

}  // namespace quoll::quic::tests
