// Marks without a name are of draft-ietf-ccwg-bbr.
#include "quic/recovery/delivery_rate.h"

#include "tests/quic/recovery/support.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;
using tests::at;
using tests::ms;

TEST_SUITE("quic delivery rate") {
  TEST_CASE("the rate is what was delivered in the longer of sending and acknowledging (§4.1.2.3)") {
    DeliveryRate rate;
    std::vector<DeliveryRate::Packet> packets;
    uint64_t in_flight = 0;
    for (int i = 0; i < 10; i++) {  // one per ms
      packets.push_back(rate.on_packet_sent(at(i), 1000, in_flight));
      in_flight += 1000;
    }
    CHECK_EQ(packets[9].tx_in_flight, 10'000);
    RateSample sample;
    for (int i = 0; i < 10; i++) {  // acknowledged one per 2 ms
      rate.begin_ack();
      rate.on_packet_acked(at(50 + 2 * i), packets[static_cast<size_t>(i)],
                           {.time_sent = at(i), .packet_number = static_cast<uint64_t>(i), .size = 1000});
      sample = rate.finish_ack(ms(50));
    }
    CHECK_EQ(sample.delivered, 10'000);
    CHECK_EQ(sample.interval, ms(68));
    CHECK_EQ(sample.delivery_rate, Bandwidth::of(10'000, ms(68)));
    // A second window shows the bottleneck: 500 bytes per ms.
    const auto next = rate.on_packet_sent(at(68), 1000, 10'000);
    rate.begin_ack();
    rate.on_packet_acked(at(118), next, {.time_sent = at(68), .packet_number = 10, .size = 1000});
    sample = rate.finish_ack(ms(50));
    CHECK_EQ(sample.ack_elapsed, ms(50));
    CHECK_EQ(sample.send_elapsed, ms(68 - 9));
    CHECK_EQ(sample.prior_delivered, 10'000);
    CHECK_EQ(sample.total_delivered, 11'000);
  }

  TEST_CASE("compressed ACKs do not look like bandwidth (§4.1.1.2)") {
    DeliveryRate rate;
    const auto a = rate.on_packet_sent(at(0), 1000, 0);
    const auto b = rate.on_packet_sent(at(40), 1000, 1000);
    rate.begin_ack();
    rate.on_packet_acked(at(60), a, {.time_sent = at(0), .packet_number = 0, .size = 1000});
    rate.on_packet_acked(at(60), b, {.time_sent = at(40), .packet_number = 1, .size = 1000});
    const RateSample sample = rate.finish_ack(ms(20));
    CHECK_EQ(sample.newly_acked, 2000);
    CHECK_EQ(sample.interval, ms(60));
    CHECK_EQ(sample.delivered, 2000);
  }

  TEST_CASE("the newest packet of an ACK counts, in whatever order they come (§4.1.2.3)") {
    DeliveryRate rate;
    const auto a = rate.on_packet_sent(at(0), 1000, 0);
    rate.on_app_limited(1000);
    const auto b = rate.on_packet_sent(at(0), 1000, 1000);
    rate.begin_ack();
    rate.on_packet_acked(at(60), b, {.time_sent = at(0), .packet_number = 1, .size = 1000});
    rate.on_packet_acked(at(60), a, {.time_sent = at(0), .packet_number = 0, .size = 1000});
    CHECK(rate.finish_ack(ms(20)).is_app_limited);
  }

  TEST_CASE("idle time does not count (§4.1.2.2)") {
    DeliveryRate rate;
    const auto a = rate.on_packet_sent(at(0), 1000, 0);
    rate.begin_ack();
    rate.on_packet_acked(at(50), a, {.time_sent = at(0), .packet_number = 0, .size = 1000});
    (void)rate.finish_ack(ms(50));
    const auto b = rate.on_packet_sent(at(5000), 1000, 0);
    rate.begin_ack();
    rate.on_packet_acked(at(5050), b, {.time_sent = at(5000), .packet_number = 1, .size = 1000});
    CHECK_EQ(rate.finish_ack(ms(50)).interval, ms(50));
  }

  TEST_CASE("an application's bubble marks samples until it is delivered (§4.1.2.4)") {
    DeliveryRate rate;
    rate.on_app_limited(0);
    CHECK(rate.is_app_limited());
    const auto a = rate.on_packet_sent(at(0), 1000, 0);
    const auto b = rate.on_packet_sent(at(0), 1000, 1000);
    CHECK(a.is_app_limited);
    rate.begin_ack();
    rate.on_packet_acked(at(50), a, {.time_sent = at(0), .packet_number = 0, .size = 1000});
    CHECK(rate.finish_ack(ms(50)).is_app_limited);
    CHECK_FALSE(rate.is_app_limited());
    rate.begin_ack();
    rate.on_packet_acked(at(51), b, {.time_sent = at(0), .packet_number = 1, .size = 1000});
    CHECK(rate.finish_ack(ms(50)).is_app_limited);  // as when it was sent
  }

  TEST_CASE("intervals below min_rtt give no rate (§4.1.2.3)") {
    DeliveryRate rate;
    const auto a = rate.on_packet_sent(at(0), 1000, 0);
    rate.begin_ack();
    rate.on_packet_acked(at(10), a, {.time_sent = at(0), .packet_number = 0, .size = 1000});
    const RateSample sample = rate.finish_ack(ms(20));
    CHECK(sample.has_data);
    CHECK(sample.delivery_rate.is_zero());
    rate.begin_ack();
    CHECK_FALSE(rate.finish_ack(ms(20)).has_data);
  }

  TEST_CASE("losses since the packet was sent are counted (§2.3)") {
    DeliveryRate rate;
    (void)rate.on_packet_lost({}, 500);
    const auto a = rate.on_packet_sent(at(0), 1000, 0);
    rate.begin_ack();
    rate.on_packet_acked(at(10), a, {.time_sent = at(0), .packet_number = 0, .size = 1000});
    (void)rate.on_packet_lost({}, 700);
    const RateSample sample = rate.finish_ack(ms(1));
    CHECK_EQ(sample.lost, 700);
    CHECK_EQ(sample.newly_lost, 700);
    CHECK_EQ(rate.lost(), 1200);
  }

  TEST_CASE("more than 2 % lost of what was in flight is excessive, and it is said where that began (§5.5.10.2)") {
    DeliveryRate rate;
    std::vector<DeliveryRate::Packet> packets;
    for (uint64_t i = 0; i < 100; i++) packets.push_back(rate.on_packet_sent(at(0), 1000, 100'000));
    CHECK_FALSE(rate.on_packet_lost(packets[0], 1000));
    CHECK_FALSE(rate.on_packet_lost(packets[1], 1000));  // 2000 of 101,000
    const auto excess = rate.on_packet_lost(packets[2], 1000);
    REQUIRE(excess);
    CHECK_EQ(excess->lost, 3000);
    CHECK_EQ(excess->tx_in_flight, 101'000);
    // 100,000 were in flight before it, of which 2000 were lost: just the threshold.
    CHECK_EQ(excess->inflight_at_threshold(), 100'000);
    // With 1000 of them lost, 1020 more could have been, all of them lost: 2 % of 101,020.
    CHECK_EQ(ExcessiveLoss{.tx_in_flight = 102'000, .lost = 3000, .size = 2000}.inflight_at_threshold(), 101'020);
    // Five of a hundred may be chance on a path that loses two, with two standard deviations of 1.7 packets each; six are none.
    CHECK_FALSE(excess->is_certain);
    for (size_t i = 3; i < 5; i++) CHECK_FALSE(rate.on_packet_lost(packets[i], 1000)->is_certain);
    CHECK(rate.on_packet_lost(packets[5], 1000)->is_certain);
    // The more packets there are, the less is chance: 2.4 % of 10,000. Two datagrams always may be.
    CHECK_FALSE(is_certainly_excessive_loss(230'000, 10'000'000));
    CHECK(is_certainly_excessive_loss(240'000, 10'000'000));
    CHECK_FALSE(is_certainly_excessive_loss(2900, 5000));
    // What was lost before a packet was sent does not count for it.
    CHECK_FALSE(rate.on_packet_lost(rate.on_packet_sent(at(1), 1000, 100'000), 1000));
  }
}
