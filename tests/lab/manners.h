// Manners: watches what a sender puts on the wire beside what it says of its window and its pacing rate (RFC 9002 §7, §7.7).
//
// Nothing but probes leaves while more is in flight than the window; and over any ten milliseconds no more leaves than the highest
// pacing rate of that time lets, one bucket of the pacer, and one initial window for each time that nothing was in flight.
#pragma once

#include <deque>
#include <string>

#include "quic/connection/statistics.h"
#include "quic/recovery/pacer.h"

namespace quoll::lab {

class Manners {
 public:
  /// A datagram of so many bytes left; the statistics are those after it and the train that it is of. What is wrong, or
  /// nothing.
  std::string on_sent(Instant now, size_t bytes, const quic::Statistics& after);

 private:
  struct Departure {
    Instant when;
    uint64_t bytes;
    uint64_t idle_bursts;
  };
  struct Rate {
    Instant when;
    Bandwidth rate;
  };

  bool is_beyond_window(Instant now, size_t bytes, const quic::Statistics& after);
  bool is_beyond_rate(Instant now, size_t bytes, const quic::Statistics& after);
  Bandwidth highest_rate(Instant now, Bandwidth latest);

  std::deque<Departure> departures_;  // of the last ten milliseconds
  std::deque<Rate> rates_;            // falling: the first is the highest
  uint64_t bytes_ = 0, idle_bursts_ = 0;
  Instant beyond_since_ = Instant::never();
  uint64_t beyond_bytes_ = 0;
  uint64_t in_train_ = 0;  // bytes that left at the last instant
  Instant last_;
};

}  // namespace quoll::lab
