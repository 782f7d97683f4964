#include "quic/congestion/new_reno.h"

namespace quoll::quic {

void NewReno::grow(Instant, uint64_t bytes, const Rtt&) {
  // RFC 9002 §7.3.3: at most one datagram for each window that is acknowledged; counted in bytes (RFC 3465 §2.1), since
  // max_datagram_size * bytes / window loses its fraction.
  acked_ += bytes;
  if (acked_ < window()) return;
  acked_ -= window();
  set_window(window() + max_datagram_size());
}

uint64_t NewReno::reduced_threshold() {
  acked_ = 0;
  return window() / 2;  // RFC 9002 §7.3.2: kLossReductionFactor is 0.5
}

}  // namespace quoll::quic
