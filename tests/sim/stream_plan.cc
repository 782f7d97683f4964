#include "tests/sim/stream_plan.h"

namespace quoll::sim {
namespace {

uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

DirectionPlan draw(const ScenarioOptions& options, Rng& rng, uint32_t size_max) {
  DirectionPlan plan;
  plan.size = rng.below(8) == 0 ? 0 : rng.below(uint64_t{size_max} + 1);
  plan.reset_code = quic::ApplicationErrorCode{rng.below(uint64_t{1} << 62)};
  plan.stop_code = quic::ApplicationErrorCode{rng.below(uint64_t{1} << 62)};
  const bool reset = rng.below(1'000'000) < options.reset_ppm;
  const bool stop = rng.below(1'000'000) < options.stop_ppm;
  if (plan.size > 0 && reset) {
    plan.reset_at = rng.below(plan.size);
    plan.reset_delay_ms = static_cast<uint32_t>(rng.below(3) * rng.below(100));
  }
  if (plan.size > 0 && stop) plan.stop_at = rng.below(plan.size);
  if (rng.below(1'000'000) < options.slow_ppm) {
    plan.read_max = static_cast<uint32_t>(std::max<uint64_t>(plan.size / (1 + rng.below(60)), 1));
  }
  plan.pause = options.pause_ms > 0 && rng.below(3) == 0;
  return plan;
}

}  // namespace

StreamPlan plan_of(const ScenarioOptions& options, quic::StreamId id) {
  tests::SeededRng rng(mix(options.seed) ^ mix(id.value() + 1));
  StreamPlan plan;
  plan.request = draw(options, rng, options.request_max);
  plan.response = draw(options, rng, options.response_max);
  plan.duplex = rng.below(3) == 0;
  if (options.priorities > 0) {
    plan.urgency = static_cast<uint8_t>(rng.below(8));
    plan.incremental = rng.below(2) == 0;
  }
  return plan;
}

uint64_t planned_streams(const ScenarioOptions& options, quic::Role opener, bool unidirectional) {
  if (opener == quic::Role::server) {
    return unidirectional ? options.server_unidirectional : options.server_bidirectional;
  }
  if (unidirectional) return options.unidirectional;
  return options.bidirectional + (options.gap_ms > 0 ? 1 : 0);
}

void fill_pattern(uint64_t seed, quic::StreamId id, bool opener, uint64_t offset, MutBytes out) {
  const uint64_t base = mix(seed ^ mix(2 * id.value() + (opener ? 1 : 0) + 77));
  uint64_t word = 0;
  for (size_t i = 0; i < out.size(); i++) {
    const uint64_t at = offset + i;
    if (i == 0 || at % 8 == 0) word = mix(base + at / 8);
    out[i] = static_cast<uint8_t>(word >> (8 * (at % 8)));
  }
}

}  // namespace quoll::sim
