#include "interop/link/wire.h"

#include <algorithm>

#include "interop/link/packet.h"
#include "tests/interop/link/packets.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

namespace quoll::link {
namespace {

// With this size and rate a packet takes a millisecond, the PPP header included.
constexpr size_t kSize = 1248;
constexpr Bandwidth kRate = Bandwidth::bits_per_second(10'000'000);

Instant at_ms(double count) { return Instant::from_nanoseconds(static_cast<int64_t>(count * 1e6)); }

struct Line {
  explicit Line(WireConfig config) : rng(1), wire(std::move(config), rng) {}

  Wire::Offered offer(Instant now, std::vector<uint8_t> packet = std::vector<uint8_t>(kSize)) {
    run_to(now);
    const Wire::Offered offered = wire.offer(std::move(packet), now);
    run_to(now);
    return offered;
  }
  void run_to(Instant now) {
    while (const Wire::InFlight* flight = wire.start(now)) started.push_back(flight->started);
  }
  std::vector<Instant> arrivals(Instant now) {
    run_to(now);
    std::vector<Instant> all;
    while (const std::optional<Wire::InFlight> flight = wire.arrive(now)) all.push_back(flight->due);
    return all;
  }

  tests::SeededRng rng;
  Wire wire;
  std::vector<Instant> started;
};

WireConfig config(size_t queue) { return {.rate = kRate, .delay = Duration::milliseconds(15), .queue = queue}; }

}  // namespace

TEST_SUITE("interop/link/wire") {
  TEST_CASE("a packet alone arrives after its transmission and the delay") {
    Line line(config(25));
    CHECK(line.wire.next_arrival().is_never());
    line.offer(at_ms(100));
    CHECK_EQ(line.wire.next_arrival(), at_ms(116));
    CHECK(line.arrivals(at_ms(115.999)).empty());
    CHECK_EQ(line.arrivals(at_ms(116)), std::vector{at_ms(116)});
    CHECK(line.wire.next_arrival().is_never());
  }

  TEST_CASE("a queue of N takes N packets beside the device's own and the one in transmission") {
    for (const size_t queue : {0, 1, 25}) {
      Line line(config(queue));
      for (size_t i = 0; i < queue + 2; i++) CHECK_EQ(line.offer(at_ms(0)), Wire::Offered::queued);
      CHECK_EQ(line.wire.waiting(), queue + 1);
      CHECK_EQ(line.offer(at_ms(0.999)), Wire::Offered::dropped);
      CHECK_EQ(line.offer(at_ms(1)), Wire::Offered::queued);
      CHECK_EQ(line.offer(at_ms(1)), Wire::Offered::dropped);
    }
  }

  TEST_CASE("packets that wait leave at the rate, whenever somebody looks") {
    Line eager(config(25)), late(config(25));
    for (int i = 0; i < 20; i++) {
      eager.offer(at_ms(0.1 * i));
      late.offer(at_ms(0.1 * i));
    }
    std::vector<Instant> arrived;
    for (double now = 2; now < 60; now += 0.25) {
      for (const Instant due : eager.arrivals(at_ms(now))) arrived.push_back(due);
    }
    CHECK_EQ(arrived, late.arrivals(at_ms(60)));
    CHECK_EQ(eager.started, late.started);
    REQUIRE_EQ(arrived.size(), 20);
    for (int i = 0; i < 20; i++) CHECK_EQ(arrived[static_cast<size_t>(i)], at_ms(16 + i));
    // The transmitter was idle since 20 ms, and owes nothing for it.
    late.offer(at_ms(100));
    CHECK_EQ(late.arrivals(at_ms(200)), std::vector{at_ms(116)});
  }

  TEST_CASE("random arrivals: the rate is never exceeded, the transmitter never idles before a queue") {
    const uint64_t seed = tests::test_seed(1);
    INFO("seed ", seed);
    tests::SeededRng rng(seed);
    Line line(config(10));
    Instant now, free_at;
    std::vector<Instant> expected;
    size_t dropped = 0;
    for (int i = 0; i < 20'000; i++) {
      now += Duration::microseconds(static_cast<int64_t>(rng.below(1'200)));
      const size_t size = 28 + rng.below(1473);
      if (line.offer(now, std::vector<uint8_t>(size)) == Wire::Offered::dropped) {
        dropped++;
        continue;
      }
      free_at = std::max(free_at, now) + kRate.time_for(size + 2);
      expected.push_back(free_at + Duration::milliseconds(15));
    }
    CHECK_EQ(line.arrivals(now + Duration::seconds(1)), expected);
    CHECK_GT(expected.size(), 10'000);
    CHECK_GT(dropped, 0);
  }

  TEST_CASE("steps change the rate of what begins after them") {
    WireConfig stepped = config(25);
    stepped.steps = {{.at = Duration::milliseconds(3), .rate = Bandwidth::bits_per_second(1'000'000)},
                     {.at = Duration::milliseconds(20), .rate = kRate}};
    Line line(stepped);
    line.offer(at_ms(1000));
    CHECK_EQ(line.arrivals(at_ms(2000)), std::vector{at_ms(1016)});  // they do not count yet
    line.wire.begin_steps(at_ms(2000));
    for (int i = 0; i < 7; i++) line.offer(at_ms(2000));
    CHECK_EQ(line.arrivals(at_ms(3000)),
             std::vector{at_ms(2016), at_ms(2017), at_ms(2018), at_ms(2028), at_ms(2038), at_ms(2039), at_ms(2040)});
  }

  TEST_CASE("packets that find the threshold waiting are marked, and a full queue still drops") {
    WireConfig marking = config(3);
    marking.ecn_threshold = 2;
    Line line(marking);
    const auto packet = make_packet({.from = kClient4, .to = kServer4, .payload = {1}, .ecn = 2});
    const auto deaf = make_packet({.from = kClient4, .to = kServer4, .payload = {1}});
    std::vector<Wire::Offered> offered;
    for (int i = 0; i < 4; i++) offered.push_back(line.offer(at_ms(0), packet));
    offered.push_back(line.offer(at_ms(0), deaf));
    offered.push_back(line.offer(at_ms(0), packet));
    using enum Wire::Offered;
    CHECK_EQ(offered, std::vector{queued, queued, queued, marked, queued, dropped});
  }

  TEST_CASE("jitter lengthens delays within its bound, and packets overtake each other") {
    WireConfig shaken = config(1000);
    shaken.jitter = Duration::milliseconds(10);
    Line line(shaken);
    for (int i = 0; i < 500; i++) line.offer(at_ms(0), std::vector<uint8_t>(kSize, static_cast<uint8_t>(i)));
    line.run_to(at_ms(1000));
    std::vector<uint8_t> order;
    Instant last;
    while (const std::optional<Wire::InFlight> flight = line.wire.arrive(at_ms(1000))) {
      CHECK_GE(flight->due, last);
      last = flight->due;
      CHECK_GE(flight->due - flight->started, Duration::milliseconds(16));
      CHECK_LE(flight->due - flight->started, Duration::milliseconds(26));
      order.push_back(flight->packet[0]);
    }
    CHECK_EQ(order.size(), 500);
    CHECK_FALSE(std::is_sorted(order.begin(), order.begin() + 200));
  }
}

}  // namespace quoll::link
