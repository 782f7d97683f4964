#include "tests/lab/manners.h"

#include <algorithm>

#include "quic/congestion/controller.h"

namespace quoll::lab {
namespace {

constexpr Duration kSpan = Duration::milliseconds(10);
constexpr uint64_t kDatagramMax = 1500;
/// Two probes for a PTO (RFC 9002 §6.2.4), one of the path's MTU (RFC 9000 §14.4), and what leaves the handshake's spaces.
constexpr uint64_t kProbesMax = 4 * kDatagramMax;
/// ACKs alone are not in flight.
constexpr size_t kAckMax = 200;
constexpr quic::Pacer::Options kPacer;

}  // namespace

std::string Manners::on_sent(Instant now, size_t bytes, const quic::Statistics& after) {
  if (now != last_) in_train_ = 0;
  last_ = now;
  in_train_ += bytes;
  if (bytes <= kAckMax) return {};
  if (is_beyond_window(now, bytes, after)) return "more than probes left beyond the window";
  if (is_beyond_rate(now, bytes, after)) return "more left in 10 ms than the pacing rate lets";
  return {};
}

bool Manners::is_beyond_window(Instant now, size_t bytes, const quic::Statistics& after) {
  if (after.bytes_in_flight <= after.congestion_window) return false;
  if (beyond_since_ != now) beyond_bytes_ = 0;
  beyond_since_ = now;
  beyond_bytes_ += bytes;
  return beyond_bytes_ > kProbesMax;
}

bool Manners::is_beyond_rate(Instant now, size_t bytes, const quic::Statistics& after) {
  const bool was_idle = after.bytes_in_flight <= in_train_;
  departures_.push_back({.when = now, .bytes = bytes, .idle_bursts = was_idle});
  bytes_ += bytes;
  idle_bursts_ += was_idle;
  for (; departures_.front().when <= now - kSpan; departures_.pop_front()) {
    bytes_ -= departures_.front().bytes;
    idle_bursts_ -= departures_.front().idle_bursts;
  }
  const Bandwidth rate = highest_rate(now, after.pacing_rate);
  if (rate.is_infinite()) return false;
  const uint64_t quantum = std::min(kPacer.quantum_max, rate.bytes_in(kPacer.quantum_time));
  const uint64_t bucket = std::max({kPacer.burst, kPacer.idle_burst, quic::initial_window(kDatagramMax), quantum});
  return bytes_ > rate.bytes_in(kSpan) + bucket + idle_bursts_ * bucket + kProbesMax;
}

Bandwidth Manners::highest_rate(Instant now, Bandwidth latest) {
  while (!rates_.empty() && rates_.back().rate < latest) rates_.pop_back();
  if (rates_.empty() || rates_.back().rate != latest) rates_.push_back({now, latest});
  // The one before the span's first held until then.
  while (rates_.size() > 1 && rates_[1].when <= now - kSpan) rates_.pop_front();
  return rates_.front().rate;
}

}  // namespace quoll::lab
