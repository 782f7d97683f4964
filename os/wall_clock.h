// The system's wall clock, for what outlives a process and for what people read. Never for timers.
#pragma once

#include "base/unix_time.h"

namespace quoll::os {

UnixTime wall_clock();

}  // namespace quoll::os
