// Keys through the life of a connection: discarded in time, updated, and never used out of turn (RFC 9001 §4.9, §5.5,
// §5.7, §6).
#include "tests/quic/connection/stage.h"

#include <doctest/doctest.h>

namespace quoll::quic::tests {
namespace {

using T = FrameType;
constexpr Role kBoth[] = {Role::client, Role::server};

/// The packets that the endpoint sent from `since` on are all sealed with the keys of one generation.
bool all_of_generation(const Stage& s, size_t since, uint64_t generation) {
  for (size_t i = since; i < s.seen(); i++) {
    if (s.puppet->packets()[i].generation != generation) return false;
  }
  return true;
}

}  // namespace

TEST_SUITE("quic connection: keys") {
  // RFC 9001 §4.9.1
  TEST_CASE("a client drops Initial keys when it sends a Handshake packet") {
    Stage s(Role::client);
    s.start();
    s.run();
    bool handshake = false;
    for (const SeenPacket& packet : s.puppet->packets()) {
      // A datagram may hold both; what comes in later ones may not.
      if (packet.type == PacketType::initial) CHECK_FALSE(handshake);
      handshake |= packet.type == PacketType::handshake;
    }
    CHECK(handshake);
    const size_t before = s.seen();
    const PacketNumber number = s.send({.type = PacketType::initial, .frames = frames(PingFrame{})});
    s.advance(Duration::milliseconds(100));
    CHECK_FALSE(s.acknowledged(number, Space::initial));
    for (size_t i = before; i < s.seen(); i++) CHECK(s.puppet->packets()[i].type != PacketType::initial);
  }

  // RFC 9001 §4.9.1
  TEST_CASE("a server drops Initial keys when it has processed a Handshake packet, and not before") {
    Stage s(Role::server);
    s.start();
    s.answer();
    const Data ping = frames(PingFrame{});
    const PacketNumber early = s.send({.type = PacketType::initial, .frames = ping});
    CHECK(s.acknowledged(early, Space::initial));
    s.send({.type = PacketType::handshake, .frames = ping, .forged = true});
    const PacketNumber still = s.send({.type = PacketType::initial, .frames = ping});
    CHECK(s.acknowledged(still, Space::initial));
    s.send({.type = PacketType::handshake, .frames = ping});
    const size_t before = s.seen();
    const PacketNumber late = s.send({.type = PacketType::initial, .frames = ping});
    s.advance(Duration::seconds(2));
    CHECK_FALSE(s.acknowledged(late, Space::initial));
    for (size_t i = before; i < s.seen(); i++) CHECK(s.puppet->packets()[i].type != PacketType::initial);
  }

  // RFC 9001 §4.9.2
  TEST_CASE("Handshake keys go when the handshake is confirmed") {
    for (const Role role : kBoth) {
      Stage s(role);
      s.start();
      s.puppet->sends_done = false;
      s.puppet->acknowledges = role == Role::server;  // that would confirm the handshake too
      s.run();
      const Data ping = frames(PingFrame{});
      if (role == Role::client) {
        const PacketNumber before = s.send({.type = PacketType::handshake, .frames = ping});
        CHECK(s.acknowledged(before, Space::handshake));
        s.send_frames(HandshakeDoneFrame{});
      }
      REQUIRE(s.connection()->is_confirmed());
      const size_t seen = s.seen();
      const PacketNumber after = s.send({.type = PacketType::handshake, .frames = ping});
      s.advance(Duration::seconds(1));
      CHECK_FALSE(s.acknowledged(after, Space::handshake));
      for (size_t i = seen; i < s.seen(); i++) CHECK(s.puppet->packets()[i].type == PacketType::one_rtt);
    }
  }

  // RFC 9001 §4, §4.9
  TEST_CASE("handshake data is sent again at its own level, new data at the highest") {
    Stage s(Role::server);
    s.start();
    s.answer();
    s.puppet->answers = false;
    s.advance(Duration::seconds(3));
    std::array<size_t, 2> starts{};  // of Initial and Handshake data
    for (const SeenPacket& packet : s.puppet->packets()) {
      const CollectedFrame* crypto = packet.find(T::crypto);
      if (!crypto) continue;
      REQUIRE(packet.type != PacketType::one_rtt);
      starts[packet.type == PacketType::initial ? 0 : 1] += crypto->numbers[0] == 0;
      // A level's data is that level's: the ServerHello, or what follows it.
      if (crypto->numbers[0] == 0) CHECK_EQ(crypto->bytes[0], packet.type == PacketType::initial ? 2 : 8);
    }
    CHECK_GE(starts[0], 2);
    CHECK_GE(starts[1], 2);
    Stage confirmed(Role::server);
    REQUIRE(confirmed.handshake());
    const size_t before = confirmed.seen();
    CHECK(confirmed.streams().write(*confirmed.streams().open(true), Data(3000, 1)));
    confirmed.advance(Duration::seconds(1));
    CHECK_GT(confirmed.seen(), before);
    for (size_t i = before; i < confirmed.seen(); i++)
      CHECK(confirmed.puppet->packets()[i].type == PacketType::one_rtt);
  }

  // RFC 9001 §5.7
  TEST_CASE("a server processes no 1-RTT packet before the handshake is complete") {
    Stage s(Role::server);
    s.start();
    s.answer();
    // The puppet has all keys; its Finished is held back.
    const std::vector<Data> finished = s.puppet->take_datagrams();
    REQUIRE(s.puppet->can_seal(PacketType::one_rtt));
    const PacketNumber number = s.send_frames(StreamFrame{.stream_id = StreamId(0), .data = Data{1}});
    s.advance(Duration::milliseconds(100));
    CHECK_FALSE(s.acknowledged(number));
    CHECK_FALSE(s.event<StreamOpened>());
    for (const Data& datagram : finished) s.deliver(datagram);
    s.advance(Duration::milliseconds(100));
    REQUIRE(s.event<Connected>());
    CHECK_FALSE(s.close());
  }

  // RFC 9001 §4.1.2
  TEST_CASE("an acknowledgment of a 1-RTT packet confirms a client's handshake, when HANDSHAKE_DONE is lost") {
    Stage s(Role::client);
    s.start();
    s.puppet->sends_done = s.puppet->acknowledges = false;
    s.run();
    REQUIRE(s.event<Connected>());
    CHECK_FALSE(s.connection()->is_confirmed());
    s.puppet->acknowledges = true;
    s.connection()->ping();
    s.advance(Duration::milliseconds(100));
    CHECK(s.connection()->is_confirmed());
    CHECK_FALSE(s.close());
  }

  // RFC 9001 §5.7
  TEST_CASE("a client processes no 1-RTT packet before the handshake is complete") {
    Stage s(Role::client);
    s.tls_server.identities = {s.authority.issue({.ocsp_response = Data(3000, 0x11)})};
    s.start();
    s.drain();
    const std::vector<Data> flight = s.puppet->take_datagrams();
    REQUIRE_GE(flight.size(), 3);
    for (size_t i = 0; i + 1 < flight.size(); i++) s.deliver(flight[i]);
    const PacketNumber number = s.send_frames(StreamFrame{.stream_id = StreamId(1), .data = Data{1}});
    s.drain();
    CHECK_FALSE(s.acknowledged(number));
    CHECK_FALSE(s.event<StreamOpened>());
    s.deliver(flight.back());
    s.run();
    CHECK(s.event<Connected>());
  }

  // RFC 9001 §6.1
  TEST_CASE("the first update wants a confirmed handshake and no acknowledgment") {
    Stage s(Role::client);
    s.start();
    s.puppet->acknowledges = false;
    s.run();
    REQUIRE(s.connection()->is_confirmed());
    CHECK(s.connection()->update_keys(s.now));
    CHECK_FALSE(s.connection()->update_keys(s.now));
  }

  // RFC 9001 §6.1
  TEST_CASE("keys are updated only when confirmed, and again only when a packet of the present keys is acknowledged") {
    for (const Role role : kBoth) {
      Stage s(role);
      s.start();
      s.puppet->sends_done = false;
      if (role == Role::client) {
        s.puppet->acknowledges = false;
        s.run();
        REQUIRE(s.event<Connected>());
        CHECK_FALSE(s.connection()->update_keys(s.now));
        s.send_frames(HandshakeDoneFrame{});
        s.puppet->acknowledges = true;
      }
      s.run();
      REQUIRE(s.connection()->is_confirmed());
      s.send_frames(PingFrame{});
      s.connection()->ping();
      s.advance(Duration::milliseconds(200));
      REQUIRE(s.connection()->update_keys(s.now));
      CHECK_FALSE(s.connection()->update_keys(s.now));
      s.puppet->acknowledges = false;
      const size_t before = s.seen();
      s.connection()->ping();
      s.drain();
      REQUIRE_GT(s.seen(), before);
      CHECK(all_of_generation(s, before, 1));
      CHECK_FALSE(s.connection()->update_keys(s.now));
      // The peer answers with new keys and acknowledges.
      s.puppet->update_keys();
      s.send({.frames = ack_of({{0, s.puppet->packets().back().number + 1}})});
      s.puppet->acknowledges = true;
      // Not at once: three PTOs, so that the old keys are gone (RFC 9001 §6.5 recommends it).
      s.advance(Duration::seconds(5));
      CHECK(s.connection()->update_keys(s.now));
    }
  }

  // RFC 9001 §6.1
  TEST_CASE("old keys open packets until the peer's first packet under new keys, and reordered ones after it") {
    for (const Role role : kBoth) {
      Stage s(role);
      REQUIRE(s.handshake());
      s.connection()->ping();
      s.advance(Duration::milliseconds(200));
      REQUIRE(s.connection()->update_keys(s.now));
      const PacketNumber old = s.send({.frames = frames(PingFrame{}), .generation = 0});
      s.advance(Duration::milliseconds(50));
      CHECK(s.acknowledged(old));
      const PacketNumber skipped = s.puppet->next_number(Space::application);
      s.puppet->set_next_number(Space::application, skipped + 1);
      const PacketNumber fresh = s.send({.frames = frames(PingFrame{}), .generation = 1});
      s.send({.frames = frames(PingFrame{}), .number = skipped, .generation = 0});
      s.advance(Duration::milliseconds(50));
      CHECK(s.acknowledged(fresh));
      CHECK(s.acknowledged(skipped));
      CHECK_FALSE(s.close());
    }
  }

  // RFC 9001 §6.2, §6.3
  TEST_CASE("a peer's key update is followed before its packet is acknowledged") {
    for (const Role role : kBoth) {
      Stage s(role);
      REQUIRE(s.handshake());
      s.advance(Duration::milliseconds(500));
      s.puppet->update_keys();
      const size_t before = s.seen();
      const PacketNumber number = s.send_frames(PingFrame{});
      s.advance(Duration::milliseconds(100));
      CHECK(s.acknowledged(number));
      REQUIRE_GT(s.seen(), before);
      CHECK(all_of_generation(s, before, 1));
    }
  }

  // RFC 9001 §5.5
  TEST_CASE("a packet that looks like a key update and does not open is dropped, and changes no keys") {
    for (const Role role : kBoth) {
      Stage s(role);
      REQUIRE(s.handshake());
      s.advance(Duration::milliseconds(500));
      const size_t before = s.seen();
      const Data ping = frames(PingFrame{});
      const PacketNumber forged = s.send({.frames = ping, .generation = 1, .forged = true});
      const PacketNumber old_keys = s.send({.frames = ping, .generation = 0, .key_phase = true});
      const PacketNumber right = s.send_frames(PingFrame{});
      s.advance(Duration::milliseconds(100));
      CHECK_FALSE(s.acknowledged(forged));
      CHECK_FALSE(s.acknowledged(old_keys));
      CHECK(s.acknowledged(right));
      CHECK(all_of_generation(s, before, 0));
      CHECK_FALSE(s.close());
    }
  }

  // RFC 9001 §5.5
  TEST_CASE("packets above an opened one that fit no present or later key are dropped") {
    for (const Role role : kBoth) {
      Stage s(role);
      REQUIRE(s.handshake());
      s.advance(Duration::milliseconds(500));
      s.send({.frames = frames(PingFrame{}), .generation = 1});
      s.send({.frames = frames(PingFrame{}), .generation = 2});
      s.advance(Duration::milliseconds(500));
      const PacketNumber number = s.send({.frames = frames(PingFrame{}), .generation = 5});
      s.advance(Duration::milliseconds(100));
      CHECK_FALSE(s.acknowledged(number));
    }
  }

  // RFC 9001 §6.4
  TEST_CASE("old keys on a packet among those of newer keys are KEY_UPDATE_ERROR") {
    for (const Role role : kBoth) {
      Stage s(role);
      REQUIRE(s.handshake());
      const PacketNumber next = s.puppet->next_number(Space::application);
      s.send({.frames = frames(PingFrame{}), .number = next, .generation = 1});
      s.send({.frames = frames(PingFrame{}), .number = next + 2, .generation = 1});
      s.send({.frames = frames(PingFrame{}), .number = next + 1, .generation = 0});
      CHECK(s.closed_with(TransportError::key_update_error));
    }
  }

  // RFC 9001 §5.3, §6.4, §6.6
  TEST_CASE("keys are counted, updated before their limit, and newer ones are on higher packet numbers") {
    for (const Role role : kBoth) {
      Stage s(role);
      s.transport.key_update.packets_max = 20;
      REQUIRE(s.handshake());
      for (int i = 0; i < 200; i++) {
        s.connection()->ping();
        s.advance(Duration::milliseconds(50));
        s.puppet->set_next_number(Space::application, s.puppet->next_number(Space::application) + 1);
        // The puppet follows, as a peer must.
        if (s.puppet->packets().back().generation > s.puppet->generation()) s.puppet->update_keys();
      }
      CHECK_GE(s.puppet->packets().back().generation, 3);
      uint64_t generation = 0;
      std::vector<size_t> under(20);
      for (const SeenPacket& packet : s.puppet->packets()) {
        if (packet.type != PacketType::one_rtt) continue;
        CHECK_GE(packet.generation, generation);
        generation = packet.generation;
        under[generation]++;
      }
      for (const size_t count : under) CHECK_LE(count, 120);
      CHECK_FALSE(s.close());
    }
  }
}

}  // namespace quoll::quic::tests
