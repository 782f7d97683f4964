#include "app/progress.h"

#include "tests/support/random.h"

#include <doctest/doctest.h>

namespace quoll::app {

TEST_SUITE("app/progress") {
  TEST_CASE("sizes have three digits and a unit") {
    CHECK_EQ(size_text(0), "0 B");
    CHECK_EQ(size_text(1023), "1023 B");
    CHECK_EQ(size_text(1024), "1.00 KiB");
    CHECK_EQ(size_text(10 * 1024 + 512), "10.5 KiB");
    CHECK_EQ(size_text(1024 * 1024 - 1), "1.00 MiB");
    CHECK_EQ(size_text(uint64_t{1} << 30), "1.00 GiB");
    CHECK_EQ(size_text(UINT64_MAX), "16.0 EiB");
    for (uint64_t size = 1; size != 0; size <<= 1) CHECK_LE(size_text(size - 1).size(), 8);
  }

  TEST_CASE("times have hours where they need them") {
    CHECK_EQ(clock_text(Duration()), "0:00");
    CHECK_EQ(clock_text(Duration::milliseconds(7'999)), "0:07");
    CHECK_EQ(clock_text(Duration::seconds(754)), "12:34");
    CHECK_EQ(clock_text(Duration::seconds(3'723)), "1:02:03");
    CHECK_EQ(clock_text(Duration::infinite()), "-:--");
    CHECK_EQ(clock_text(Duration::seconds(10'000'000)), "-:--");
  }

  TEST_CASE("a line shows share, amount, rate and what is left") {
    ProgressState state{.done = 512 * 1024, .total = 1024 * 1024};
    state.rate = Bandwidth::bytes_per_second(128 * 1024);
    state.elapsed = Duration::seconds(4);
    CHECK_EQ(progress_line(state, 79),
             " 50% [==============>              ]  512 KiB of 1.00 MiB  128 KiB/s  0:04 left");
    state.transfers = 3;
    state.transfers_done = 1;
    CHECK_EQ(progress_line(state, 69), "1/3   50% [=======>      ]  512 KiB of 1.00 MiB  128 KiB/s  0:04 left");
    CHECK_EQ(progress_line(state, 60), "1/3   50% 512 KiB of 1.00 MiB  128 KiB/s  0:04 left");
  }

  TEST_CASE("without a total there is no bar, and the time is what has passed") {
    ProgressState state{.done = 2048};
    state.rate = Bandwidth::bytes_per_second(1024);
    state.elapsed = Duration::seconds(2);
    CHECK_EQ(progress_line(state, 79), "2.00 KiB  1.00 KiB/s  0:02");
  }

  TEST_CASE("no line is wider than the terminal, whatever it has to say") {
    const uint64_t seed = tests::test_seed(1);
    INFO("seed ", seed);
    tests::SeededRng rng(seed);
    const auto any = [&rng] { return rng.next_u64() >> rng.below(64); };
    for (int i = 0; i < 2'000; i++) {
      ProgressState state{.done = any()};
      if (rng.below(2) != 0) state.total = any();
      state.rate = Bandwidth::bytes_per_second(any());
      state.elapsed = Duration::nanoseconds(static_cast<int64_t>(any() >> 1));
      state.transfers = 1 + rng.below(1000);
      const size_t columns = 1 + rng.below(150);
      CHECK_LE(progress_line(state, columns).size(), columns);
    }
  }

  TEST_CASE("the rate is that of the last seconds") {
    RateMeter meter;
    CHECK(meter.rate().is_zero());
    const auto at = [](int64_t milliseconds) { return Instant::from_nanoseconds(milliseconds * 1'000'000); };
    for (int64_t i = 0; i <= 100; i++) meter.add(at(i * 100), static_cast<uint64_t>(i) * 100'000);
    CHECK_EQ(meter.rate().as_bytes_per_second(), 1'000'000);
    // It stands still: after a few seconds the rate says so.
    for (int64_t i = 101; i <= 160; i++) meter.add(at(i * 100), 10'000'000);
    CHECK(meter.rate().is_zero());
  }
}

}  // namespace quoll::app
