// WallClock: the system's wall clock as a function of the monotonic one, read once a second, since an endpoint asks for
// each datagram.
#pragma once

#include <optional>
#include <string>

#include "base/time.h"
#include "base/unix_time.h"

namespace quoll::web {

class WallClock {
 public:
  UnixTime at(Instant now);

 private:
  std::optional<Instant> read_at_;
  UnixTime read_;
};

/// "2026-11-21T14:20:05.123Z", RFC 3339.
std::string timestamp(UnixTime time);

}  // namespace quoll::web
