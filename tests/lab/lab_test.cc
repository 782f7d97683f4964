// The laboratory itself: what it measures is what happened.

#include <algorithm>
#include <set>

#include "tests/lab/batch.h"
#include "tests/lab/claims.h"

#include <doctest/doctest.h>

namespace quoll::lab {
namespace {

using enum CongestionAlgorithm;

constexpr Duration ms(int64_t count) { return Duration::milliseconds(count); }
constexpr Duration s(int64_t count) { return Duration::seconds(count); }

/// 4 Mbit/s and 20 ms: quick to run.
Scenario small(size_t flows = 1) {
  return {.name = "small",
          .what = {},
          .link = link_of(4, 20, 200),
          .flows = std::vector<FlowPlan>(flows),
          .duration = s(4),
          .measure_from = s(1)};
}

TEST_CASE("Jain's index is 1 for equal shares and 1/n when one has all") {
  CHECK(jain_index({3, 3, 3}) == doctest::Approx(1));
  CHECK(jain_index({5, 0, 0, 0}) == doctest::Approx(0.25));
  CHECK(jain_index({}) == 1);
}

TEST_CASE("percentiles are values that are there") {
  std::vector<float> values;
  for (int i = 100; i >= 0; i--) values.push_back(static_cast<float>(i));
  CHECK(percentile(values, 50) == 50);
  CHECK(percentile(values, 95) == 95);
  std::vector<float> none;
  CHECK(percentile(none, 50) == 0);
}

TEST_CASE("one flow fills its link and is told so") {
  const RunResult result = run(small(), cubic, 1);
  CHECK(result.failure.empty());
  CHECK(result.flows[0].is_done);
  CHECK(result.utilisation > 0.9);
  CHECK(result.utilisation < 0.98);  // headers are no goodput
  CHECK(result.flows[0].megabits == doctest::Approx(4 * result.utilisation).epsilon(0.01));
  CHECK(result.queueing_p95_ms > result.queueing_median_ms);
  CHECK(result.queueing_p95_ms <= 40.1);  // two products of 20 ms
  CHECK(result.dropped > 0);
  CHECK(result.flows[0].packets_lost >= result.dropped);
  CHECK(result.samples.size() > 300);
}

TEST_CASE("the same seed gives the same result, another one another") {
  Scenario scenario = small(2);
  scenario.link.loss_ppm = 10'000;
  const RunResult first = run(scenario, bbr2, 7), again = run(scenario, bbr2, 7), other = run(scenario, bbr2, 8);
  CHECK(first.datagrams == again.datagrams);
  CHECK(first.queueing_mean_ms == again.queueing_mean_ms);
  CHECK(first.flows[0].megabits == again.flows[0].megabits);
  CHECK(first.datagrams != other.datagrams);
}

TEST_CASE("a flow that sends little meets no queue, and its end is told") {
  Scenario scenario = small();
  scenario.measure_from = {};
  scenario.flows[0].traffic = {.bytes = 1'000, .streams = 5, .apart = ms(200)};
  const RunResult result = run(scenario, cubic, 1);
  CHECK(result.failure.empty());
  CHECK(result.flows[0].stream_seconds.size() == 5);
  CHECK(result.flows[0].seconds > 0.8);
  CHECK(result.flows[0].seconds < 1);
  CHECK(result.queueing_median_ms == 0);
  CHECK(result.dropped == 0);
}

TEST_CASE("flows share a bottleneck, each with its own controller and round trip") {
  Scenario scenario = small(2);
  scenario.duration = s(10);
  scenario.flows[1].controller = new_reno;
  scenario.flows[1].extra_rtt = ms(100);
  const RunResult result = run(scenario, cubic, 1);
  CHECK(result.failure.empty());
  REQUIRE(result.flows.size() == 2);
  CHECK(result.flows[0].controller == cubic);
  CHECK(result.flows[1].controller == new_reno);
  CHECK(result.flows[0].megabits > result.flows[1].megabits);
  CHECK(result.share > 1);
  CHECK(result.jain < 1);
  CHECK(result.flows[0].megabits + result.flows[1].megabits == doctest::Approx(4 * result.utilisation).epsilon(0.01));
  const Sample& late = result.samples[result.samples.size() / 2];
  CHECK(late.flows[1].smoothed_rtt > late.flows[0].smoothed_rtt + ms(60));
}

TEST_CASE("a blackout's end, and what came after it, is measured") {
  Scenario scenario = small();
  scenario.link.blackout = {Instant() + s(2), Instant() + ms(2'500)};
  const RunResult result = run(scenario, bbr2, 1);
  CHECK(result.failure.empty());
  REQUIRE(result.recoveries.size() == 1);
  const Recovery& recovery = result.recoveries[0];
  CHECK(recovery.from == Instant() + ms(2'500));
  CHECK(recovery.first_seconds >= 0);
  CHECK(recovery.to_80_percent > recovery.first_seconds);
  CHECK(recovery.to_90_percent >= recovery.to_80_percent);
}

TEST_CASE("a link that never comes back is a failure") {
  Scenario scenario = small();
  scenario.link.blackout = {Instant() + s(2), Instant::never()};
  const RunResult result = run(scenario, cubic, 1);
  CHECK(result.failure.contains("did not deliver"));
  CHECK_FALSE(result.flows[0].is_done);
}

TEST_CASE("it gets better with a higher rate and when a hazard ends") {
  LinkPlan link = link_of(10, 20, 100);
  link.steps = {{Instant() + s(1), link.rate.scaled(1, 2)}, {Instant() + s(2), link.rate}};
  link.episode = {Instant() + s(4), Instant() + s(5)};
  CHECK(improvements(link) == std::vector{Instant() + s(2), Instant() + s(5)});
}

TEST_CASE("a path is quiet after its last change, and never with a hazard that stays") {
  LinkPlan link = link_of(10, 20, 100);
  CHECK(quiet_since(link) == Instant());
  link.steps = {{Instant() + s(1), link.rate.scaled(1, 2)}};
  link.blackout = {Instant() + s(4), Instant() + s(5)};
  CHECK(quiet_since(link) == Instant() + s(5));
  link.loss_ppm = 1;
  CHECK(quiet_since(link).is_never());
}

TEST_CASE("scenarios have names of their own, flows, and time to measure in") {
  std::set<std::string> names;
  for (const Scenario& scenario : named_scenarios()) {
    CHECK(names.insert(scenario.name).second);
    CHECK(find_scenario(scenario.name) == &scenario);
    CHECK_FALSE(scenario.what.empty());
    CHECK_FALSE(scenario.flows.empty());
    CHECK(scenario.measure_from < scenario.duration);
  }
  CHECK(find_scenario("none") == nullptr);
}

TEST_CASE("a seed draws the same scenario each time, and hazards end before it does") {
  for (uint64_t seed = 1; seed <= 300; seed++) {
    CAPTURE(seed);
    const Scenario scenario = random_scenario(seed), again = random_scenario(seed);
    CHECK(scenario.link.rate == again.link.rate);
    CHECK(scenario.duration == again.duration);
    CHECK(scenario.duration >= 20 * scenario.link.rtt);
    CHECK(scenario.link.rate >= Bandwidth::bits_per_second(900'000));
    CHECK(scenario.link.rate <= Bandwidth::bits_per_second(10'000'000'000));
    for (const Period& period : {scenario.link.blackout, scenario.link.episode}) {
      if (period.is_there()) CHECK(period.until < Instant() + scenario.duration);
    }
  }
}

TEST_CASE("results come in the order of the wishes, whoever is done first") {
  std::vector<Wish> wishes;
  for (uint64_t seed = 1; seed <= 6; seed++) {
    Scenario scenario = small();
    scenario.duration = seed % 2 == 1 ? s(3) : ms(1'500);
    wishes.push_back({.scenario = scenario, .controller = cubic, .seed = seed});
  }
  std::vector<uint64_t> told;
  const auto results = run_all(wishes, 3, [&](const RunResult& result) { told.push_back(result.seed); });
  CHECK(told == std::vector<uint64_t>{1, 2, 3, 4, 5, 6});
  for (size_t i = 0; i < results.size(); i++) {
    CHECK(results[i].seed == i + 1);
    CHECK(results[i].samples.empty());
  }
}

TEST_CASE("a claim is judged by its worst seed") {
  const auto seed_of = [](std::span<const RunResult> results) { return static_cast<double>(results[0].seed); };
  Claim claim{.what = "seed",
              .scenario = "small",
              .bound = Claim::Bound::at_most,
              .limit = 2,
              .unit = "",
              .wishes = {{.scenario = small()}},
              .value = seed_of};
  CHECK(judge(std::span(&claim, 1), 2, 1).verdicts[0].holds());
  const std::vector<Verdict> verdicts = judge(std::span(&claim, 1), 3, 1).verdicts;
  CHECK_FALSE(verdicts[0].holds());
  CHECK(verdicts[0].measured == 3);
  CHECK(verdicts[0].seed == 3);
  claim.bound = Claim::Bound::at_least;
  CHECK(judge(std::span(&claim, 1), 3, 1).verdicts[0].measured == 1);
}

TEST_CASE("a claim does not hold when a run fails, whatever was measured") {
  Scenario scenario = small();
  scenario.link.blackout = {Instant() + s(2), Instant::never()};
  const Claim claim{.what = "nothing",
                    .scenario = scenario.name,
                    .bound = Claim::Bound::at_least,
                    .limit = 0,
                    .unit = "",
                    .wishes = {{.scenario = scenario}},
                    .value = [](std::span<const RunResult>) { return 1.0; }};
  const std::vector<Verdict> verdicts = judge(std::span(&claim, 1), 1, 1).verdicts;
  CHECK_FALSE(verdicts[0].holds());
  CHECK(verdicts[0].failure.contains("did not deliver"));
}

}  // namespace
}  // namespace quoll::lab
