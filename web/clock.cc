#include "web/clock.h"

#include <time.h>

#include <array>
#include <cstdio>

namespace quoll::web {
namespace {

UnixTime system_time() {
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  return UnixTime::from_milliseconds(int64_t{time.tv_sec} * 1000 + time.tv_nsec / 1'000'000);
}

tm broken_down(UnixTime time) {
  const time_t seconds = static_cast<time_t>(time.as_seconds());
  tm parts{};
  gmtime_r(&seconds, &parts);
  return parts;
}

}  // namespace

UnixTime WallClock::at(Instant now) {
  if (!read_at_ || now - *read_at_ > Duration::seconds(1)) {
    read_at_ = now;
    read_ = system_time();
  }
  return read_ + (now - *read_at_);
}

std::string timestamp(UnixTime time) {
  const tm parts = broken_down(time);
  std::array<char, 64> text;
  const int size = std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", parts.tm_year + 1900,
                                 parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                                 static_cast<int>(time.as_milliseconds() - time.as_seconds() * 1000));
  return std::string(text.data(), static_cast<size_t>(size));
}

std::string http_date(UnixTime time) {
  constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const tm parts = broken_down(time);
  std::array<char, 64> text;
  const int size = std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                                 kDays[static_cast<size_t>(parts.tm_wday)], parts.tm_mday,
                                 kMonths[static_cast<size_t>(parts.tm_mon)], parts.tm_year + 1900, parts.tm_hour,
                                 parts.tm_min, parts.tm_sec);
  return std::string(text.data(), static_cast<size_t>(size));
}

}  // namespace quoll::web
