// run: a scenario from its first datagram to the last byte delivered, and what was measured. The same scenario, controller and
// seed give the same result on every machine.
#pragma once

#include <string>
#include <vector>

#include "tests/lab/scenario.h"

namespace quoll::lab {

/// One flow at one instant.
struct FlowSample {
  uint64_t arrived = 0;    // bytes at the receiver, in order or not, so far
  uint64_t window = 0;     // bytes
  uint64_t in_flight = 0;  // bytes
  Bandwidth pacing_rate;
  Duration smoothed_rtt;
  uint64_t packets_lost = 0;  // so far
};

struct Sample {
  Instant when;
  Duration queueing;  // of what would arrive now
  std::vector<FlowSample> flows;
};

struct FlowResult {
  CongestionAlgorithm controller = CongestionAlgorithm::cubic;
  bool is_bulk = false;
  bool is_done = false;  // every byte was delivered, and the end of each stream
  double megabits = 0;   // goodput per second, in the time that is measured; of a flow with an end, until that
  double seconds = 0;    // from its start to its end
  double packets_lost_percent = 0;   // of those sent
  double retransmitted_percent = 0;  // of the bytes that were sent once
  uint64_t packets_sent = 0, packets_lost = 0, packets_spuriously_lost = 0;
  uint64_t probe_timeouts = 0;
  uint64_t window_min = UINT64_MAX;  // bytes
  std::vector<double> stream_seconds = {};
};

/// After something got better: a faster link, the end of a blackout or of a time of loss.
struct Recovery {
  Instant from;
  double first_seconds = -1;  // until the bottleneck had something to send again; < 0: never
  double to_80_percent = -1,
         to_90_percent = -1;  // seconds until the goodput is that share of the link's rate; < 0: never
};

struct RunResult {
  std::string scenario, what;
  CongestionAlgorithm controller = CongestionAlgorithm::cubic;
  uint64_t seed = 1;
  std::string failure;  // what must not be; empty when all was well

  double utilisation = 0;  // goodput of all flows, a share of what the link could carry in the time that is measured
  double queueing_median_ms = 0, queueing_p95_ms = 0, queueing_mean_ms = 0;
  double jain = 1;                   // of the bulk flows
  double share = 1;                  // the first flow's goodput, as a multiple of the fair share among the bulk flows
  uint64_t dropped = 0, marked = 0;  // by the bottleneck
  std::vector<FlowResult> flows;
  std::vector<Recovery> recoveries;
  std::vector<Sample> samples;

  uint64_t datagrams = 0;  // that were sent, both ways
  double processor_seconds = 0;
};

RunResult run(const Scenario& scenario, CongestionAlgorithm controller, uint64_t seed);

/// Jain's index of fairness: 1 when all are equal, 1/n when one has all.
double jain_index(const std::vector<double>& values);
/// The value that `percent` of the values do not exceed; 0 of none. Reorders them.
double percentile(std::vector<float>& values, double percent);

}  // namespace quoll::lab
