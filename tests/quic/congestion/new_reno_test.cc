#include "quic/congestion/new_reno.h"

#include "tests/quic/congestion/support.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;
using Reno = tests::Flow<NewReno>;

TEST_SUITE("quic new reno") {
  TEST_CASE("initial and minimum windows are those of RFC 9002 §7.2") {
    CHECK_EQ(initial_window(1200), 12'000);
    CHECK_EQ(initial_window(1472), 14'720);
    CHECK_EQ(initial_window(1500), 14'720);
    CHECK_EQ(initial_window(9000), 18'000);
    CHECK_EQ(minimum_window(1200), 2400);
    CHECK_EQ(Reno().window(), 12'000);
  }

  TEST_CASE("slow start grows by the bytes acknowledged (RFC 9002 §7.3.1)") {
    Reno flow;
    CHECK(flow.controller.state() == CongestionState::slow_start);
    flow.ack(100, 0, 3600);
    CHECK_EQ(flow.window(), 15'600);
    CHECK_EQ(flow.controller.slow_start_threshold(), UINT64_MAX);
  }

  TEST_CASE("a loss halves the window once per recovery period (RFC 9002 §7.3.2)") {
    Reno flow;
    flow.lose(100, 0);
    CHECK_EQ(flow.window(), 6000);
    CHECK_EQ(flow.controller.slow_start_threshold(), 6000);
    CHECK(flow.controller.state() == CongestionState::recovery);
    CHECK_EQ(flow.controller.recovery_start(), Reno::at(100));
    flow.lose(150, 100);
    flow.mark(160, 90);
    CHECK_EQ(flow.window(), 6000);
    flow.ack(170, 100, 6000);  // sent before recovery: no growth
    CHECK_EQ(flow.window(), 6000);
    CHECK(flow.controller.state() == CongestionState::recovery);
    flow.ack(220, 101, 1200);
    CHECK(flow.controller.state() == CongestionState::congestion_avoidance);
    flow.lose(230, 110);
    CHECK_EQ(flow.window(), 3000);
    flow.lose(400, 390);
    CHECK_EQ(flow.window(), 2400);  // RFC 9002 §7.2: never below the minimum
  }

  TEST_CASE("an increase of CE counts is a loss to the window (RFC 9002 §7.1)") {
    Reno flow;
    flow.mark(100, 0);
    CHECK_EQ(flow.window(), 6000);
    CHECK(flow.controller.state() == CongestionState::recovery);
  }

  TEST_CASE("congestion avoidance adds one datagram per window (RFC 9002 §7.3.3)") {
    Reno flow;
    flow.lose(100, 0);
    for (int i = 0; i < 4; i++) flow.ack(200, 110, 1200);
    CHECK_EQ(flow.window(), 6000);
    flow.ack(200, 110, 1200);
    CHECK_EQ(flow.window(), 7200);
    flow.ack(300, 210, 7000);
    CHECK_EQ(flow.window(), 7200);
    flow.ack(300, 210, 200);
    CHECK_EQ(flow.window(), 8400);
  }

  TEST_CASE("persistent congestion leads to the minimum and to slow start (RFC 9002 §7.6.2)") {
    Reno flow;
    flow.lose(1000, 900, true);
    CHECK_EQ(flow.window(), 2400);
    CHECK_EQ(flow.controller.slow_start_threshold(), 6000);
    CHECK(flow.controller.state() == CongestionState::slow_start);
    flow.ack(1100, 950, 1200);  // the recovery period is over
    CHECK_EQ(flow.window(), 3600);
  }

  TEST_CASE("one packet may leave beyond the window on entering recovery (RFC 9002 §7.3.2)") {
    Reno flow;
    CHECK(flow.controller.can_send(10'800, 1200));
    CHECK_FALSE(flow.controller.can_send(10'801, 1200));
    flow.lose(100, 0);
    CHECK(flow.controller.can_send(10'000, 1200));
    flow.controller.on_packet_sent({.now = Reno::at(100), .bytes = 1200, .bytes_in_flight = 11'200});
    CHECK_FALSE(flow.controller.can_send(11'200, 1200));
  }

  TEST_CASE("a window that is not used does not grow (RFC 9002 §7.8)") {
    Reno flow;
    flow.ack(100, 0, 3000, 3000);
    CHECK_EQ(flow.window(), 12'000);
    flow.lose(200, 150);
    for (int i = 0; i < 100; i++) flow.ack(300 + i, 250, 3000, 4000);
    CHECK_EQ(flow.window(), 6000);
    // What was in flight counts at its most within the round.
    flow.controller.on_packet_sent({.now = Reno::at(500), .bytes = 6000, .bytes_in_flight = 6000});
    flow.ack(600, 500, 6000, 1200);
    CHECK_EQ(flow.window(), 7200);
  }

  TEST_CASE("a window unused for minutes shrinks to the initial one (RFC 9002 §7.8)") {
    Reno flow;
    for (int i = 0; i < 3; i++) flow.ack(100, 0, flow.window());
    CHECK_EQ(flow.window(), 96'000);
    const auto send = [&](int64_t now) {
      flow.controller.on_packet_sent({.now = Reno::at(now), .bytes = 1200, .bytes_in_flight = 1200});
    };
    send(100);
    send(299'000);
    CHECK_EQ(flow.window(), 96'000);
    send(299'000 + 300'000);
    CHECK_EQ(flow.window(), 48'000);
    send(10'000'000);
    CHECK_EQ(flow.window(), 12'000);
  }

  TEST_CASE("a spurious loss is undone, a mark is not (RFC 9438 §4.9)") {
    Reno flow;
    flow.ack(100, 0, 12'000);
    flow.lose(150, 100);
    CHECK_EQ(flow.window(), 12'000);
    flow.controller.on_spurious_loss(Reno::at(160));
    CHECK_EQ(flow.window(), 24'000);
    CHECK_EQ(flow.controller.slow_start_threshold(), UINT64_MAX);
    CHECK(flow.controller.state() == CongestionState::slow_start);
    flow.controller.on_spurious_loss(Reno::at(161));
    CHECK_EQ(flow.window(), 24'000);
    flow.lose(200, 190);
    flow.mark(210, 195);
    flow.controller.on_spurious_loss(Reno::at(220));
    CHECK_EQ(flow.window(), 12'000);
  }

  TEST_CASE("the initial window follows the datagram size (RFC 9002 §7.2)") {
    Reno flow;
    flow.controller.set_max_datagram_size(1452);
    CHECK_EQ(flow.window(), 14'520);
    flow.ack(100, 0, 1000);
    flow.controller.set_max_datagram_size(1200);
    CHECK_EQ(flow.window(), 15'520);
  }

  TEST_CASE("as much may leave at once as an ACK of two datagrams releases: four in slow start, two after it") {
    Reno flow;
    CHECK_EQ(flow.controller.burst(), 4800);
    flow.controller.set_max_datagram_size(1452);
    CHECK_EQ(flow.controller.burst(), 5808);
    flow.lose(100, 90);
    CHECK_EQ(flow.controller.burst(), 2904);
  }

  TEST_CASE("random events agree with Appendix B of RFC 9002") {
    const uint64_t seed = tests::test_seed(4);
    INFO("seed ", seed);
    tests::SeededRng rng(seed);
    for (int round = 0; round < 50; round++) {
      Reno flow;
      double window = 12'000, ssthresh = 1e18;
      int64_t now = 1000, recovery_start = -1;
      for (int step = 0; step < 500; step++) {
        now += static_cast<int64_t>(rng.below(30));
        const int64_t sent = now - static_cast<int64_t>(rng.below(100));
        const uint64_t choice = rng.below(100);
        if (choice < 90) {
          const uint64_t bytes = 1 + rng.below(3000);
          const bool avoidance = window >= ssthresh && sent > recovery_start;
          if (sent > recovery_start)
            window += avoidance ? 1200.0 * static_cast<double>(bytes) / window : static_cast<double>(bytes);
          flow.ack(now, sent, bytes);
        } else {
          const bool persistent = choice == 99;
          if (sent > recovery_start) {
            recovery_start = now;
            ssthresh = std::max(window / 2, 2400.0);
            window = ssthresh;
          }
          if (persistent) window = 2400, recovery_start = -1;
          choice % 2 == 0 ? flow.mark(now, sent) : flow.lose(now, sent, persistent);
        }
        // Whole datagrams against fractions: they differ by what is counted towards the next one.
        const double difference = static_cast<double>(flow.window()) - window;
        REQUIRE_LT(std::abs(difference), 0.2 * window + 2400);
        REQUIRE_GE(flow.window(), 2400);
        if (choice >= 90) {
          window = static_cast<double>(flow.window());
          ssthresh = static_cast<double>(flow.controller.slow_start_threshold());
        }
      }
    }
  }
}
