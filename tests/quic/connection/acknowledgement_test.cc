// Packet numbers, frames in packets, acknowledgements and retransmission, seen on the wire (RFC 9000 §12.3, §12.4, §12.5,
// §13).
#include <set>

#include "tests/quic/connection/stage.h"

#include <doctest/doctest.h>

namespace quoll::quic::tests {
namespace {

using T = FrameType;
constexpr Role kBoth[] = {Role::client, Role::server};

bool only_ack(const SeenPacket& packet) { return packet.has(T::ack) && !packet.is_ack_eliciting(); }

}  // namespace

TEST_SUITE("quic connection: acknowledgements") {
  // RFC 9000 §12.3, §12.4, §12.5
  TEST_CASE("packets have frames that belong into them, and numbers that increase") {
    for (const Role role : kBoth) {
      Stage s(role);
      REQUIRE(s.handshake());
      const StreamId id = *s.streams().open(false);
      CHECK(s.streams().write(id, Data(20'000, 1)));
      s.puppet->acknowledges = false;
      s.advance(Duration::seconds(2));
      s.puppet->acknowledges = true;
      s.advance(Duration::seconds(2));
      s.connection()->close(s.now, ApplicationErrorCode{5}, "done");
      s.drain();
      std::array<std::optional<PacketNumber>, kSpaceCount> largest;
      for (const SeenPacket& packet : s.puppet->packets()) {
        CHECK_FALSE(packet.frames.empty());
        CHECK_FALSE(packet.breaks_rules);  // the parser checks tables 3 and §12.5
        auto& last = largest[static_cast<size_t>(space_of(packet.type))];
        if (last) CHECK_GT(packet.number, *last);
        last = packet.number;
        // RFC 9000 §17.2, §17.3.1: reserved bits.
        CHECK_EQ(packet.first_byte & (packet.type == PacketType::one_rtt ? kShortReservedBits : kLongReservedBits), 0);
      }
    }
  }

  // RFC 9000 §12.3
  TEST_CASE("a packet number that was used is dropped, whatever the packet holds") {
    for (const Role role : kBoth) {
      Stage s(role);
      REQUIRE(s.handshake());
      const PacketNumber number = s.send_frames(PingFrame{});
      s.send({.frames = Data{0x21}, .number = number});  // would close the connection
      s.send({.frames = Data{0x21}, .number = 0});
      CHECK_FALSE(s.close());
      CHECK_FALSE(s.connection()->is_closed());
    }
  }

  TEST_CASE("a packet whose own ACK makes its number forgotten does no harm, and is not acknowledged") {
    for (const Role role : kBoth) {
      Stage s(role);
      REQUIRE(s.handshake());
      s.puppet->acknowledges = false;
      const PacketNumber next = s.puppet->next_number(Space::application);
      const size_t seen = s.seen();
      s.send({.frames = frames(PingFrame{}), .number = next + 10});
      s.advance(Duration::milliseconds(50));  // not so long that it is quiet, and the ACK is forgotten
      // In front of the packets that the acknowledged ACK was about.
      Data all;
      for (size_t i = seen; i < s.seen(); i++) {
        const PacketNumber number = s.puppet->packets()[i].number;
        all = all + ack_of({{number, number + 1}});
      }
      REQUIRE_FALSE(all.empty());
      s.send({.frames = all + frames(PingFrame{}), .number = next + 1});
      s.advance(Duration::seconds(1));
      CHECK_FALSE(s.connection()->is_closed());
      CHECK_FALSE(s.acknowledged(next + 1));
    }
  }

  // RFC 9000 §12.3
  TEST_CASE("a packet is known for a duplicate only when it is authentic") {
    Stage s(Role::server);
    REQUIRE(s.handshake());
    const PacketNumber number = s.send_frames(PingFrame{});
    const uint64_t before = s.connection()->statistics().packets_duplicate;
    s.send({.frames = frames(PingFrame{}), .number = number, .forged = true});
    CHECK_EQ(s.connection()->statistics().packets_duplicate, before);
    s.send({.frames = frames(PingFrame{}), .number = number});
    CHECK_EQ(s.connection()->statistics().packets_duplicate, before + 1);
  }

  // RFC 9000 §13.1
  TEST_CASE("a packet that does not open is not acknowledged") {
    for (const Role role : kBoth) {
      Stage s(role);
      REQUIRE(s.handshake());
      const PacketNumber forged = s.send({.frames = frames(PingFrame{}), .forged = true});
      const PacketNumber right = s.send_frames(PingFrame{});
      s.advance(Duration::milliseconds(100));
      CHECK_FALSE(s.acknowledged(forged));
      CHECK(s.acknowledged(right));
    }
  }

  // RFC 9000 §13.2.1
  TEST_CASE("an ack-eliciting packet is acknowledged within max_ack_delay, those of the handshake at once") {
    for (const Role role : kBoth) {
      Stage s(role);
      s.transport.max_ack_delay = Duration::milliseconds(12);
      REQUIRE(s.handshake());
      s.advance(Duration::milliseconds(500));
      const PacketNumber number = s.send_frames(PingFrame{});
      s.advance(Duration::milliseconds(12));
      CHECK(s.acknowledged(number));
    }
    Stage s(Role::server);
    s.start();
    s.answer();
    const PacketNumber initial = s.send({.type = PacketType::initial, .frames = frames(PingFrame{})});
    CHECK(s.acknowledged(initial, Space::initial));
    const PacketNumber handshake = s.send({.type = PacketType::handshake, .frames = frames(PingFrame{})});
    CHECK(s.acknowledged(handshake, Space::handshake));
  }

  // RFC 9000 §13.2.1
  TEST_CASE("packets are answered by one packet of nothing but ACK at most, and such packets by none") {
    for (const Role role : kBoth) {
      Stage s(role);
      REQUIRE(s.handshake());
      s.advance(Duration::milliseconds(500));
      const size_t before = s.seen();
      for (int i = 0; i < 20; i++) {
        s.send_frames(PingFrame{});
        s.advance(Duration::milliseconds(7));
      }
      s.advance(Duration::milliseconds(100));
      size_t acks = 0, eliciting = 0;
      for (size_t i = before; i < s.seen(); i++) {
        acks += only_ack(s.puppet->packets()[i]);
        eliciting += s.puppet->packets()[i].is_ack_eliciting();
      }
      CHECK_LE(acks, 20);
      CHECK_GE(acks, 5);
      CHECK_EQ(eliciting, 0);  // and ACKs are not made ack-eliciting each
      const size_t quiet = s.seen();
      for (int i = 0; i < 20; i++) {
        s.send({.frames = ack_of({{0, 1}}), .number = s.puppet->next_number(Space::application) + 10});
        s.puppet->set_next_number(Space::application, s.puppet->next_number(Space::application) + 20);
      }
      s.advance(Duration::milliseconds(100));
      CHECK_EQ(s.seen(), quiet);
    }
  }

  // RFC 9000 §13.2.6
  TEST_CASE("ACK frames are in the space of what they acknowledge") {
    for (const Role role : kBoth) {
      Stage s(role);
      // Each space has numbers of its own.
      s.start();
      s.puppet->set_next_number(Space::initial, 100);
      s.puppet->set_next_number(Space::handshake, 200);
      s.puppet->set_next_number(Space::application, 300);
      s.run();
      REQUIRE(s.puppet->is_complete());
      s.send_frames(PingFrame{});
      s.advance(Duration::milliseconds(100));
      std::set<PacketType> acknowledging;
      for (const SeenPacket& packet : s.puppet->packets()) {
        const CollectedFrame* ack = packet.find(T::ack);
        if (!ack) continue;
        acknowledging.insert(packet.type);
        const uint64_t base = packet.type == PacketType::initial     ? 100
                              : packet.type == PacketType::handshake ? 200
                                                                     : 300;
        CHECK_GE(ack->numbers[0], base);
        CHECK_LT(ack->numbers[0], base + 100);
      }
      CHECK(acknowledging.contains(PacketType::one_rtt));
      CHECK_FALSE(acknowledging.contains(PacketType::zero_rtt));
    }
  }

  // RFC 9000 §13.3
  TEST_CASE("HANDSHAKE_DONE is sent again until it is acknowledged") {
    Stage s(Role::server);
    s.start();
    s.answer();
    s.puppet->acknowledges = false;
    s.run();
    REQUIRE(s.puppet->is_complete());
    REQUIRE(s.find(T::handshake_done));
    // The probes that follow arrive, the packet with HANDSHAKE_DONE does not.
    s.advance(Duration::seconds(5));
    const PacketNumber last = s.puppet->packets().back().number;
    s.send({.frames = ack_of({{last, last + 1}})});
    s.advance(Duration::seconds(1));
    CHECK_GE(s.all(T::handshake_done).size(), 2);
    s.send({.frames = ack_of({{0, s.puppet->packets().back().number + 1}})});
    s.advance(Duration::seconds(1));
    const size_t before = s.seen();
    s.advance(Duration::seconds(5));
    CHECK(s.all(T::handshake_done, before).empty());
  }

  // RFC 9000 §13.3
  TEST_CASE("packets with outdated frames are accepted") {
    for (const Role role : kBoth) {
      Stage s(role);
      REQUIRE(s.handshake());
      const StreamId id = *s.streams().open(false);
      CHECK(s.streams().write(id, Data{1}));
      s.drain();
      s.send_frames(MaxDataFrame{.maximum_data = 1 << 22},
                    MaxStreamDataFrame{.stream_id = id, .maximum_stream_data = 1 << 22},
                    MaxStreamsFrame{.maximum_streams = 500});
      const PacketNumber number = s.send_frames(
          MaxDataFrame{.maximum_data = 10}, MaxStreamDataFrame{.stream_id = id, .maximum_stream_data = 10},
          MaxStreamsFrame{.maximum_streams = 1}, DataBlockedFrame{.maximum_data = 1});
      s.advance(Duration::milliseconds(100));
      CHECK(s.acknowledged(number));
      CHECK_FALSE(s.close());
    }
  }

  // RFC 9000 §13.3
  TEST_CASE("loss shrinks the congestion window") {
    Stage s(Role::server);
    s.transport.congestion = CongestionAlgorithm::new_reno;
    REQUIRE(s.handshake());
    s.puppet->acknowledges = false;
    const StreamId id = *s.streams().open(true);
    CHECK(s.streams().write(id, Data(30'000, 1)));
    s.drain();
    const uint64_t window = s.connection()->statistics().congestion_window;
    const PacketNumber last = s.puppet->packets().back().number;
    s.send({.frames = ack_of({{last, last + 1}})});
    CHECK_LT(s.connection()->statistics().congestion_window, window);
    CHECK_EQ(s.connection()->statistics().congestion_events, 1);
  }

  // RFC 9002 §6.2.4
  TEST_CASE("probes are ack-eliciting, and in the space whose PTO expired") {
    for (const bool with_data : {false, true}) {
      Stage s(Role::server);
      REQUIRE(s.handshake());
      s.advance(Duration::milliseconds(500));
      s.puppet->acknowledges = false;
      const size_t before = s.seen();
      if (with_data) {
        CHECK(s.streams().write(*s.streams().open(true), Data(100, 1)));
      } else {
        s.connection()->ping();
      }
      s.drain();
      s.advance(Duration::seconds(3));
      CHECK_GE(s.seen() - before, 3);
      for (size_t i = before; i < s.seen(); i++) {
        CHECK(s.puppet->packets()[i].is_ack_eliciting());
        CHECK(s.puppet->packets()[i].type == PacketType::one_rtt);
      }
    }
  }
}

}  // namespace quoll::quic::tests
