#include "tests/lab/claims.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

namespace quoll::lab {
namespace {

using enum CongestionAlgorithm;
using Bound = Claim::Bound;
using Results = std::span<const RunResult>;

constexpr double kDatagram = 1452;

constexpr Duration ms(int64_t count) { return Duration::milliseconds(count); }
constexpr Duration s(int64_t count) { return Duration::seconds(count); }
constexpr Instant at(Duration time) { return Instant() + time; }

bool is_bbr(CongestionAlgorithm algorithm) { return algorithm == bbr2 || algorithm == bbr3; }

std::string link_name(uint64_t megabits, int64_t rtt_ms) {
  return std::to_string(megabits) + " Mbit/s, " + std::to_string(rtt_ms) + " ms";
}

Scenario scenario_of(std::string name, LinkPlan link, Duration duration, Duration measure_from, size_t flows = 1) {
  return {.name = std::move(name),
          .what = {},
          .link = std::move(link),
          .flows = std::vector<FlowPlan>(flows),
          .duration = duration,
          .measure_from = measure_from};
}

class Maker {
 public:
  Maker(std::span<const CongestionAlgorithm> controllers, Effort effort) : controllers_(controllers), effort_(effort) {}

  std::vector<Claim> make() {
    for (const CongestionAlgorithm controller : controllers_) {
      if (is_bbr(controller)) add_utilisation(controller);
    }
    for (const CongestionAlgorithm controller : controllers_) {
      if (is_bbr(controller)) add_queueing(controller);
    }
    for (const CongestionAlgorithm controller : controllers_) add_doubled_rate(controller);
    for (const CongestionAlgorithm controller : controllers_) add_equal_flows(controller);
    for (const CongestionAlgorithm controller : controllers_) add_beside_cubic(controller);
    for (const CongestionAlgorithm controller : controllers_) add_resumption(controller);
    return std::move(claims_);
  }

 private:
  template <class T>
  std::vector<T> choose(std::vector<T> tiny, std::vector<T> quick, std::vector<T> full) const {
    return effort_ == Effort::tiny ? tiny : effort_ == Effort::quick ? quick : full;
  }

  void add(Claim claim) { claims_.push_back(std::move(claim)); }

  struct Link {
    uint64_t megabits;
    int64_t rtt_ms;
  };

