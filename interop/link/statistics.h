// Statistics: what the link did, in each direction, and how punctual it was; as JSON.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"
#include "interop/link/bursts.h"
#include "interop/link/histogram.h"

namespace quoll::link {

struct DirectionStatistics {
  struct Amount {
    uint64_t packets = 0, bytes = 0;

    void add(size_t size) {
      packets++;
      bytes += size;
    }
  };

  Amount offered;            // came from the sender
  Amount delivered;          // reached the receiver, corrupted ones too
  Amount dropped_queue;      // found the queue full
  Amount dropped_scenario;   // its error model's losses
  Amount dropped_device;     // the receiver's device did not take them
  uint64_t corrupted = 0;    // packets
  uint64_t marked = 0;       // packets with Congestion Experienced from here
  size_t queue_longest = 0;  // packets
  Histogram queueing;        // from a packet's coming to the beginning of its transmission
  Bursts bursts;             // of what came from the sender
};

struct Statistics {
  std::string_view scenario;
  uint64_t seed = 0;
  bool real_time = false;      // the process runs before all ordinary ones
  bool kernel_stamps = false;  // else packets have the times at which they were read
  Instant began;               // by the wall's clock, as captures have it
  Duration duration;
  uint64_t rebinds = 0;
  DirectionStatistics to_server, to_client;
  Histogram lateness;  // of deliveries, behind the time that the model gives

  std::string json() const;
};

}  // namespace quoll::link
