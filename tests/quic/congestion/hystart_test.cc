#include "quic/congestion/hystart.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;

namespace {

struct Rounds {
  /// A round of ten ACKs of 1000 bytes with that RTT; how much the window grew.
  uint64_t round(int64_t rtt_us, int samples = 10) {
    uint64_t grown = 0;
    const uint64_t sent_in_round = delivered;  // all packets of the round were sent when this was delivered
    for (int i = 0; i < samples; i++) {
      delivered += 1000;
      RateSample rate;
      rate.has_data = true;
      rate.prior_delivered = sent_in_round;
      rate.total_delivered = delivered;
      // The first ACK ends the round before, and the window doubles: the others were sent before its end.
      grown += hystart.on_ack(rate, Duration::microseconds(rtt_us), 1000);
    }
    return grown;
  }

  HyStart hystart;
  uint64_t delivered = 0;
};

}  // namespace

TEST_SUITE("quic hystart") {
  TEST_CASE("a steady RTT leaves slow start alone (RFC 9406 §4.2)") {
    Rounds rounds;
    for (int i = 0; i < 20; i++) CHECK_EQ(rounds.round(40'000), 10'000);
    CHECK_FALSE(rounds.hystart.is_conservative());
  }

  TEST_CASE("an RTT that rises by an eighth, within 4 to 16 ms, slows the growth to a quarter (RFC 9406 §4.2, §4.3)") {
    struct Row {
      int64_t rtt, threshold;
    };
    for (const Row row : {Row{10'000, 4000}, Row{80'000, 10'000}, Row{800'000, 16'000}}) {
      CAPTURE(row.rtt);
      Rounds below, above;
      below.round(row.rtt);
      below.round(row.rtt + row.threshold - 1);
      CHECK_FALSE(below.hystart.is_conservative());
      above.round(row.rtt);
      above.round(row.rtt + row.threshold);
      CHECK(above.hystart.is_conservative());
      CHECK_EQ(above.round(row.rtt + row.threshold), 2500);
    }
  }

  TEST_CASE("fewer than eight samples prove nothing (RFC 9406 §4.2)") {
    Rounds rounds;
    rounds.round(40'000);
    rounds.round(80'000, 7);
    CHECK_FALSE(rounds.hystart.is_conservative());
  }

  TEST_CASE("the smallest RTT of a round counts (RFC 9406 §4.2)") {
    Rounds rounds;
    rounds.round(40'000);
    rounds.round(41'000, 1);
    CHECK_FALSE(rounds.hystart.is_conservative());
  }

  TEST_CASE("slow start is over after five rounds, the one that began included (RFC 9406 §4.2)") {
    Rounds rounds;
    rounds.round(40'000);
    rounds.round(60'000);
    REQUIRE(rounds.hystart.is_conservative());
    for (int i = 0; i < 4; i++) {
      CHECK_FALSE(rounds.hystart.is_done());
      rounds.round(60'000);
    }
    CHECK_FALSE(rounds.hystart.is_done());
    rounds.round(60'000, 1);
    CHECK(rounds.hystart.is_done());
  }

  TEST_CASE("an RTT that falls below where it had risen resumes slow start (RFC 9406 §4.2)") {
    Rounds rounds;
    rounds.round(40'000);
    rounds.round(60'000);
    REQUIRE(rounds.hystart.is_conservative());
    rounds.round(59'999);
    CHECK_FALSE(rounds.hystart.is_conservative());
    CHECK_EQ(rounds.round(59'999), 10'000);
  }
}
