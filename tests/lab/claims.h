// The claims about the controllers: each a scenario, a controller, and a bound on what is measured. The worst of several seeds
// counts.
#pragma once

#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "tests/lab/batch.h"

namespace quoll::lab {

struct Claim {
  enum class Bound : uint8_t { at_least, at_most };

  std::string what;
  std::string scenario;
  CongestionAlgorithm controller = CongestionAlgorithm::cubic;
  Bound bound = Bound::at_least;
  double limit = 0;
  std::string unit;
  /// The runs that one value needs: as many for each seed.
  std::vector<Wish> wishes;
  std::function<double(std::span<const RunResult>)> value;
};

struct Verdict {
  const Claim* claim = nullptr;
  double measured = 0;  // the worst
  uint64_t seed = 0;    // that had it
  std::string failure;  // of a run

  bool holds() const;
};

enum class Effort : uint8_t { tiny, quick, full };
/// Less effort leaves away what takes long: tiny is for builds with sanitizers.
std::vector<Claim> claims(std::span<const CongestionAlgorithm> controllers, Effort effort);
struct Judgement {
  std::vector<Verdict> verdicts;   // one for each claim
  std::vector<RunResult> results;  // of all runs, each once
};
/// Judges each claim, which outlive the verdicts, by seeds 1 to `seeds`.
Judgement judge(std::span<const Claim> claims, uint64_t seeds, unsigned jobs, bool keeps_samples = false);

/// All rows as text; or in Markdown one for each kind of claim and controller: the worst.
enum class Layout : uint8_t { text, markdown };
void print_verdicts(std::FILE* to, std::span<const Verdict> verdicts, Layout layout);

}  // namespace quoll::lab
