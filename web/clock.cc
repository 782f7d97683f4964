#include "web/clock.h"

#include <time.h>

#include <array>
#include <cstdio>

#include "os/wall_clock.h"

namespace quoll::web {
namespace {

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
    read_ = os::wall_clock();
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

}  // namespace quoll::web
