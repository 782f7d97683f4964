#include "quic/endpoint/rate_limit.h"

#include "tests/quic/endpoint/support.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;
using tests::at_ms;

namespace {

int taken(TokenBucket& bucket, Instant now, uint32_t reserve = 0) {
  int count = 0;
  while (bucket.take(now, reserve)) count++;
  return count;
}

}  // namespace

TEST_SUITE("quic rate limit") {
  TEST_CASE("a second's worth may be taken at once, then at the rate") {
    TokenBucket bucket(100);
    CHECK_EQ(taken(bucket, at_ms(0)), 100);
    CHECK_EQ(taken(bucket, at_ms(10)), 1);
    CHECK_EQ(taken(bucket, at_ms(15)), 0);
    CHECK_EQ(taken(bucket, at_ms(20)), 1);
    CHECK_EQ(taken(bucket, at_ms(520)), 50);
    CHECK_EQ(taken(bucket, at_ms(100'000'000)), 100);
  }

  TEST_CASE("a reserve is left for others") {
    TokenBucket bucket(100);
    CHECK_EQ(taken(bucket, at_ms(0), 50), 50);
    CHECK_EQ(taken(bucket, at_ms(0)), 50);
  }

  TEST_CASE("a rate of zero allows nothing, and the highest one does not overflow") {
    TokenBucket none(0);
    CHECK_EQ(taken(none, at_ms(0)), 0);
    CHECK_EQ(taken(none, at_ms(100'000)), 0);
    TokenBucket most(UINT32_MAX);
    CHECK(most.take(at_ms(0)));
    CHECK(most.take(Instant::from_nanoseconds(INT64_MAX - 1)));
    CHECK(most.take(at_ms(0)));
  }

  TEST_CASE("steps of any size lose nothing") {
    const uint64_t seed = tests::test_seed(6);
    INFO("seed " << seed);
    tests::SeededRng rng(seed);
    TokenBucket bucket(7);
    (void)taken(bucket, at_ms(0));
    int64_t now = 0;
    int count = 0;
    while (now < 100'000'000'000) {
      now += static_cast<int64_t>(rng.below(100'000'000));
      count += taken(bucket, Instant::from_nanoseconds(now));
    }
    CHECK(count == now * 7 / 1'000'000'000);
  }
}
