// UnixTime: a wall-clock time, for what outlives a process: certificates, tickets. Never for timers (that is Instant).
//
// Milliseconds since 1970-01-01 00:00 UTC, leap seconds not counted; 64 bits, so the years of X.509 (0000 to 9999) fit
// many times over. Like every time in the core it is given by the caller.
#pragma once

#include <compare>
#include <cstdint>

#include "base/time.h"

namespace quoll {

class UnixTime {
 public:
  /// 1970-01-01 00:00 UTC.
  constexpr UnixTime() = default;
  static constexpr UnixTime from_milliseconds(int64_t count) { return UnixTime(count); }
  static constexpr UnixTime from_seconds(int64_t count) { return UnixTime(count * 1'000); }

  constexpr int64_t as_milliseconds() const { return milliseconds_; }
  /// Whole seconds, rounded down (also before 1970).
  constexpr int64_t as_seconds() const { return milliseconds_ / 1'000 - (milliseconds_ % 1'000 < 0 ? 1 : 0); }

  friend constexpr auto operator<=>(UnixTime, UnixTime) = default;
  friend constexpr UnixTime operator+(UnixTime a, Duration b) {
    return UnixTime(a.milliseconds_ + b.as_milliseconds());
  }
  friend constexpr UnixTime operator-(UnixTime a, Duration b) {
    return UnixTime(a.milliseconds_ - b.as_milliseconds());
  }
  friend constexpr Duration operator-(UnixTime a, UnixTime b) {
    return Duration::milliseconds(a.milliseconds_ - b.milliseconds_);
  }

 private:
  explicit constexpr UnixTime(int64_t count) : milliseconds_(count) {}

  int64_t milliseconds_ = 0;
};

}  // namespace quoll
