// How a handshake gets through a network that loses much: what is repeated, when, and in what (RFC 9002 §6.2.3, §6.2.4).
#include "quic/connection/state.h"

#include "tests/quic/connection/stage.h"

#include <doctest/doctest.h>

namespace quoll::quic::tests {
namespace {

using T = FrameType;

constexpr Role kBoth[] = {Role::client, Role::server};

/// Packets of a type with a frame of a kind that were seen since then.
size_t count(const Stage& s, size_t since, PacketType type, T frame) {
  size_t found = 0;
  for (size_t i = since; i < s.seen(); i++) {
    const SeenPacket& packet = s.puppet->packets()[i];
    found += packet.type == type && packet.has(frame);
  }
  return found;
}

const Data kRepeatedCrypto = frames(CryptoFrame{.offset = 0, .data = Data(10, 1)});

}  // namespace

TEST_SUITE("quic connection: lossy handshake") {
  // RFC 9002 §6.2.3
  TEST_CASE("a server repeats its flight when the client repeats its ClientHello, a few times, before any PTO") {
    Stage s(Role::server);
    s.start();
    s.puppet->acknowledges = false;
    s.answer();
    s.puppet->answers = false;
    REQUIRE_GE(count(s, 0, PacketType::handshake, T::crypto), 1);
    size_t before = s.seen();
    s.send({.type = PacketType::initial, .frames = kRepeatedCrypto});
    CHECK_GE(count(s, before, PacketType::initial, T::crypto), 1);
    CHECK_GE(count(s, before, PacketType::handshake, T::crypto), 1);
    // Not for each datagram of a ClientHello.
    before = s.seen();
    s.send({.type = PacketType::initial, .frames = kRepeatedCrypto});
    CHECK_EQ(count(s, before, PacketType::handshake, T::crypto), 0);
    size_t repeats = 1;
    for (int i = 0; i < 10; i++) {
      s.advance(Duration::milliseconds(20));
      before = s.seen();
      s.send({.type = PacketType::initial, .frames = kRepeatedCrypto});
      repeats += count(s, before, PacketType::initial, T::crypto) != 0;
    }
    CHECK_EQ(repeats, kEarlyRepeatsMax);
  }

  // RFC 9002 §6.2.3
  TEST_CASE("a client repeats its ClientHello when it gets Handshake packets that it has no keys for") {
    Stage s(Role::client);
    s.start();
    s.drain();
    const std::vector<Data> flight = s.puppet->take_datagrams();
    REQUIRE_GE(flight.size(), 2);
    const size_t before = s.seen();
    s.deliver(flight[1]);
    CHECK_GE(count(s, before, PacketType::initial, T::crypto), 1);
    // The first datagram came late, not never: all ends well.
    for (const Data& datagram : flight) s.deliver(datagram);
    s.run();
    CHECK(s.event<Connected>());
  }

  // RFC 9001 §5.7
  TEST_CASE("a server reads what came before the client's Finished as soon as that has come") {
    Stage s(Role::server);
    s.start();
    s.puppet->answers = true;
    s.answer();  // the ClientHello; the server's flight is with the client now
    const std::vector<Data> finished = s.puppet->take_datagrams();
    REQUIRE_FALSE(finished.empty());
    REQUIRE(s.puppet->can_seal(PacketType::one_rtt));
    const Data data = {1, 2, 3};
    const PacketNumber number = s.send_frames(StreamFrame{.stream_id = StreamId(0), .data = data, .fin = true});
    CHECK_FALSE(s.event<Connected>());
    const size_t before = s.seen();
    for (const Data& datagram : finished) s.deliver(datagram);
    REQUIRE(s.event<Connected>());
    CHECK_EQ(s.connection()->statistics().packets_undecryptable_kept, 1);
    const auto chunk = s.streams().read(StreamId(0));
    REQUIRE((chunk && *chunk));
    CHECK_EQ((*chunk)->data.bytes().size(), 3);
    s.advance(Duration::milliseconds(30));
    CHECK(s.acknowledged(number));
    CHECK_GT(s.seen(), before);
  }

  // RFC 9002 §6.2.4
  TEST_CASE("a client's probes carry its Handshake data and its 1-RTT data, both of them") {
    Stage s(Role::client);
    s.start();
    s.puppet->sends_done = s.puppet->acknowledges = false;
    s.run();
    REQUIRE(s.event<Connected>());
    const StreamId id = *s.streams().open(false);
    CHECK(s.streams().write(id, Data{1, 2, 3}));
    s.drain();
    const size_t before = s.seen();
    const uint64_t probed = s.connection()->statistics().probe_timeouts;
    while (s.connection()->statistics().probe_timeouts == probed) s.advance(Duration::milliseconds(1));
    CHECK_EQ(count(s, before, PacketType::handshake, T::crypto), 2);
    CHECK_GE(count(s, before, PacketType::one_rtt, T::stream), 1);
  }

  // RFC 9002 §6.2.4; RFC 9000 §13.2.1
  TEST_CASE("probes repeat the oldest data and the acknowledgments, each of them") {
    for (const Role role : kBoth) {
      Stage s(role);
      REQUIRE(s.handshake());
      s.advance(Duration::seconds(1));
      s.send_frames(PingFrame{});
      s.advance(Duration::milliseconds(100));
      s.puppet->acknowledges = false;
      const StreamId id = *s.streams().open(true);
      CHECK(s.streams().write(id, Data{1, 2, 3}));
      s.drain();
      const size_t before = s.seen();
      const uint64_t probed = s.connection()->statistics().probe_timeouts;
      while (s.connection()->statistics().probe_timeouts == probed) s.advance(Duration::milliseconds(1));
      REQUIRE_EQ(s.seen(), before + 2);
      CHECK_EQ(count(s, before, PacketType::one_rtt, T::stream), 2);
      CHECK_EQ(count(s, before, PacketType::one_rtt, T::ack) + count(s, before, PacketType::one_rtt, T::ack_ecn), 2);
    }
  }
}

}  // namespace quoll::quic::tests
