#include "base/time.h"

#include <doctest/doctest.h>

using namespace quoll;

TEST_SUITE("time") {
  TEST_CASE("units convert, rounding towards zero") {
    static_assert(Duration::seconds(2) == Duration::milliseconds(2000));
    static_assert(Duration::milliseconds(3) == Duration::microseconds(3000));
    static_assert(Duration::microseconds(1) == Duration::nanoseconds(1000));
    static_assert(Duration::nanoseconds(1999).as_microseconds() == 1);
    static_assert(Duration::nanoseconds(-1999).as_microseconds() == -1);
    static_assert(Duration::milliseconds(1500).as_seconds() == 1.5);
    static_assert(Duration() == Duration::seconds(0) && Duration().is_zero());
    static_assert(Duration::milliseconds(25) > Duration::microseconds(24999));
  }

  TEST_CASE("durations saturate") {
    constexpr Duration infinite = Duration::infinite();
    constexpr Duration lowest = Duration::nanoseconds(INT64_MIN);
    static_assert(Duration::seconds(INT64_MAX) == infinite);
    static_assert(Duration::microseconds(int64_t{1} << 62).is_infinite());
    static_assert(Duration::seconds(INT64_MIN) == lowest);
    static_assert(Duration::nanoseconds(INT64_MAX - 1) + Duration::nanoseconds(5) == infinite);
    static_assert(lowest - Duration::nanoseconds(1) == lowest);
    static_assert(Duration::seconds(1) * (int64_t{1} << 40) == infinite);
    static_assert(Duration::seconds(-1) * (int64_t{1} << 40) == lowest);
    static_assert(lowest * -1 == infinite);
    static_assert(lowest.absolute() == infinite);
    static_assert(Duration::seconds(-3).absolute() == Duration::seconds(3));
  }

  TEST_CASE("an infinite duration absorbs what is added, taken or divided") {
    constexpr Duration infinite = Duration::infinite();
    static_assert(infinite + Duration::seconds(-1) == infinite);
    static_assert(Duration::seconds(-1) + infinite == infinite);
    static_assert(infinite - Duration::seconds(1) == infinite);
    static_assert(infinite - infinite == infinite);
    static_assert(infinite / 2 == infinite);
    static_assert(Duration::seconds(3) / 2 == Duration::milliseconds(1500));
  }

  TEST_CASE("instants move by durations, and never stays never") {
    constexpr Instant start = Instant::from_nanoseconds(1000);
    static_assert(start + Duration::microseconds(2) == Instant::from_nanoseconds(3000));
    static_assert(start - Duration::nanoseconds(1) < start);
    static_assert(start + Duration::microseconds(2) - start == Duration::microseconds(2));
    static_assert(Instant::never() > start + Duration::seconds(1'000'000'000));
    static_assert((start + Duration::infinite()).is_never());
    static_assert((Instant::never() - Duration::seconds(1)).is_never());
    static_assert((Instant::never() - start).is_infinite());
  }

  TEST_CASE("bandwidth relates bytes and time at 10 Gbit/s to the nanosecond") {
    constexpr Bandwidth rate = Bandwidth::bits_per_second(10'000'000'000);
    static_assert(rate.as_bytes_per_second() == 1'250'000'000);
    static_assert(rate.time_for(1500) == Duration::nanoseconds(1200));
    static_assert(rate.bytes_in(Duration::nanoseconds(1200)) == 1500);
    static_assert(Bandwidth::of(1500, Duration::nanoseconds(1200)) == rate);
    static_assert(rate.scaled(5, 4) == Bandwidth::bits_per_second(12'500'000'000));
  }

  TEST_CASE("a pacer never runs fast: time is rounded up, bytes down") {
    constexpr Bandwidth rate = Bandwidth::bytes_per_second(3);
    static_assert(rate.time_for(1) == Duration::nanoseconds(333333334));
    static_assert(rate.bytes_in(Duration::nanoseconds(333333333)) == 0);
    static_assert(rate.bytes_in(Duration::nanoseconds(333333334)) == 1);
  }

  TEST_CASE("bandwidth arithmetic saturates and knows zero and infinite") {
    constexpr Bandwidth infinite = Bandwidth::infinite();
    static_assert(Bandwidth::of(1, Duration()).is_infinite());
    static_assert(Bandwidth::of(1, Duration::infinite()).is_zero());
    static_assert(Bandwidth::of(UINT64_MAX, Duration::nanoseconds(1)).is_infinite());
    static_assert(Bandwidth().time_for(1).is_infinite());
    static_assert(Bandwidth().time_for(0).is_zero());
    static_assert(infinite.time_for(UINT64_MAX).is_zero());
    static_assert(Bandwidth::bytes_per_second(1).time_for(UINT64_MAX).is_infinite());
    static_assert(infinite.bytes_in(Duration::nanoseconds(1)) == UINT64_MAX);
    static_assert(infinite.bytes_in(Duration()) == 0);
    static_assert(Bandwidth().bytes_in(Duration::infinite()) == 0);
    static_assert(Bandwidth::bytes_per_second(1).bytes_in(Duration::infinite()) == UINT64_MAX);
    static_assert(Bandwidth::bytes_per_second(5).bytes_in(Duration::seconds(-1)) == 0);
    static_assert(Bandwidth::bytes_per_second(UINT64_MAX - 1).scaled(2, 1).is_infinite());
    static_assert(infinite.scaled(1, 2).is_infinite());
    // 100 Gbit/s for an hour passes 64 bits on the way: 1.25e10 * 3.6e12.
    static_assert(Bandwidth::bits_per_second(100'000'000'000).bytes_in(Duration::seconds(3600)) == 45'000'000'000'000);
  }
}
