// DATAGRAM frames, the size of packets and the spin bit, seen on the wire (RFC 9221; RFC 9000 §14.2, §17.4, §19.21).
#include "tests/quic/connection/stage.h"

#include <doctest/doctest.h>

namespace quoll::quic::tests {
namespace {

using T = FrameType;
constexpr Role kBoth[] = {Role::client, Role::server};

Slice slice_of(size_t size) { return Slice::copy_of(Data(size, 0x5d)); }
size_t datagram_frames(const Stage& s) { return s.all(T::datagram).size(); }

}  // namespace

TEST_SUITE("quic connection: datagrams") {
  // RFC 9221 §3; RFC 9000 §19.21
  TEST_CASE("no DATAGRAM goes to a peer that did not ask for them") {
    for (const Role role : kBoth) {
      Stage s(role);
      s.transport.max_datagram_frame_size = 1000;
      REQUIRE(s.handshake());
      CHECK_FALSE(s.connection()->max_datagram_size());
      CHECK_FALSE(s.connection()->send_datagram(slice_of(1)));
      s.drain();
      CHECK_EQ(datagram_frames(s), 0);
    }
  }

  // RFC 9221 §3
  TEST_CASE("a DATAGRAM frame is as large as the peer takes at most, type and length included") {
    for (const Role role : kBoth) {
      Stage s(role);
      s.options.parameters.max_datagram_frame_size = 100;
      REQUIRE(s.handshake());
      REQUIRE(s.connection()->max_datagram_size());
      const size_t most = *s.connection()->max_datagram_size();
      CHECK_LE(most, 99);
      CHECK_FALSE(s.connection()->send_datagram(slice_of(most + 1)));
      CHECK(s.connection()->send_datagram(slice_of(most)));
      s.drain();
      REQUIRE_EQ(datagram_frames(s), 1);
      CHECK_LE(1 + s.find(T::datagram)->bytes.size(), 100);
    }
  }

  // RFC 9221 §3
  TEST_CASE("a DATAGRAM that we did not ask for, or a larger one, is PROTOCOL_VIOLATION") {
    for (const Role role : kBoth) {
      Stage none(role);
      REQUIRE(none.handshake());
      none.send_frames(DatagramFrame{.data = Data{1}});
      CHECK(none.closed_with(TransportError::protocol_violation));
      Stage s(role);
      s.transport.max_datagram_frame_size = 100;
      REQUIRE(s.handshake());
      s.send({.frames = Data{0x30} + Data(99, 1)});
      CHECK_FALSE(s.close());
      CHECK(s.connection()->receive_datagram());
      s.send({.frames = Data{0x30} + Data(100, 1)});
      CHECK(s.closed_with(TransportError::protocol_violation));
    }
  }

  // RFC 9221 §5, §6
  TEST_CASE("DATAGRAM frames go in 1-RTT packets, or in 0-RTT, and in no others") {
    for (const PacketType type : {PacketType::initial, PacketType::handshake}) {
      Stage s(Role::server);
      s.transport.max_datagram_frame_size = 100;
      s.start();
      s.answer();
      s.send({.type = type, .frames = frames(DatagramFrame{.data = Data{1}})});
      CHECK(s.closed_with(TransportError::protocol_violation));
    }
    Stage s(Role::server);
    s.options.parameters.max_datagram_frame_size = 100;
    REQUIRE(s.handshake());
    CHECK(s.connection()->send_datagram(slice_of(10)));
    s.drain();
    CHECK(s.puppet->packets().back().type == PacketType::one_rtt);
    CHECK(s.puppet->packets().back().has(T::datagram));
  }

  // RFC 9221 §5.4; RFC 9000 §19.21; RFC 9002 §7
  TEST_CASE("DATAGRAM frames wait for the congestion window, and for it alone") {
    Stage s(Role::server);
    s.options.parameters.max_datagram_frame_size = 1200;
    REQUIRE(s.handshake());
    s.puppet->answers = false;
    const uint64_t window = s.connection()->statistics().congestion_window;
    size_t accepted = 0;
    for (int i = 0; i < 100; i++) {
      const auto sent = s.connection()->send_datagram(slice_of(1000));
      REQUIRE(sent);
      accepted += *sent;
    }
    s.drain();
    const size_t at_once = datagram_frames(s);
    CHECK_GE(at_once, 5);
    CHECK_LT(at_once, accepted);
    CHECK_LE(s.connection()->statistics().bytes_in_flight, window);
    s.send({.frames = ack_of({{0, s.puppet->packets().back().number + 1}})});
    CHECK_GT(datagram_frames(s), at_once);
  }

  // RFC 9000 §19.21
  TEST_CASE("a DATAGRAM brings an ACK") {
    for (const Role role : kBoth) {
      Stage s(role);
      s.transport.max_datagram_frame_size = 100;
      REQUIRE(s.handshake());
      const PacketNumber number = s.send_frames(DatagramFrame{.data = Data{1}});
      s.advance(Duration::milliseconds(50));
      CHECK(s.acknowledged(number));
    }
  }
}

TEST_SUITE("quic connection: packet size") {
  // RFC 9000 §14.2.1
  TEST_CASE("ICMP neither shrinks the MTU below 1200 bytes nor raises it, and must quote a packet of ours") {
    Stage s(Role::server);
    s.transport.mtu = {.enabled = true, .initial = 1350, .max = 1400};
    REQUIRE(s.handshake());
    s.connection()->ping();
    s.drain();
    const uint16_t before = s.connection()->statistics().mtu;
    CHECK_GE(before, 1350);
    const Data quoted = s.puppet->datagrams().back().bytes;
    s.connection()->on_icmp_too_big(s.now, s.path, 900, quoted);
    CHECK_EQ(s.connection()->statistics().mtu, before);
    s.connection()->on_icmp_too_big(s.now, s.path, 9000, quoted);
    CHECK_EQ(s.connection()->statistics().mtu, before);
    // Another path, another packet.
    Path other = s.path;
    other.remote.port = 1;
    s.connection()->on_icmp_too_big(s.now, other, 1250, quoted);
    CHECK_EQ(s.connection()->statistics().mtu, before);
    Data forged = quoted;
    for (size_t i = 1; i < 9; i++) forged[i] ^= 0x55;
    s.connection()->on_icmp_too_big(s.now, s.path, 1250, forged);
    CHECK_EQ(s.connection()->statistics().mtu, before);
  }
}

TEST_SUITE("quic connection: spin bit") {
  // RFC 9000 §17.4
  TEST_CASE("without the spin bit its value is no answer to the peer's") {
    for (const Role role : kBoth) {
      Stage s(role);
      REQUIRE(s.handshake());
      size_t ones = 0, packets = 0;
      for (int i = 0; i < 60; i++) {
        const size_t before = s.seen();
        s.send({.frames = frames(PingFrame{}), .flip = kSpinBit});  // always 1
        s.advance(Duration::milliseconds(30));
        for (size_t p = before; p < s.seen(); p++) {
          packets++;
          ones += spin_bit_of(s.puppet->packets()[p].first_byte);
        }
      }
      CHECK_GE(packets, 50);
      CHECK_GE(ones, packets / 5);
      CHECK_LE(ones, packets * 4 / 5);
    }
  }

  // RFC 9000 §17.4
  TEST_CASE("with the spin bit one connection in sixteen or so does not spin") {
    size_t spinning = 0, still = 0;
    for (uint64_t seed = 1; seed <= 100; seed++) {
      Stage s(Role::server, seed);
      s.transport.spin_bit = true;
      REQUIRE(s.handshake());
      s.advance(Duration::milliseconds(200));
      // A server returns the client's bit.
      bool follows = true;
      for (int i = 0; i < 12; i++) {
        const bool bit = i % 2 == 0;
        const size_t before = s.seen();
        s.send({.frames = frames(PingFrame{}), .flip = bit ? kSpinBit : uint8_t{0}});
        s.advance(Duration::milliseconds(30));
        for (size_t p = before; p < s.seen(); p++) follows &= spin_bit_of(s.puppet->packets()[p].first_byte) == bit;
      }
      (follows ? spinning : still)++;
    }
    CHECK_GE(spinning, 70);
    CHECK_GE(still, 1);  // of 100 that spin with 15/16 each, none is still with a chance of 0.2 %
  }
}

}  // namespace quoll::quic::tests
