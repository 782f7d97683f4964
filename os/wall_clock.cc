#include "os/wall_clock.h"

#include <time.h>

namespace quoll::os {

UnixTime wall_clock() {
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  return UnixTime::from_milliseconds(int64_t{time.tv_sec} * 1000 + time.tv_nsec / 1'000'000);
}

}  // namespace quoll::os
