// A controller with its Rtt, driven by moving an integer (milliseconds), whose window is always full unless a test says
// otherwise.
#pragma once

#include "quic/congestion/controller.h"

namespace quoll::tests {

template <class Algorithm>
struct Flow {
  explicit Flow(Algorithm::Options options = {.max_datagram_size = 1200, .hystart = false}, int64_t rtt_ms = 100)
      : controller(options) {
    rtt.on_sample(at(0), Duration::milliseconds(rtt_ms), {});
  }
  static Instant at(int64_t milliseconds) { return Instant() + Duration::milliseconds(milliseconds); }

  /// An ACK of `bytes` sent at `sent`, of a window that was in use, or of one with `in_flight` bytes.
  void ack(int64_t now, int64_t sent, uint64_t bytes, std::optional<uint64_t> in_flight = {}) {
    quic::AckEvent event;
    event.now = at(now);
    event.bytes_acked = event.bytes_acked_after_recovery_start = bytes;
    event.prior_bytes_in_flight = in_flight.value_or(controller.window());
    event.newest_time_sent = at(sent);
    event.rtt_sample = sample;
    event.rate.has_data = true;
    event.rate.prior_delivered = delivered;  // each ACK a round of its own
    event.rate.total_delivered = delivered += bytes;
    controller.on_ack(event, rtt);
  }
  void lose(int64_t now, int64_t sent, bool persistent = false) {
    controller.on_loss(
        {.now = at(now), .bytes_lost = 1200, .newest_time_sent = at(sent), .persistent_congestion = persistent});
  }
  void mark(int64_t now, int64_t sent) { controller.on_ecn_ce({.now = at(now), .largest_time_sent = at(sent)}); }
  uint64_t window() const { return controller.window(); }

  Algorithm controller;
  quic::Rtt rtt;
  std::optional<Duration> sample;
  uint64_t delivered = 0;
};

}  // namespace quoll::tests
