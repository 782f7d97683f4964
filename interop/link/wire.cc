#include "interop/link/wire.h"

#include <algorithm>
#include <utility>

#include "interop/link/packet.h"

namespace quoll::link {

const Wire::InFlight* Wire::start(Instant now) {
  if (waiting_.empty()) return nullptr;
  const Instant started = std::max(free_at_, waiting_.front().offered);
  if (started > now) return nullptr;
  InFlight flight = std::move(waiting_.front());
  waiting_.pop_front();
  flight.started = started;
  free_at_ = started + rate_at(started).time_for(flight.packet.size() + kPppSize);
  flight.due = free_at_ + config_.delay;
  const auto jitter = static_cast<uint64_t>(std::max<int64_t>(config_.jitter.as_nanoseconds(), 0));
  if (jitter != 0) flight.due += Duration::nanoseconds(static_cast<int64_t>(rng_.below(jitter + 1)));
  // Without jitter that is the end. With it a packet may overtake others.
  const auto later = [](Instant due, const InFlight& other) { return due < other.due; };
  const auto at = std::upper_bound(in_flight_.begin(), in_flight_.end(), flight.due, later);
  return &*in_flight_.insert(at, std::move(flight));
}

Wire::Offered Wire::offer(std::vector<uint8_t> packet, Instant now) {
  // Who finds the transmitter idle does not wait.
  const bool idle = waiting_.empty() && free_at_ <= now;
  if (!idle && waiting_.size() >= config_.queue + kDeviceSlots) return Offered::dropped;
  bool marked = false;
  if (config_.ecn_threshold && waiting_.size() >= *config_.ecn_threshold) {
    const std::optional<IpPacket> shape = parse_ip(packet);
    marked = shape && mark_congestion(packet, *shape);
  }
  waiting_.push_back({.packet = std::move(packet), .offered = now, .started = {}, .due = {}});
  return marked ? Offered::marked : Offered::queued;
}

std::optional<Wire::InFlight> Wire::arrive(Instant now) {
  if (in_flight_.empty() || in_flight_.front().due > now) return std::nullopt;
  InFlight flight = std::move(in_flight_.front());
  in_flight_.pop_front();
  return flight;
}

Bandwidth Wire::rate_at(Instant now) const {
  Bandwidth rate = config_.rate;
  for (const RateStep& step : config_.steps) {
    if (steps_origin_ + step.at <= now) rate = step.rate;
  }
  return rate;
}

}  // namespace quoll::link
