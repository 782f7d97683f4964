#include "quic/recovery/rtt.h"

#include "tests/quic/recovery/support.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;
using tests::at;
using tests::ms;

TEST_SUITE("quic rtt") {
  TEST_CASE("before a sample the initial RTT gives a PTO of about a second (RFC 9002 §6.2.2)") {
    const Rtt rtt;
    CHECK_FALSE(rtt.has_sample());
    CHECK_EQ(rtt.smoothed_rtt(), ms(333));
    CHECK_EQ(rtt.rttvar(), ms(333) / 2);
    CHECK_EQ(rtt.pto_base(), ms(999));
  }

  TEST_CASE("the first sample replaces the estimate, ACK delay and all (RFC 9002 §5.2, §5.3)") {
    Rtt rtt;
    rtt.on_sample(at(7), ms(40), {.reported = ms(30)});
    CHECK_EQ(rtt.first_sample(), at(7));
    CHECK_EQ(rtt.latest_rtt(), ms(40));
    CHECK_EQ(rtt.min_rtt(), ms(40));
    CHECK_EQ(rtt.smoothed_rtt(), ms(40));
    CHECK_EQ(rtt.rttvar(), ms(20));
  }

  TEST_CASE("later samples are averaged as RFC 9002 §5.3 and §A.7 say") {
    Rtt rtt;
    rtt.on_sample(at(0), ms(40), {});
    rtt.on_sample(at(1), ms(80), {.reported = ms(8), .limit = ms(25)});
    CHECK_EQ(rtt.rttvar(), (3 * ms(20) + ms(32)) / 4);  // adjusted to 72, with the smoothed_rtt before
    CHECK_EQ(rtt.smoothed_rtt(), ms(44));
    CHECK_EQ(rtt.min_rtt(), ms(40));
    rtt.on_sample(at(2), ms(20), {});
    CHECK_EQ(rtt.min_rtt(), ms(20));
    CHECK_EQ(rtt.smoothed_rtt(), ms(41));
  }

  TEST_CASE("an ACK delay beyond max_ack_delay counts as part of the path (RFC 9002 §5.3)") {
    Rtt rtt;
    rtt.on_sample(at(0), ms(40), {});
    rtt.on_sample(at(1), ms(140), {.reported = ms(90), .limit = ms(20)});
    CHECK_EQ(rtt.smoothed_rtt(), ms(50));  // 7/8 * 40 + 1/8 * 120
  }

  TEST_CASE("an ACK delay that leads below min_rtt is not believed (RFC 9002 §5.3)") {
    Rtt rtt;
    rtt.on_sample(at(0), ms(40), {});
    rtt.on_sample(at(1), ms(48), {.reported = ms(9)});
    CHECK_EQ(rtt.smoothed_rtt(), ms(41));
    rtt.on_sample(at(2), ms(48), {.reported = Duration::infinite()});
    CHECK_LT(rtt.smoothed_rtt(), ms(42));
  }

  TEST_CASE("persistent congestion sets min_rtt to the newest sample (RFC 9002 §5.2)") {
    Rtt rtt;
    rtt.on_sample(at(0), ms(40), {});
    rtt.on_sample(at(1), ms(90), {});
    rtt.on_persistent_congestion();
    CHECK_EQ(rtt.min_rtt(), ms(90));
  }

  TEST_CASE("periods have the timer granularity as their floor (RFC 9002 §6.1.2, §6.2.1)") {
    Rtt rtt;
    rtt.on_sample(at(0), Duration(), {});
    CHECK_EQ(rtt.latest_rtt(), Rtt::kSmallestSample);
    CHECK_EQ(rtt.loss_delay(9), kGranularity);
    CHECK_GE(rtt.pto_base(), kGranularity);
    rtt.on_sample(at(1), ms(800), {});
    CHECK_EQ(rtt.loss_delay(9), ms(900));
  }

  TEST_CASE("the span of persistent congestion is three times the PTO with max_ack_delay (RFC 9002 §7.6.1)") {
    Rtt rtt;
    rtt.on_sample(at(0), ms(40), {});
    CHECK_EQ(rtt.persistent_congestion_duration(ms(25)), 3 * ms(40 + 80 + 25));
  }
}