  void add_utilisation(CongestionAlgorithm controller) {
    const auto links = choose<Link>({{10, 40}}, {{10, 40}, {50, 40}}, {{10, 40}, {50, 40}, {100, 100}, {500, 100}});
    const auto losses = choose<uint32_t>({10'000}, {0, 1'000, 10'000}, {0, 1'000, 10'000});
    for (const Link& link : links) {
      for (const uint32_t ppm : losses) {
        const std::string loss = ppm == 0 ? "no" : ppm == 1'000 ? "0.1 %" : "1 %";
        Scenario scenario = scenario_of(link_name(link.megabits, link.rtt_ms) + ", 1 BDP, " + loss + " loss",
                                        link_of(link.megabits, link.rtt_ms, 100), s(20), s(4));
        scenario.link.loss_ppm = ppm;
        add({.what = "uses the link",
             .scenario = scenario.name,
             .controller = controller,
             .bound = Bound::at_least,
             .limit = 90,
             .unit = "%",
             .wishes = {{.scenario = scenario, .controller = controller}},
             .value = [](Results results) { return 100 * results[0].utilisation; }});
      }
    }
  }

  void add_queueing(CongestionAlgorithm controller) {
    for (const Link& link :
         choose<Link>({{10, 30}}, {{10, 30}, {50, 40}}, {{10, 30}, {50, 40}, {100, 20}, {20, 200}})) {
      const Scenario scenario = scenario_of(link_name(link.megabits, link.rtt_ms) + ", 10 BDP",
                                            link_of(link.megabits, link.rtt_ms, 1'000), s(20), s(4));
      add({.what = "mean queueing delay beside cubic's",
           .scenario = scenario.name,
           .controller = controller,
           .bound = Bound::at_most,
           .limit = 0.333,
           .unit = "x",
           .wishes = {{.scenario = scenario, .controller = controller}, {.scenario = scenario, .controller = cubic}},
           .value = [](Results results) { return results[0].queueing_mean_ms / results[1].queueing_mean_ms; }});
    }
  }

  void add_doubled_rate(CongestionAlgorithm controller) {
    // A window that grows by a datagram in a round trip doubles in three seconds where it is small.
    const auto rates = is_bbr(controller) ? choose<uint64_t>({10}, {20}, {10, 20, 50}) : std::vector<uint64_t>{10};
    for (const uint64_t megabits : rates) {
      // Where in its cycle a controller is must not matter.
      for (const int64_t when_ms : choose<int64_t>({10'000}, {10'000, 11'300}, {10'000, 10'600, 11'300, 12'100})) {
        LinkPlan link = link_of(megabits, 50, 100);
        link.steps = {{at(ms(when_ms)), link.rate.scaled(2, 1)}};
        const Scenario scenario =
            scenario_of(link_name(megabits, 50) + ", rate doubles after " + std::to_string(when_ms) + " ms",
                        std::move(link), ms(when_ms) + s(8), s(4));
        add({.what = "90 % of a doubled rate",
             .scenario = scenario.name,
             .controller = controller,
             .bound = Bound::at_most,
             .limit = 3,
             .unit = "s",
             .wishes = {{.scenario = scenario, .controller = controller}},
             .value = [](Results results) { return or_never(results[0].recoveries.at(0).to_90_percent); }});
      }
    }
  }

  void add_equal_flows(CongestionAlgorithm controller) {
    // CUBIC's cycle takes 5 s on the larger link (RFC 9438 §4.2), and each brings two flows nearer by its reduction alone.
    const int64_t settling = controller == CongestionAlgorithm::cubic ? 50 : 20;
    for (const size_t flows : choose<size_t>({2}, {2, 4, 10}, {2, 3, 5, 10})) {
      for (const Link& link : choose<Link>({{10, 40}}, {{20, 40}}, {{20, 40}, {50, 40}})) {
        Scenario scenario =
            scenario_of(std::to_string(flows) + " flows, " + link_name(link.megabits, link.rtt_ms) + ", 1 BDP",
                        link_of(link.megabits, link.rtt_ms, 100), s(3 * settling), s(settling), flows);
        for (size_t i = 0; i < flows; i++) scenario.flows[i].start = static_cast<int64_t>(i) * ms(300);
        add({.what = "Jain's index",
             .scenario = scenario.name,
             .controller = controller,
             .bound = Bound::at_least,
             .limit = 0.9,
             .unit = "",
             .wishes = {{.scenario = scenario, .controller = controller}},
             .value = [](Results results) { return results[0].jain; }});
      }
    }
  }

  /// The smallest and the largest multiple of the fair share that any flow had.
  static std::pair<double, double> shares(const RunResult& result) {
    double sum = 0, least = 1e9, most = 0;
    for (const FlowResult& flow : result.flows) {
      sum += flow.megabits;
      least = std::min(least, flow.megabits);
      most = std::max(most, flow.megabits);
    }
    const double fair = sum / static_cast<double>(result.flows.size());
    return {least / fair, most / fair};
  }

  void add_beside_cubic(CongestionAlgorithm controller) {
    struct Mix {
      size_t ours, cubics;
    };
    for (const Mix& mix : choose<Mix>({{1, 1}}, {{1, 1}, {1, 4}}, {{1, 1}, {1, 4}, {4, 1}, {5, 5}})) {
      for (const Link& link : choose<Link>({{10, 40}}, {{20, 40}}, {{10, 30}, {40, 80}})) {
        const std::string name = std::to_string(mix.ours) + " beside " + std::to_string(mix.cubics) + " cubic, " +
                                 link_name(link.megabits, link.rtt_ms) + ", 1 BDP";
        Scenario scenario =
            scenario_of(name, link_of(link.megabits, link.rtt_ms, 100), s(60), s(10), mix.ours + mix.cubics);
        for (size_t i = mix.ours; i < scenario.flows.size(); i++) scenario.flows[i].controller = cubic;
        Claim claim{.what = "least share of any flow",
                    .scenario = name,
                    .controller = controller,
                    .bound = Bound::at_least,
                    .limit = 0.25,
                    .unit = "x",
                    .wishes = {{.scenario = scenario, .controller = controller}},
                    .value = [](Results results) { return shares(results[0]).first; }};
        add(claim);
        if (scenario.flows.size() <= 4) continue;  // of fewer none can have more
        claim.what = "largest share of any flow";
        claim.bound = Bound::at_most;
        claim.limit = 4;
        claim.value = [](Results results) { return shares(results[0]).second; };
        add(claim);
      }
    }
  }

  void add_resumption(CongestionAlgorithm controller) {
    for (const Link& link : choose<Link>({{10, 50}}, {{20, 50}}, {{10, 30}, {20, 50}, {50, 100}})) {
      LinkPlan plan = link_of(link.megabits, link.rtt_ms, 100);
      const Period period = {at(s(8)), at(s(10))};
      // RFC 9002 §7.3.3 and RFC 9438 §4.3: from its threshold, which losses brought down, a window grows by about a datagram
      // in a round trip. 30 % loss leaves a threshold of two; a blackout halves what NewReno had.
      const double by_datagrams = 20 + std::floor(static_cast<double>(bdp(plan.rate, plan.rtt)) / kDatagram);
      LinkPlan dark = plan, lossy = plan;
      dark.blackout = period;
      lossy.episode = period;
      lossy.episode_ppm = 300'000;
      add_resumption(controller, link, dark, "2 s blackout", controller == new_reno ? by_datagrams : 20);
      add_resumption(controller, link, lossy, "30 % loss for 2 s", is_bbr(controller) ? 20 : by_datagrams);
    }
  }

  void add_resumption(CongestionAlgorithm controller, const Link& link, const LinkPlan& plan, const std::string& hazard,
                      double limit) {
    const Scenario scenario = scenario_of(link_name(link.megabits, link.rtt_ms) + ", " + hazard, plan,
                                          s(14) + static_cast<int64_t>(limit) * plan.rtt, s(4));
    add({.what = "80 % again after " + hazard,
         .scenario = scenario.name,
         .controller = controller,
         .bound = Bound::at_most,
         .limit = limit,
         .unit = "RTT",
         .wishes = {{.scenario = scenario, .controller = controller}},
         .value = [rtt = plan.rtt](Results results) {
           const Recovery& recovery = results[0].recoveries.at(0);
           return or_never(recovery.to_80_percent < 0 ? -1 : recovery.to_80_percent - recovery.first_seconds) /
                  rtt.as_seconds();
         }});
  }

  static double or_never(double seconds) { return seconds < 0 ? 1e6 : seconds; }

  std::span<const CongestionAlgorithm> controllers_;
  Effort effort_;
  std::vector<Claim> claims_;
};

bool is_worse(const Claim& claim, double value, double than) {
  return claim.bound == Bound::at_least ? value < than : value > than;
}

std::string number(double value, const std::string& unit) {
  if (value >= 1e3) return "never";
  char text[48];
  std::snprintf(text, sizeof text, "%.*f", value >= 10 ? 1 : value >= 1 ? 2 : 3, value);
  std::string told = text;
  if (told.contains('.')) {
    told.erase(told.find_last_not_of('0') + 1);
    if (told.ends_with('.')) told.pop_back();
  }
  return unit.empty() ? told : told + " " + unit;
}

}  // namespace

bool Verdict::holds() const { return failure.empty() && !is_worse(*claim, measured, claim->limit); }

std::vector<Claim> claims(std::span<const CongestionAlgorithm> controllers, Effort effort) {
  return Maker(controllers, effort).make();
}

namespace {

/// Wishes of which none is there twice: claims about the same run share it.
class Wishes {
 public:
  /// The number that the wish has.
  size_t add(const Wish& wish) {
    const auto [at, is_new] = numbers_.try_emplace({wish.scenario.name, wish.controller, wish.seed}, all_.size());
    if (is_new) all_.push_back(wish);
    return at->second;
  }
  const std::vector<Wish>& all() const { return all_; }

 private:
  std::map<std::tuple<std::string, CongestionAlgorithm, uint64_t>, size_t> numbers_;
  std::vector<Wish> all_;
};

}  // namespace

Judgement judge(std::span<const Claim> claims, uint64_t seeds, unsigned jobs, bool keeps_samples) {
  Wishes wishes;
  std::vector<std::vector<size_t>> numbers;  // of the runs of a claim and seed
  for (const Claim& claim : claims) {
    for (uint64_t seed = 1; seed <= seeds; seed++) {
      numbers.emplace_back();
      for (Wish wish : claim.wishes) {
        wish.seed = seed;
        wish.keeps_samples = keeps_samples;
        numbers.back().push_back(wishes.add(wish));
      }
    }
  }
  Judgement judgement{.verdicts = {}, .results = run_all(wishes.all(), jobs)};
  size_t next = 0;
  for (const Claim& claim : claims) {
    Verdict verdict{.claim = &claim, .failure = {}};
    for (uint64_t seed = 1; seed <= seeds; seed++, next++) {
      std::vector<RunResult> of_seed;
      for (const size_t number : numbers[next]) of_seed.push_back(judgement.results[number]);
      const double value = claim.value(of_seed);
      if (seed == 1 || is_worse(claim, value, verdict.measured)) {
        verdict.measured = value;
        verdict.seed = seed;
      }
      for (const RunResult& result : of_seed) {
        if (!result.failure.empty()) verdict.failure = result.failure + " (seed " + std::to_string(seed) + ")";
      }
    }
    judgement.verdicts.push_back(std::move(verdict));
  }
  return judgement;
}

namespace {

std::string bound_of(const Claim& claim, Layout layout) {
  static constexpr const char* kSigns[][2] = {{">= ", "≥ "}, {"<= ", "≤ "}};
  return kSigns[static_cast<size_t>(claim.bound)][static_cast<size_t>(layout)] + number(claim.limit, claim.unit);
}

void print_text(std::FILE* to, std::span<const Verdict> verdicts) {
  constexpr const char* kRow = "%-38s %-52s %-8s %-10s %-10s %s%s\n";
  std::fprintf(to, kRow, "claim", "scenario", "control", "bound", "measured", "holds", "");
  for (const Verdict& verdict : verdicts) {
    const Claim& claim = *verdict.claim;
    std::fprintf(to, kRow, claim.what.c_str(), claim.scenario.c_str(), std::string(name_of(claim.controller)).c_str(),
                 bound_of(claim, Layout::text).c_str(), number(verdict.measured, claim.unit).c_str(),
                 verdict.holds() ? "yes" : "NO, seed ", verdict.holds() ? "" : std::to_string(verdict.seed).c_str());
    if (!verdict.failure.empty()) std::fprintf(to, "  FAILED: %s\n", verdict.failure.c_str());
  }
}

/// Claims of one kind about one controller: that nearest to its bound, or farthest beyond it, stands for all.
struct Group {
  const Verdict* worst = nullptr;
  size_t count = 0, held = 0;
};

void print_markdown(std::FILE* to, std::span<const Verdict> verdicts) {
  std::vector<Group> groups;
  for (const Verdict& verdict : verdicts) {
    const auto same = [&](const Group& group) {
      const Claim& claim = *group.worst->claim;
      return claim.what == verdict.claim->what && claim.controller == verdict.claim->controller;
    };
    auto group = std::ranges::find_if(groups, same);
    if (group == groups.end()) group = groups.insert(groups.end(), {.worst = &verdict});
    group->count++;
    group->held += verdict.holds();
    if (is_worse(*verdict.claim, verdict.measured, group->worst->measured)) group->worst = &verdict;
  }
  std::fputs("| claim | controller | bound | worst measured | where | holds |\n|---|---|---|---|---|---|\n", to);
  for (const Group& group : groups) {
    const Claim& claim = *group.worst->claim;
    const std::string count = std::to_string(group.held) + " of " + std::to_string(group.count);
    std::fprintf(to, "| %s | `%s` | %s | %s | %s | %s |\n", claim.what.c_str(),
                 std::string(name_of(claim.controller)).c_str(), bound_of(claim, Layout::markdown).c_str(),
                 number(group.worst->measured, claim.unit).c_str(), claim.scenario.c_str(),
                 group.held == group.count ? count.c_str() : ("**" + count + "**").c_str());
  }
}

}  // namespace

void print_verdicts(std::FILE* to, std::span<const Verdict> verdicts, Layout layout) {
  if (layout == Layout::text) return print_text(to, verdicts);
  print_markdown(to, verdicts);
}

}  // namespace quoll::lab
