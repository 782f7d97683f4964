// What tests of scenarios with names share.
#pragma once

#include <string>

#include "tests/sim/simulation.h"

#include <doctest/doctest.h>

namespace quoll::sim {

/// A path of 20 ms there and back, without any fault.
inline ScenarioOptions plain(uint64_t seed = 1) {
  ScenarioOptions options;
  options.seed = seed;
  return options;
}

/// One stream each way that takes a while.
inline ScenarioOptions long_transfer(uint64_t seed = 1) {
  ScenarioOptions options = plain(seed);
  options.bidirectional = 4;
  options.request_max = 100'000;
  options.response_max = 400'000;
  options.up.rate_kbps = options.down.rate_kbps = 5'000;
  options.up.queue_bytes = options.down.queue_bytes = 40'000;
  return options;
}

inline Outcome passes(const ScenarioOptions& options, const Extras& extras = {}) {
  const std::string line = to_string(options);
  INFO(line);
  const Outcome outcome = run(options, {.log = "sim-" + std::to_string(options.seed) + ".log"}, extras);
  CHECK(outcome.failure == "");
  return outcome;
}

/// Loses the datagrams that a function picks by number, in one direction.
inline Extras losing(Direction direction, std::function<bool(uint64_t)> pick) {
  Extras extras;
  extras.add_elements = [direction, pick = std::move(pick)](Link& to_server, Link& to_client) {
    Link& link = direction == Direction::to_server ? to_server : to_client;
    link.add<LossOf>([pick](uint64_t number, const Datagram&) { return pick(number); });
  };
  return extras;
}

}  // namespace quoll::sim
