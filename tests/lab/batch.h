// run_all: many runs on several threads, their results in the order of the wishes.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "tests/lab/run.h"

namespace quoll::lab {

struct Wish {
  Scenario scenario;
  CongestionAlgorithm controller = CongestionAlgorithm::cubic;
  uint64_t seed = 1;
  bool keeps_samples = false;
};

/// `tell` gets each result in order as soon as it and those before it are there; one call at a time.
std::vector<RunResult> run_all(
    std::span<const Wish> wishes, unsigned jobs,
    const std::function<void(const RunResult&)>& tell = [](const RunResult&) {});

}  // namespace quoll::lab
