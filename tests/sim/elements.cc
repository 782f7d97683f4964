#include "tests/sim/elements.h"

#include <algorithm>

namespace quoll::sim {
namespace {

Duration random_up_to(Rng& rng, Duration longest) {
  return Duration::nanoseconds(static_cast<int64_t>(rng.below(static_cast<uint64_t>(longest.as_nanoseconds()) + 1)));
}

}  // namespace

void Delay::pass(Instant now, Datagram datagram, Exit& exit) {
  last_ = std::max(last_, now + delay_ + random_up_to(rng_, jitter_));
  exit.forward(last_, std::move(datagram));
}

void ChangingDelay::pass(Instant now, Datagram datagram, Exit& exit) {
  const auto next = std::ranges::find_if(steps_, [&](const Step& step) { return step.from > now; });
  const Duration delay = next == steps_.begin() ? steps_.front().delay : std::prev(next)->delay;
  exit.forward(now + delay, std::move(datagram));
}

Bandwidth Bottleneck::rate_at(Instant when) const {
  Bandwidth rate = options_.rate;
  for (const RateStep& step : options_.steps) {
    if (step.from <= when) rate = step.rate;
  }
  return rate;
}

uint64_t Bottleneck::capacity(Instant from, Instant until) const {
  uint64_t bytes = 0;
  for (const RateStep& step : options_.steps) {
    if (step.from <= from || step.from >= until) continue;
    bytes += rate_at(from).bytes_in(step.from - from);
    from = step.from;
  }
  return bytes + rate_at(from).bytes_in(until - from);
}

Instant Bottleneck::when_through(Instant start, uint64_t size) const {
  for (const RateStep& step : options_.steps) {
    if (step.from <= start) continue;
    const uint64_t before = rate_at(start).bytes_in(step.from - start);
    if (before >= size) break;
    size -= before;
    start = step.from;
  }
  return start + rate_at(start).time_for(size);
}

void Bottleneck::pass(Instant now, Datagram datagram, Exit& exit) {
  const Instant start = std::max(now, free_);
  const uint64_t waiting = capacity(now, start);
  // A queue that is empty takes any datagram.
  if (waiting > 0 && waiting + datagram.bytes.size() > options_.queue_bytes) {
    dropped_++;
    return exit.drop(datagram, "queue full");
  }
  if (waiting >= options_.mark_bytes && datagram.ecn != Ecn::not_ect) {
    datagram.ecn = Ecn::ce;
    marked_++;
  }
  free_ = when_through(start, datagram.bytes.size());
  exit.forward(free_, std::move(datagram));
}

void Policer::pass(Instant now, Datagram datagram, Exit& exit) {
  tokens_ = std::min(burst_, tokens_ + std::min(burst_, rate_.bytes_in(now - filled_)));
  filled_ = now;
  if (tokens_ < datagram.bytes.size()) {
    dropped_++;
    return exit.drop(datagram, "policed");
  }
  tokens_ -= datagram.bytes.size();
  exit.forward(now, std::move(datagram));
}

void Aggregation::pass(Instant now, Datagram datagram, Exit& exit) {
  while (release_ < now) release_ = std::max(release_, now - period_) + period_ / 2 + random_up_to(rng_, period_);
  exit.forward(release_, std::move(datagram));
}

void RandomLoss::pass(Instant now, Datagram datagram, Exit& exit) {
  if (now >= from_ && now < until_ && chance_.draw()) return exit.drop(datagram, "lost");
  exit.forward(now, std::move(datagram));
}

void BurstLoss::pass(Instant now, Datagram datagram, Exit& exit) {
  bad_ = bad_ ? !leave_.draw() : enter_.draw();
  if (bad_ && enter_.below(4) != 0) return exit.drop(datagram, "lost in a burst");
  exit.forward(now, std::move(datagram));
}

void Reordering::pass(Instant now, Datagram datagram, Exit& exit) {
  const Duration held = chance_.draw() ? random_up_to(chance_.rng(), longest_) : Duration();
  exit.forward(now + held, std::move(datagram));
}

void Duplication::pass(Instant now, Datagram datagram, Exit& exit) {
  if (chance_.draw()) {
    Datagram copy = datagram;
    if (copy.origin == Origin::sent) copy.origin = Origin::duplicated;
    const Duration later =
        chance_.below(2) == 0 ? Duration() : random_up_to(chance_.rng(), Duration::milliseconds(300));
    exit.forward(now, std::move(datagram));
    return exit.forward(now + later, std::move(copy));
  }
  exit.forward(now, std::move(datagram));
}

void Corruption::pass(Instant now, Datagram datagram, Exit& exit) {
  if (datagram.bytes.empty() || !chance_.draw()) return exit.forward(now, std::move(datagram));
  switch (chance_.below(4)) {
    case 0:
    case 1:
      for (uint64_t flips = 1 + chance_.below(4); flips > 0; flips--) {
        const uint64_t bit = chance_.below(8 * datagram.bytes.size());
        datagram.bytes[bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
      }
      break;
    case 2:
      datagram.bytes.resize(chance_.below(datagram.bytes.size()));
      break;
    case 3:
      for (uint64_t more = 1 + chance_.below(64); more > 0; more--) {
        datagram.bytes.push_back(static_cast<uint8_t>(chance_.below(256)));
      }
      break;
  }
  corrupted_++;
  exit.drop(datagram, "corrupted");  // as it was sent it does not arrive
  datagram.intact = false;
  exit.forward(now, std::move(datagram));
}

void EcnMangling::pass(Instant now, Datagram datagram, Exit& exit) {
  switch (path_) {
    case EcnPath::clean:
      break;
    case EcnPath::bleach:
      datagram.ecn = Ecn::not_ect;
      break;
    case EcnPath::all_ce:
      if (datagram.ecn != Ecn::not_ect) datagram.ecn = Ecn::ce;
      break;
    case EcnPath::to_ect1:
      if (datagram.ecn == Ecn::ect0) datagram.ecn = Ecn::ect1;
      break;
    case EcnPath::random:
      datagram.ecn = static_cast<Ecn>(rng_.below(4));
      break;
  }
  exit.forward(now, std::move(datagram));
}

void MtuLimit::pass(Instant now, Datagram datagram, Exit& exit) {
  if (datagram.bytes.size() > mtu_) {
    if (too_big_ && datagram.origin == Origin::sent && datagram.intact) too_big_(datagram, mtu_);
    return exit.drop(datagram, "too big");
  }
  exit.forward(now, std::move(datagram));
}

void Blackhole::pass(Instant now, Datagram datagram, Exit& exit) {
  if (now >= from_ && now < until_) {
    swallowed_++;
    return exit.drop(datagram, "black hole");
  }
  exit.forward(now, std::move(datagram));
}

void LossOf::pass(Instant now, Datagram datagram, Exit& exit) {
  if (pick_(number_++, datagram)) return exit.drop(datagram, "picked");
  exit.forward(now, std::move(datagram));
}

void Tap::pass(Instant now, Datagram datagram, Exit& exit) {
  look_(now, datagram);
  exit.forward(now, std::move(datagram));
}

}  // namespace quoll::sim
