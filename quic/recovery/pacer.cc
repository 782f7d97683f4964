#include "quic/recovery/pacer.h"

#include <algorithm>

namespace quoll::quic {

Pacer::Pacer(Options options)
    : options_(options),
      quantum_(options.quantum_max),
      capacity_(static_cast<int64_t>(std::max(options.burst, options.quantum_max))),
      level_(capacity_),
      idle_credit_(static_cast<int64_t>(options.idle_burst)) {}

Bandwidth Pacer::rate_of(uint64_t window, Duration smoothed_rtt, bool in_slow_start) {
  return std::max(Bandwidth::of(window, smoothed_rtt).scaled(in_slow_start ? 8 : 5, 4), kSlowestRate);
}

void Pacer::set_rate(Instant now, Bandwidth rate) {
  if (rate == rate_) return;
  fill(now);
  rate_ = rate;
  resize();
}

void Pacer::set_burst(Instant now, uint64_t burst) {
  if (burst == options_.burst) return;
  fill(now);
  options_.burst = burst;
  if (!rate_.is_infinite()) resize();
}

void Pacer::resize() {
  quantum_ = std::min(options_.quantum_max, rate_.bytes_in(options_.quantum_time));
  // RFC 9002 §7.7: bursts are limited; a quantum beyond the burst is a millisecond of the path.
  capacity_ = static_cast<int64_t>(std::max(options_.burst, quantum_));
  level_ = std::min(level_, limit());
}

int64_t Pacer::limit() const {
  return is_waiting_ ? std::max(capacity_, static_cast<int64_t>(options_.idle_burst)) : capacity_;
}

void Pacer::set_waiting(Instant now, bool is_waiting) {
  if (is_waiting == is_waiting_) return;
  fill(now);
  is_waiting_ = is_waiting;
  level_ = std::min(level_, limit());
}

int64_t Pacer::level_at(Instant now) const {
  if (rate_.is_infinite()) return capacity_;
  if (now <= filled_) return level_;
  const uint64_t room = static_cast<uint64_t>(limit() - level_);
  return level_ + static_cast<int64_t>(std::min(rate_.bytes_in(now - filled_), room));
}

void Pacer::fill(Instant now) {
  const int64_t level = level_at(now);
  const uint64_t gained = static_cast<uint64_t>(level - level_);
  // The remainder of a byte stays in the clock, unless the bucket overflows: then it is gone.
  if (level == limit()) {
    filled_ = std::max(filled_, now);
  } else if (gained != 0) {
    filled_ += rate_.time_for(gained);
  }
  level_ = level;
}

Instant Pacer::departure(Instant now, uint64_t size) const {
  if (rate_.is_infinite() || idle_credit_ >= static_cast<int64_t>(size)) return now;
  const int64_t level = level_at(now);
  const int64_t wanted = std::min(static_cast<int64_t>(size), capacity_);
  if (level >= wanted) return std::max(now, level_ >= wanted ? filled_ : now);
  const int64_t target = std::max(wanted, static_cast<int64_t>(quantum_));
  return std::max(now, filled_ + rate_.time_for(static_cast<uint64_t>(target - level_)));
}

uint64_t Pacer::budget(Instant now) const {
  if (rate_.is_infinite()) return UINT64_MAX;
  const int64_t level = now < filled_ ? 0 : std::max<int64_t>(level_at(now), 0);
  return static_cast<uint64_t>(std::max(idle_credit_, level));
}

void Pacer::on_packet_sent(Instant departure, uint64_t size) {
  if (rate_.is_infinite()) return;
  const auto bytes = static_cast<int64_t>(size);
  fill(departure);
  if (idle_credit_ >= bytes) {
    // The bucket's own burst is a part of this one, and not to come on top of it.
    idle_credit_ -= bytes;
    level_ = std::min(level_, std::max<int64_t>(level_ - bytes, 0));
    return;
  }
  idle_credit_ = 0;
  level_ -= bytes;
}

}  // namespace quoll::quic
