#include "quic/congestion/windowed_max.h"

#include <deque>

#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;

TEST_SUITE("windowed max") {
  TEST_CASE("rising values replace each other, falling ones wait for their turn") {
    WindowedMax<uint64_t> max;
    CHECK_EQ(max.update(5, 0, 10), 5);
    CHECK_EQ(max.update(7, 1, 10), 7);
    CHECK_EQ(max.update(6, 2, 10), 7);  // too soon after the best: not remembered
    CHECK_EQ(max.update(5, 4, 10), 7);
    CHECK_EQ(max.update(4, 7, 10), 7);
    CHECK_EQ(max.update(3, 11, 10), 7);  // the window reaches back to 1
    CHECK_EQ(max.update(2, 12, 10), 5);
    CHECK_EQ(max.update(1, 15, 10), 4);
  }

  TEST_CASE("after a rest that is longer than the window only the newest counts") {
    WindowedMax<uint64_t> max;
    max.update(9, 0, 10);
    CHECK_EQ(max.update(1, 100, 10), 1);
  }

  TEST_CASE("what it answers was seen within the window, and is no less than what came last") {
    const uint64_t seed = tests::test_seed(17);
    INFO("seed ", seed);
    tests::SeededRng rng(seed);
    for (int round = 0; round < 200; round++) {
      WindowedMax<uint64_t> max;
      std::deque<std::pair<uint64_t, uint64_t>> seen;  // time, value
      const uint64_t length = 1 + rng.below(20);
      uint64_t time = 0;
      for (int i = 0; i < 300; i++) {
        time += rng.below(3);
        const uint64_t value = rng.below(1000);
        const uint64_t best = max.update(value, time, length);
        seen.emplace_back(time, value);
        while (time - seen.front().first > length) seen.pop_front();
        uint64_t largest = 0;
        bool was_seen = false;
        for (const auto& [at, each] : seen) {
          largest = std::max(largest, each);
          was_seen |= each == best;
        }
        REQUIRE(was_seen);
        REQUIRE_LE(best, largest);
        REQUIRE_GE(best, value);
        REQUIRE_EQ(max.best(), best);
      }
    }
  }
}
