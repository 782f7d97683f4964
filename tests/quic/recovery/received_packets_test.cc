#include "quic/recovery/received_packets.h"

#include <set>

#include "tests/quic/recovery/support.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;
using tests::at;
using tests::ms;

namespace {

constexpr ReceivedPackets::Packet eliciting(PacketNumber number, Ecn ecn = Ecn::not_ect) {
  return {.number = number, .ack_eliciting = true, .ecn = ecn};
}

}  // namespace

TEST_SUITE("quic received packets") {
  TEST_CASE("one ack-eliciting packet waits for max_ack_delay, the second brings the ACK (RFC 9000 §13.2.1, §13.2.2)") {
    ReceivedPackets received(Space::application);
    CHECK(received.next_timeout().is_never());
    received.on_packet(at(10), eliciting(0));
    CHECK(received.has_unacked());
    CHECK_FALSE(received.is_due(at(34)));
    CHECK_EQ(received.next_timeout(), at(35));
    CHECK(received.is_due(at(35)));
    received.on_packet(at(11), eliciting(1));
    CHECK(received.is_due(at(11)));
    received.on_ack_sent(false);
    CHECK_FALSE(received.is_due(at(1000)));
    CHECK(received.next_timeout().is_never());
  }

  TEST_CASE("a batch of packets gets one ACK (RFC 9000 §13.2.2)") {
    ReceivedPackets received(Space::application);
    for (PacketNumber number = 0; number < 30; number++) received.on_packet(at(5), eliciting(number));
    CHECK(received.is_due(at(5)));
    received.on_ack_sent(false);
    CHECK_FALSE(received.is_due(at(5)));
    CHECK_FALSE(received.has_unacked());
  }

  TEST_CASE("Initial and Handshake packets are acknowledged at once (RFC 9000 §13.2.1)") {
    for (const Space space : {Space::initial, Space::handshake}) {
      ReceivedPackets received(space, {.ack_eliciting_threshold = 10});
      received.on_packet(at(10), eliciting(0));
      CHECK(received.is_due(at(10)));
    }
  }

  TEST_CASE("packets that are not ack-eliciting bring no ACK, gaps or not (RFC 9000 §13.2.1)") {
    ReceivedPackets received(Space::application);
    for (const PacketNumber number : {0, 7, 3, 20}) received.on_packet(at(0), {.number = number});
    CHECK_FALSE(received.has_unacked());
    CHECK(received.next_timeout().is_never());
    CHECK_EQ(received.ranges().size(), 4);
  }

  TEST_CASE("a gap and an old packet are reported at once (RFC 9000 §13.2.1)") {
    ReceivedPackets received(Space::application);
    received.on_packet(at(0), eliciting(0));
    received.on_ack_sent(false);
    received.on_packet(at(1), eliciting(2));
    CHECK(received.is_due(at(1)));
    received.on_ack_sent(false);
    received.on_packet(at(2), eliciting(3));  // the gap is older than 2
    CHECK_FALSE(received.is_due(at(2)));
    received.on_packet(at(3), eliciting(1));
    CHECK(received.is_due(at(3)));
  }

  TEST_CASE("numbers of packets that are not ack-eliciting are no gap") {
    ReceivedPackets received(Space::application);
    received.on_packet(at(0), {.number = 0});
    received.on_packet(at(0), eliciting(1));
    CHECK_FALSE(received.is_due(at(0)));
    received.on_ack_sent(false);
    received.on_packet(at(0), {.number = 2});
    received.on_packet(at(0), eliciting(3));
    CHECK_FALSE(received.is_due(at(0)));
  }

  TEST_CASE("CE is reported at once (RFC 9000 §13.2.1), with a high threshold where it begins") {
    ReceivedPackets received(Space::application);
    for (PacketNumber number = 0; number < 3; number++) {
      received.on_packet(at(0), eliciting(number, Ecn::ce));
      CHECK(received.is_due(at(0)));
      received.on_ack_sent(false);
    }
    ReceivedPackets seldom(Space::application, {.ack_eliciting_threshold = 10});
    seldom.on_packet(at(0), eliciting(0, Ecn::ce));
    CHECK(seldom.is_due(at(0)));
    seldom.on_ack_sent(false);
    seldom.on_packet(at(0), eliciting(1, Ecn::ce));
    CHECK_FALSE(seldom.is_due(at(0)));
    seldom.on_packet(at(0), eliciting(2, Ecn::ect0));
    seldom.on_packet(at(0), eliciting(3, Ecn::ce));
    CHECK(seldom.is_due(at(0)));
  }

  TEST_CASE("the tables of draft-ietf-quic-ack-frequency §6.2.1") {
    struct Row {
      PacketNumber number;
      bool due;
    };
    const auto follows = [](uint64_t threshold, std::vector<Row> rows) {
      ReceivedPackets received(Space::application,
                               {.ack_eliciting_threshold = 1000, .reordering_threshold = threshold});
      for (const Row& row : rows) {
        CAPTURE(row.number);
        received.on_packet(at(0), eliciting(row.number));
        CHECK_EQ(received.is_due(at(0)), row.due);
        if (row.due) received.on_ack_sent(false);
      }
    };
    follows(3, {{0, false}, {1, false}, {3, false}, {4, false}, {5, true}, {8, false}, {9, true}, {10, true}});
    follows(5, {{0, false}, {1, false}, {3, false}, {5, false}, {6, false}, {7, true}, {8, false}, {9, true}});
    follows(0, {{0, false}, {5, false}, {90, false}, {1, false}});
    // A packet that the peer has given up already.
    follows(3, {{0, false}, {2, false}, {3, false}, {4, true}, {1, true}});
  }

  TEST_CASE("the delay counts from the arrival of the largest packet (RFC 9000 §13.2.5)") {
    ReceivedPackets received(Space::application);
    received.on_packet(at(10), eliciting(5));
    received.on_packet(at(15), eliciting(4));
    CHECK_EQ(received.ack_delay(at(22)), ms(12));
    received.on_packet(at(20), eliciting(6));
    CHECK_EQ(received.ack_delay(at(22)), ms(2));
    CHECK_EQ(received.ack_delay(at(19)), Duration());
  }

  TEST_CASE("marks count once per packet, and are not reported when there are none (RFC 9000 §13.4.1)") {
    ReceivedPackets received(Space::application);
    received.on_packet(at(0), eliciting(0));
    CHECK_FALSE(received.ecn_counts());
    received.on_packet(at(0), eliciting(1, Ecn::ect0));
    received.on_packet(at(0), eliciting(2, Ecn::ect0));
    received.on_packet(at(0), eliciting(3, Ecn::ce));
    received.on_packet(at(0), eliciting(4, Ecn::ect1));
    CHECK(received.ecn_counts() == EcnCounts{.ect0 = 2, .ect1 = 1, .ce = 1});
  }

  TEST_CASE("an acknowledged ACK lets ranges be forgotten, but the largest (RFC 9000 §13.2.3, §13.2.4)") {
    ReceivedPackets received(Space::application);
    for (const PacketNumber number : {0, 1, 4, 5, 8}) received.on_packet(at(0), eliciting(number));
    received.on_ack_sent(true);
    for (const PacketNumber number : {9, 10}) received.on_packet(at(0), eliciting(number));
    received.on_ack_acked(8);
    REQUIRE_EQ(received.ranges().size(), 1);
    CHECK(received.ranges().front() == Interval{9, 11});
    received.on_ack_acked(10);
    CHECK(received.ranges().front() == Interval{10, 11});
    CHECK_EQ(received.largest_received(), 10);
    // What is forgotten is never taken for new.
    for (PacketNumber number = 0; number <= 10; number++) CHECK(received.is_duplicate(number));
    CHECK_FALSE(received.is_duplicate(11));
  }

  TEST_CASE("ranges are bounded, and packets below the forgotten ones are duplicates (RFC 9000 §13.2.3)") {
    ReceivedPackets received(Space::application);
    for (PacketNumber number = 0; number < 4 * kReceivedRangesMax; number += 2)
      received.on_packet(at(0), eliciting(number));
    CHECK_EQ(received.ranges().size(), kReceivedRangesMax);
    const PacketNumber lowest = received.ranges().front().start;
    CHECK_EQ(lowest, 2 * kReceivedRangesMax);
    for (PacketNumber number = 0; number < lowest; number++) CHECK(received.is_duplicate(number));
    CHECK_FALSE(received.is_duplicate(lowest + 1));
    CHECK_EQ(received.ranges().back().end, 4 * kReceivedRangesMax - 1);
  }

  TEST_CASE("many ACKs that nobody acknowledges want a PING, once (RFC 9000 §13.2.4)") {
    ReceivedPackets received(Space::application);
    for (uint32_t i = 0; i < kAcksBeforePing; i++) {
      CHECK_FALSE(received.wants_ping());
      received.on_packet(at(0), eliciting(i));
      received.on_ack_sent(false);
    }
    CHECK(received.wants_ping());
    received.on_ack_sent(true);
    CHECK_FALSE(received.wants_ping());
  }

  TEST_CASE("duplicates are recognised as a plain set would, above what is forgotten") {
    const uint64_t seed = tests::test_seed(2);
    INFO("seed ", seed);
    tests::SeededRng rng(seed);
    ReceivedPackets received(Space::application);
    std::set<PacketNumber> model;
    PacketNumber newest = 0;
    for (int step = 0; step < 20'000; step++) {
      newest += rng.below(3);
      const PacketNumber number = newest - std::min(newest, rng.below(rng.below(8) == 0 ? 200 : 4));
      if (model.contains(number)) REQUIRE(received.is_duplicate(number));
      if (!received.is_duplicate(number)) {
        REQUIRE_FALSE(model.contains(number));
        received.on_packet(at(step), eliciting(number));
        model.insert(number);
      }
      if (received.is_due(at(step))) received.on_ack_sent(true);
      if (rng.below(100) == 0) received.on_ack_acked(newest - std::min<uint64_t>(newest, 300));
      REQUIRE_EQ(received.largest_received(), *model.rbegin());
      REQUIRE_EQ(received.ranges().back().end, *model.rbegin() + 1);
      REQUIRE_LE(received.ranges().size(), kReceivedRangesMax);
    }
  }
}
