#include "interop/link/bursts.h"

#include <vector>

#include <doctest/doctest.h>

#include "tests/support/random.h"

namespace quoll::link {
namespace {

Instant at(int64_t microseconds) { return Instant() + Duration::microseconds(microseconds); }

}  // namespace

TEST_SUITE("interop/link/bursts") {
  TEST_CASE("a window holds what came within its length, however packets lie in time") {
    const uint64_t seed = tests::test_seed(1);
    INFO("seed ", seed);
    tests::SeededRng rng(seed);
    struct Packet {
      int64_t at;
      uint64_t size;
    };
    std::vector<Packet> packets;
    BurstWindow window(Duration::milliseconds(1));
    uint64_t largest = 0;
    int64_t now = 0;
    for (int i = 0; i < 500; i++) {
      now += static_cast<int64_t>(rng.below(rng.below(2) == 0 ? 20 : 600));
      packets.push_back({.at = now, .size = 1 + rng.below(1500)});
      window.add(at(now), packets.back().size);
      uint64_t sum = 0;
      for (const Packet& packet : packets) sum += now - packet.at < 1000 ? packet.size : 0;
      largest = std::max(largest, sum);
      CHECK_EQ(window.bytes().largest_amount(), largest);
    }
    CHECK_EQ(window.bytes().count(), 500);
  }

  TEST_CASE("a gap ends a train, and the last train counts") {
    Bursts bursts;
    CHECK_EQ(bursts.trains().count(), 0);
    for (const int64_t time : {0, 50, 100, 151, 1000, 1001}) bursts.add(at(time), 1000);
    const Histogram trains = bursts.trains();
    CHECK_EQ(trains.count(), 3);  // of three, one and two
    CHECK_EQ(trains.largest_amount(), 3);
    CHECK_EQ(trains.quantile_amount(500), 2);
    CHECK_EQ(bursts.within_1ms().largest_amount(), 5000);
    CHECK_EQ(bursts.within_10ms().largest_amount(), 6000);
  }
}

}  // namespace quoll::link
