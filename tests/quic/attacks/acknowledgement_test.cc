// ACK frames that lie: of what was not sent, too early, in too many ranges, with absurd delays and counts (RFC 9000
// §13.1, §19.3, §21.4; RFC 9002 §8.3).
#include "tests/quic/attacks/attack.h"

#include <doctest/doctest.h>

namespace quoll::quic::tests {
namespace {

/// The endpoint has a stream full of data to send.
StreamId begin_upload(Attack& s, size_t size = 512 * 1024) {
  const auto id = s.streams().open(true);
  REQUIRE(id);
  static const Data block(512 * 1024, 7);
  Slice data = Slice::of_static(Bytes(block).first(std::min(size, block.size())));
  REQUIRE(s.streams().write(*id, data));
  return *id;
}

/// The largest 1-RTT packet number that was seen.
PacketNumber largest(const Attack& s) {
  PacketNumber number = 0;
  for (const SeenPacket& packet : s.puppet->packets()) {
    if (packet.type == PacketType::one_rtt) number = std::max(number, packet.number);
  }
  return number;
}

}  // namespace

TEST_SUITE("quic attacks: acknowledgments") {
  // RFC 9000 §13.1
  TEST_CASE("an ACK of what was never sent closes the connection, in every space") {
    for (const Role role : kBothRoles) {
      for (const PacketNumber number : {PacketNumber{1000}, kVarintMax - 1}) {
        Attack s(role);
        REQUIRE(s.handshake());
        s.hit_with({.frames = ack_of({{number, number + 1}})});
        CHECK(s.closed_with(TransportError::protocol_violation));
      }
      Attack s(role);
      s.start();
      s.drain();
      if (role == Role::server) s.answer();
      s.puppet->sends_done = false;
      s.hit_with({.type = PacketType::initial, .frames = ack_of({{0, 900}}), .size = 1200});
      REQUIRE(s.closed());
      CHECK_EQ(s.closed()->error_code, static_cast<uint64_t>(TransportError::protocol_violation));
    }
  }

  // RFC 9000 §21.4
  TEST_CASE("a peer that acknowledges ahead of what arrives runs into a number that was skipped") {
    for (const Role role : kBothRoles) {
      Attack s(role);
      s.transport.skip_packet_number_every = 20;
      s.transport.pacing = false;
      REQUIRE(s.handshake());
      s.puppet->acknowledges = false;
      begin_upload(s);
      s.mark();
      size_t acks = 0;
      for (; acks < 200 && s.is_open(); acks++) {
        // Everything up to the newest, whether it came or not.
        s.hit_with({.frames = ack_of({{0, largest(s) + 1}})});
        s.now += Duration::milliseconds(5);
      }
      CHECK_FALSE(s.is_open());
      CHECK(s.closed_with(TransportError::protocol_violation));
    }
  }

  // RFC 9000 §21.4; RFC 9002 §7.8
  TEST_CASE("early ACKs never bring more into flight than was sent, nor memory that stays") {
    for (const Role role : kBothRoles) {
      Attack s(role);
      s.options.parameters.initial_max_data = s.options.parameters.initial_max_stream_data_uni = 1 << 18;
      REQUIRE(s.handshake());
      s.puppet->acknowledges = false;
      begin_upload(s);
      for (int i = 0; i < 300 && s.is_open(); i++) {
        s.hit_with({.frames = ack_of({{0, largest(s) + 1}})});
        s.now += Duration::microseconds(10);
      }
      CHECK(s.is_open());
      const Statistics statistics = s.connection()->statistics();
      CHECK_EQ(statistics.bytes_in_flight, 0);
      CHECK_LE(statistics.streams.bytes_sent, 1 << 18);
      CHECK_LE(statistics.congestion_window, uint64_t{1} << 22);
    }
  }

  // RFC 9000 §13.2.3, §21.9
  TEST_CASE("every second packet number: ranges that are remembered and sent are few") {
    for (const Role role : kBothRoles) {
      Attack s(role);
      REQUIRE(s.handshake());
      PacketNumber number = s.puppet->next_number(Space::application);
      for (int i = 0; i < 4000; i++, number += 2) {
        if (i == 1000) s.mark();
        s.hit_with({.frames = frames(PingFrame{}), .number = number});
        s.now += Duration::milliseconds(1);
      }
      CHECK(s.is_open());
      CHECK_LE(s.heap, kUnansweredMemory);
      CHECK_LE(s.datagrams_out, s.blows + 10);
      CHECK_LE(s.bytes_out, 250 * s.blows);
      // Downwards: each is below all that are remembered, so none counts.
      s.puppet_hears = false;
      s.mark();
      for (int i = 0; i < 1000; i++, number -= 2) {
        s.hit_with({.frames = frames(PingFrame{}), .number = number - 4001});
      }
      CHECK_LE(s.heap, kUnansweredMemory);
      CHECK(s.is_open());
    }
  }

  // RFC 9000 §19.3.1
  TEST_CASE("an ACK of as many ranges as fit, for ever, costs the same each time") {
    for (const Role role : kBothRoles) {
      Attack s(role);
      REQUIRE(s.handshake());
      begin_upload(s, 200'000);
      s.puppet->acknowledges = false;
      // Enough packets to have gaps in: probes and data that are acknowledged one by one.
      for (int i = 0; i < 100; i++) {
        s.hit_with({.frames = ack_of({{0, largest(s) + 1}})});
        s.now += Duration::milliseconds(1);
      }
      const PacketNumber end = largest(s) + 1;
      REQUIRE_GT(end, 100);
      Data all;
      {
        // Ranges that are single numbers, in one frame, many frames in a packet.
        IntervalSet set(kAckRangesMax, IntervalSet::WhenFull::refuse);
        for (PacketNumber n = end % 2; n < end; n += 2) (void)set.insert(Interval{n, n + 1});
        const AckFields fields{};
        Counter counter;
        write_ack(counter, set, fields, set.size());
        Data one(counter.size());
        Writer writer(one);
        write_ack(writer, set, fields, set.size());
        while (all.size() + one.size() < 3500) all = all + one;
      }
      for (int i = 0; i < 200; i++) {
        if (i == 50) s.mark();
        s.hit_with({.frames = all});
      }
      CHECK(s.is_open());
      CHECK_LE(s.heap, kSome);
      CHECK_LE(s.datagrams_out, s.blows);
    }
  }

  // RFC 9000 §19.3
  TEST_CASE("an ACK that says it has more ranges than it holds is a FRAME_ENCODING_ERROR") {
    for (const Role role : kBothRoles) {
      for (const Data& frame : {Data{0x02, 0x01, 0x00, 0xc0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00},
                                Data{0x02, 0x01, 0x00, 0x7f, 0xff, 0x00, 0x00, 0x00},
                                Data{0x02, 0x01, 0x00, 0x01, 0x00, 0x05, 0x05}, Data{0x02, 0x01, 0x00, 0x00, 0x05}}) {
        Attack s(role);
        REQUIRE(s.handshake());
        s.hit_with({.frames = frame});
        CHECK(s.closed_with(TransportError::frame_encoding_error));
      }
    }
  }

  // RFC 9000 §19.3, §13.2.5; RFC 9002 §5.3
  TEST_CASE("absurd delays in ACKs, with the largest exponent, leave the RTT sane and the connection alive") {
    for (const Role role : kBothRoles) {
      for (const uint64_t delay :
           {kVarintMax, uint64_t{1} << 42, uint64_t{1} << 41, uint64_t{1} << 20, uint64_t{65'535}}) {
        Attack s(role);
        s.options.parameters.ack_delay_exponent = 20;
        s.options.parameters.max_ack_delay = (1 << 14) - 1;
        REQUIRE(s.handshake());
        s.puppet->acknowledges = false;
        for (int i = 0; i < 50; i++) {
          s.connection()->ping();
          s.hit(s.rng.bytes(30));  // so that it is polled
          s.now += Duration::milliseconds(30);
          const PacketNumber end = largest(s) + 1;
          s.hit_with({.frames = ack_of({{0, end}}, {}, delay)});
        }
        CHECK(s.is_open());
        const Statistics statistics = s.connection()->statistics();
        CHECK_GE(statistics.smoothed_rtt, statistics.min_rtt);
        CHECK_LE(statistics.smoothed_rtt, Duration::milliseconds(200));
        s.wait(Duration::seconds(1));
        CHECK(s.is_open());
      }
    }
  }

  // RFC 9000 §13.4.2, §13.4.2.1; §21.9
  TEST_CASE("ECN counts that lie end ECN, and nothing else") {
    const EcnCounts lies[] = {{.ect0 = kVarintMax, .ect1 = kVarintMax, .ce = kVarintMax},
                              {.ect0 = 0, .ect1 = 1000, .ce = 0},
                              {.ect0 = 0, .ect1 = 0, .ce = kVarintMax},
                              {.ect0 = 0, .ect1 = 0, .ce = 0}};
    for (const Role role : kBothRoles) {
      for (const EcnCounts& lie : lies) {
        Attack s(role);
        REQUIRE(s.handshake());
        begin_upload(s, 100'000);
        s.puppet->acknowledges = false;
        for (int i = 0; i < 60; i++) {
          s.hit_with({.frames = ack_of({{0, largest(s) + 1}}, lie)});
          s.now += Duration::milliseconds(10);
        }
        CHECK(s.is_open());
        CHECK_GE(s.connection()->statistics().congestion_window, 2 * 1200);
        CHECK_EQ(s.connection()->statistics().streams.bytes_sent, 100'000);
        CHECK_FALSE(s.connection()->statistics().ecn_capable);
        CHECK(s.puppet->datagrams().back().ecn == Ecn::not_ect);
      }
      // Counts that go down, up and down again.
      Attack s(role);
      REQUIRE(s.handshake());
      s.puppet->acknowledges = false;
      for (uint64_t i = 0; i < 100; i++) {
        s.connection()->ping();
        s.hit(s.rng.bytes(30));
        const EcnCounts counts{.ect0 = i % 3 * 100, .ect1 = 0, .ce = i % 5 * 1'000'000};
        s.hit_with({.frames = ack_of({{0, largest(s) + 1}}, counts)});
      }
      CHECK(s.is_open());
    }
  }

  // RFC 9000 §13.2.1: ACKs are not answered by ACKs
  TEST_CASE("a flood of packets with nothing but ACK, PADDING or old numbers is not answered") {
    for (const Role role : kBothRoles) {
      Attack s(role);
      REQUIRE(s.handshake());
      const Data ack = ack_of({{0, largest(s) + 1}});
      for (int i = 0; i < 1000; i++) {
        if (i == 500) s.mark();
        s.hit_with({.frames = ack});
        s.hit_with({.frames = Data(100)});
        s.hit_with({.frames = frames(PingFrame{}), .number = 1});
      }
      CHECK(s.is_open());
      CHECK_EQ(s.datagrams_out, 0);
      CHECK_LE(s.heap, kSome);
    }
  }

  // RFC 9002 §6.2.1, §7.6; RFC 9000 §10.1
  TEST_CASE("a peer that never acknowledges is sent a window and then ever rarer probes, and forgotten") {
    for (const Role role : kBothRoles) {
      Attack s(role);
      REQUIRE(s.handshake());
      begin_upload(s);
      s.puppet_hears = false;
      s.mark();
      s.wait(Duration::seconds(29));
      CHECK_LE(s.datagrams_out, 10 + 2 * 20);
      CHECK_LE(s.heap, 8 * kSome);
      s.wait(Duration::seconds(120));
      REQUIRE(s.closed());
      CHECK(s.closed()->why == Closed::Why::idle_timeout);
      CHECK_EQ(s.endpoint->connections(), 0);
    }
  }

  // RFC 9002 §6.2.1
  TEST_CASE("a peer that sends but never acknowledges keeps us from sending more than a window and probes") {
    for (const Role role : kBothRoles) {
      Attack s(role);
      REQUIRE(s.handshake());
      begin_upload(s);
      s.puppet_hears = false;
      s.mark();
      for (int i = 0; i < 6000; i++) {
        s.hit_frames(PingFrame{});
        s.wait(Duration::milliseconds(10));
      }
      CHECK(s.is_open());
      CHECK_LE(s.datagrams_out, s.blows + 2000);
      CHECK_LE(s.heap, kUnansweredMemory);
    }
  }
}

}  // namespace quoll::quic::tests
