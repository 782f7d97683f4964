#include "base/mul_div.h"

#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace quoll;
using mul_div_detail::mul_div_portable;

TEST_SUITE("mul_div") {
  TEST_CASE("products beyond 64 bits are divided exactly") {
    static_assert(mul_div(7, 3, 2) == 10);
    static_assert(mul_div(7, 3, 2, Round::up) == 11);
    static_assert(mul_div(UINT64_MAX, UINT64_MAX, UINT64_MAX) == UINT64_MAX);
    static_assert(mul_div(UINT64_MAX - 1, UINT64_MAX, UINT64_MAX) == UINT64_MAX - 1);
    static_assert(mul_div(uint64_t{1} << 63, 6, 4) == uint64_t{3} << 62);
    static_assert(mul_div(uint64_t{1} << 63, 3, 7, Round::up) == mul_div(uint64_t{1} << 63, 3, 7) + 1);
  }

  TEST_CASE("a quotient beyond 64 bits saturates") {
    static_assert(mul_div(UINT64_MAX, 2, 1) == UINT64_MAX);
    static_assert(mul_div(uint64_t{1} << 32, uint64_t{1} << 32, 1) == UINT64_MAX);
    static_assert(mul_div(UINT64_MAX, UINT64_MAX, UINT64_MAX - 1, Round::up) == UINT64_MAX);
  }

  TEST_CASE("the code for hosts without a 128-bit type gives the same") {
    const uint64_t seed = tests::test_seed(8);
    INFO("seed ", seed);
    tests::SeededRng rng(seed);
    for (int i = 0; i < 100000; i++) {
      const uint64_t a = rng.next_u64() >> rng.below(64);
      const uint64_t b = rng.next_u64() >> rng.below(64);
      const uint64_t c = (rng.next_u64() >> rng.below(64)) | 1;
      CAPTURE(a);
      CAPTURE(b);
      CAPTURE(c);
      for (const Round round : {Round::down, Round::up}) {
        REQUIRE_EQ(mul_div(a, b, c, round), mul_div_portable(a, b, c, round));
      }
    }
  }
}
