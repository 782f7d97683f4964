// Scenario: all that a run of the laboratory is made of, as plain values: one bottleneck, the flows that share it, and how long.
//
// Rates and sizes are of UDP payloads. A flow is a connection of its own, and its client sends; with no controller it has the one
// that is compared. Every path goes through the bottleneck: hazards, bottleneck, half of the round trip, host; and back, where
// nothing is narrow.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "quic/congestion/make_controller.h"
#include "tests/sim/elements.h"

namespace quoll::lab {

using quic::CongestionAlgorithm;

/// Streams that a flow sends, each `apart` after the last.
struct Traffic {
  static constexpr uint64_t kEndless = UINT64_MAX;
  uint64_t bytes = kEndless;  // of a stream; endless: until the scenario's duration is over
  uint32_t streams = 1;
  Duration apart = {};

  bool is_bulk() const { return bytes == kEndless; }
};

struct FlowPlan {
  std::optional<CongestionAlgorithm> controller = {};
  Duration start = {};
  Duration extra_rtt = {};
  Traffic traffic = {};
};

struct Period {
  Instant from = Instant::never(), until = Instant::never();
  bool is_there() const { return !from.is_never(); }
};

struct PathChange {
  Instant at;
  Duration rtt;
};

struct LinkPlan {
  Bandwidth rate;
  Duration rtt;
  uint64_t queue_bytes = 0;
  uint64_t mark_bytes = UINT64_MAX;  // CE from so many bytes in the queue on
  std::vector<sim::Bottleneck::RateStep> steps = {};
  std::vector<PathChange> path_changes = {};
  uint32_t loss_ppm = 0;
  uint32_t burst_ppm = 0, burst_leave_ppm = 300'000;  // sim::BurstLoss
  uint32_t reorder_ppm = 0;
  Duration reorder_up_to = {};
  Bandwidth policed = {};  // zero: nobody polices
  uint64_t police_burst = 0;
  Duration ack_lumps = {};  // zero: ACKs come back as they are sent
  Period blackout = {};     // both directions
  Period episode = {};      // of loss
  uint32_t episode_ppm = 0;
};

struct Scenario {
  std::string name;
  std::string what;
  LinkPlan link;
  std::vector<FlowPlan> flows;
  Duration duration;
  Duration measure_from = {};  // shares and delays are of what comes after it
  Duration gather = {};        // receivers let datagrams gather so long, as network cards and busy threads do
};

/// A bandwidth-delay product in bytes.
uint64_t bdp(Bandwidth rate, Duration rtt);
/// A link with a queue of so many hundredths of its bandwidth-delay product, and of two datagrams at least.
LinkPlan link_of(uint64_t megabits, int64_t rtt_ms, uint64_t queue_percent);

/// When it gets better: a higher rate, the end of a blackout or of an episode of loss.
std::vector<Instant> improvements(const LinkPlan& link);

/// The last change of a path, or the end of its last hazard; never: it is never without, or has hardly a queue.
Instant quiet_since(const LinkPlan& link);

/// The scenarios with names.
const std::vector<Scenario>& named_scenarios();
const Scenario* find_scenario(std::string_view name);
/// Drawn by a seed.
Scenario random_scenario(uint64_t seed);

std::string_view name_of(CongestionAlgorithm algorithm);

}  // namespace quoll::lab
