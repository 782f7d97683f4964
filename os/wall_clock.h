// The system's wall clock, for what outlives a process and for what people read. Never for timers.
#pragma once

#include "base/time.h"
#include "base/unix_time.h"

namespace quoll::os {

UnixTime wall_clock();

/// The same in the form that quic::EndpointConfig::wall_clock has: the time now, whichever Instant is asked for. Good where
/// an endpoint is asked about the present, which is always but in simulations.
inline UnixTime wall_clock_at(Instant) { return wall_clock(); }

}  // namespace quoll::os
