// Instant, Duration and Bandwidth: strong types, so that no unit is ever guessed. The core reads no clock; every
// instant comes from its caller.
//
// Durations are int64_t nanoseconds (a packet lasts 1.2 µs at 10 Gbit/s, so microseconds cannot pace it; the range is
// 292 years), instants are nanoseconds since an origin that the caller chooses, such as a monotonic clock's. Bandwidth
// is uint64_t bytes per second. All arithmetic saturates instead of wrapping, since peers supply some of the operands.
// The largest value is infinite: an infinite duration, and the instant that never comes, absorb whatever is added or
// taken.
#pragma once

#include <compare>
#include <cstdint>

#include "base/mul_div.h"

namespace quoll {

class Duration {
 public:
  /// Zero.
  constexpr Duration() = default;
  static constexpr Duration nanoseconds(int64_t count) { return Duration(count); }
  static constexpr Duration microseconds(int64_t count) { return Duration(count_of(count, 1'000)); }
  static constexpr Duration milliseconds(int64_t count) { return Duration(count_of(count, 1'000'000)); }
  static constexpr Duration seconds(int64_t count) { return Duration(count_of(count, 1'000'000'000)); }
  static constexpr Duration infinite() { return Duration(INT64_MAX); }

  constexpr bool is_infinite() const { return nanoseconds_ == INT64_MAX; }
  constexpr bool is_zero() const { return nanoseconds_ == 0; }
  /// Counts of whole units, rounded towards zero.
  constexpr int64_t as_nanoseconds() const { return nanoseconds_; }
  constexpr int64_t as_microseconds() const { return nanoseconds_ / 1'000; }
  constexpr int64_t as_milliseconds() const { return nanoseconds_ / 1'000'000; }
  constexpr double as_seconds() const { return static_cast<double>(nanoseconds_) / 1e9; }

  friend constexpr auto operator<=>(Duration, Duration) = default;

  friend constexpr Duration operator+(Duration a, Duration b) {
    if (a.is_infinite() || b.is_infinite()) return infinite();
    int64_t sum = 0;
    const bool overflow = __builtin_add_overflow(a.nanoseconds_, b.nanoseconds_, &sum);
    return Duration(overflow ? limit_towards(a.nanoseconds_) : sum);
  }
  friend constexpr Duration operator-(Duration a, Duration b) {
    if (a.is_infinite()) return infinite();
    int64_t difference = 0;
    const bool overflow = __builtin_sub_overflow(a.nanoseconds_, b.nanoseconds_, &difference);
    return Duration(overflow ? limit_towards(a.nanoseconds_) : difference);
  }
  friend constexpr Duration operator*(Duration a, int64_t factor) { return Duration(count_of(a.nanoseconds_, factor)); }
  friend constexpr Duration operator*(int64_t factor, Duration a) { return a * factor; }
  /// Rounded towards zero; divisor > 0. An infinite duration stays infinite.
  friend constexpr Duration operator/(Duration a, int64_t divisor) {
    QUOLL_DCHECK(divisor > 0);
    return a.is_infinite() ? a : Duration(a.nanoseconds_ / divisor);
  }
  constexpr Duration& operator+=(Duration other) { return *this = *this + other; }
  constexpr Duration& operator-=(Duration other) { return *this = *this - other; }

  /// Without its sign.
  constexpr Duration absolute() const { return nanoseconds_ < 0 ? Duration() - *this : *this; }

 private:
  explicit constexpr Duration(int64_t count) : nanoseconds_(count) {}

  static constexpr int64_t limit_towards(int64_t sign) { return sign < 0 ? INT64_MIN : INT64_MAX; }
  static constexpr int64_t count_of(int64_t count, int64_t unit) {
    int64_t product = 0;
    const bool overflow = __builtin_mul_overflow(count, unit, &product);
    return overflow ? limit_towards((count < 0) == (unit < 0) ? 1 : -1) : product;
  }

  int64_t nanoseconds_ = 0;
};

class Instant {
 public:
  /// The origin.
  constexpr Instant() = default;
  static constexpr Instant from_nanoseconds(int64_t since_origin) {
    return Instant(Duration::nanoseconds(since_origin));
  }
  static constexpr Instant never() { return Instant(Duration::infinite()); }

  constexpr bool is_never() const { return since_origin_.is_infinite(); }
  constexpr int64_t as_nanoseconds() const { return since_origin_.as_nanoseconds(); }

  friend constexpr auto operator<=>(Instant, Instant) = default;

  friend constexpr Instant operator+(Instant a, Duration b) { return Instant(a.since_origin_ + b); }
  friend constexpr Instant operator-(Instant a, Duration b) { return Instant(a.since_origin_ - b); }
  friend constexpr Duration operator-(Instant a, Instant b) { return a.since_origin_ - b.since_origin_; }
  constexpr Instant& operator+=(Duration b) { return *this = *this + b; }

 private:
  explicit constexpr Instant(Duration since_origin) : since_origin_(since_origin) {}

  Duration since_origin_;
};

class Bandwidth {
 public:
  /// Zero.
  constexpr Bandwidth() = default;
  static constexpr Bandwidth bytes_per_second(uint64_t count) { return Bandwidth(count); }
  static constexpr Bandwidth bits_per_second(uint64_t count) { return Bandwidth(count / 8); }
  static constexpr Bandwidth infinite() { return Bandwidth(UINT64_MAX); }
  /// The rate of `bytes` in `time`; infinite when no time passed.
  static constexpr Bandwidth of(uint64_t bytes, Duration time) {
    if (time.as_nanoseconds() <= 0) return infinite();
    if (time.is_infinite()) return {};
    return Bandwidth(mul_div(bytes, kNanosecondsPerSecond, static_cast<uint64_t>(time.as_nanoseconds())));
  }

  constexpr bool is_infinite() const { return bytes_per_second_ == UINT64_MAX; }
  constexpr bool is_zero() const { return bytes_per_second_ == 0; }
  constexpr uint64_t as_bytes_per_second() const { return bytes_per_second_; }

  friend constexpr auto operator<=>(Bandwidth, Bandwidth) = default;

  /// Bytes that pass in `time`, rounded down; UINT64_MAX when that is infinite or more. None in a negative time.
  constexpr uint64_t bytes_in(Duration time) const {
    if (time.as_nanoseconds() <= 0 || is_zero()) return 0;
    if (is_infinite() || time.is_infinite()) return UINT64_MAX;
    return mul_div(bytes_per_second_, static_cast<uint64_t>(time.as_nanoseconds()), kNanosecondsPerSecond);
  }
  /// The time that `bytes` take, rounded up so that a pacer never runs fast; infinite at rate zero.
  constexpr Duration time_for(uint64_t bytes) const {
    if (is_infinite() || bytes == 0) return {};
    if (is_zero()) return Duration::infinite();
    const uint64_t count = mul_div(bytes, kNanosecondsPerSecond, bytes_per_second_, Round::up);
    return count >= INT64_MAX ? Duration::infinite() : Duration::nanoseconds(static_cast<int64_t>(count));
  }
  /// This times a fraction, such as a gain of 5/4; denominator > 0. An infinite rate stays infinite.
  constexpr Bandwidth scaled(uint64_t numerator, uint64_t denominator) const {
    return is_infinite() ? *this : Bandwidth(mul_div(bytes_per_second_, numerator, denominator));
  }

 private:
  static constexpr uint64_t kNanosecondsPerSecond = 1'000'000'000;

  explicit constexpr Bandwidth(uint64_t count) : bytes_per_second_(count) {}

  uint64_t bytes_per_second_ = 0;
};

}  // namespace quoll
