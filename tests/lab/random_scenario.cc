// Scenarios from seeds.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "tests/lab/scenario.h"
#include "tests/support/random.h"

namespace quoll::lab {
namespace {

constexpr uint64_t kBdpMax = 8'000'000;         // bytes: what lasts twenty round trips is to be soon done
constexpr uint64_t kSmallestWindow = 4 * 1452;  // of BBR
constexpr double kBytesMax = 30e6;              // that a run is about, where round trips are short
constexpr Duration kDurationMax = Duration::seconds(40);

class Dice {
 public:
  explicit Dice(uint64_t seed) : rng_(seed) {}

  uint64_t between(uint64_t low, uint64_t high) { return low + rng_.below(high - low + 1); }
  bool one_in(uint64_t count) { return rng_.below(count) == 0; }
  double share() { return static_cast<double>(rng_.below(1'000'001)) / 1e6; }
  /// Each order of magnitude as often as another.
  double spread(double low, double high) { return low * std::pow(high / low, share()); }
  Duration part_of(Duration whole) { return whole.is_zero() ? whole : scaled(whole, share()); }
  static Duration scaled(Duration whole, double factor) {
    return Duration::nanoseconds(static_cast<int64_t>(whole.as_seconds() * factor * 1e9));
  }

 private:
  tests::SeededRng rng_;
};

Bandwidth rate_of(double bits) { return Bandwidth::bits_per_second(static_cast<uint64_t>(bits)); }
Duration seconds_of(double seconds) { return Duration::nanoseconds(static_cast<int64_t>(seconds * 1e9)); }

LinkPlan draw_link(Dice& dice) {
  LinkPlan link;
  link.rate = rate_of(dice.spread(1e6, 10e9));
  link.rtt = seconds_of(dice.spread(0.001, 0.6));
  if (bdp(link.rate, link.rtt) > kBdpMax) link.rtt = std::max(link.rate.time_for(kBdpMax), Duration::milliseconds(1));
  const auto product = static_cast<double>(bdp(link.rate, link.rtt));
  link.queue_bytes = std::max<uint64_t>(3'000, static_cast<uint64_t>(product * dice.spread(0.1, 10)));
  return link;
}

void draw_hazards(Dice& dice, LinkPlan& link, Duration duration) {
  const auto instant = [&](double from, double to) {
    return Instant() + Dice::scaled(duration, from + (to - from) * dice.share());
  };
  if (dice.one_in(3)) link.loss_ppm = static_cast<uint32_t>(dice.spread(100, 100'000));
  if (dice.one_in(8)) link.burst_ppm = static_cast<uint32_t>(dice.spread(500, 20'000));
  if (dice.one_in(6)) {
    link.reorder_ppm = static_cast<uint32_t>(dice.spread(1'000, 200'000));
    link.reorder_up_to = dice.part_of(link.rtt);
  }
  if (dice.one_in(5)) link.mark_bytes = static_cast<uint64_t>(static_cast<double>(link.queue_bytes) * dice.share());
  if (dice.one_in(8)) {
    link.policed = link.rate.scaled(dice.between(20, 90), 100);
    link.police_burst =
        std::max<uint64_t>(15'000, static_cast<uint64_t>(dice.share() * static_cast<double>(link.queue_bytes)));
  }
  if (dice.one_in(6)) link.ack_lumps = Duration::microseconds(static_cast<int64_t>(dice.spread(1'000, 40'000)));
  if (dice.one_in(4)) {
    for (const double from : {0.3, 0.6}) {
      link.steps.push_back({instant(from, from + 0.25),
                            rate_of(static_cast<double>(link.rate.as_bytes_per_second()) * 8 * dice.spread(0.1, 1))});
    }
  }
  if (dice.one_in(6)) link.path_changes = {{instant(0.3, 0.8), Dice::scaled(link.rtt, dice.spread(0.2, 3))}};
  if (dice.one_in(8)) {
    const Instant from = instant(0.3, 0.6);
    link.blackout = {from, from + std::min(Duration::seconds(2), Dice::scaled(duration, 0.2))};
  }
  if (dice.one_in(8)) {
    const Instant from = instant(0.3, 0.6);
    link.episode = {from, from + std::min(Duration::seconds(2), Dice::scaled(duration, 0.2))};
    link.episode_ppm = static_cast<uint32_t>(dice.between(50'000, 400'000));
  }
}

FlowPlan draw_flow(Dice& dice, const Scenario& scenario, bool is_first) {
  FlowPlan flow;
  if (!is_first && dice.one_in(2)) {
    using enum CongestionAlgorithm;
    flow.controller = std::array{cubic, new_reno, bbr2, bbr3}[dice.between(0, 3)];
  }
  if (!is_first) flow.start = Dice::scaled(scenario.duration, 0.5 * dice.share());
  if (dice.one_in(3)) flow.extra_rtt = dice.part_of(3 * scenario.link.rtt);
  if (dice.one_in(5)) {
    flow.traffic = {.bytes = static_cast<uint64_t>(dice.spread(100, 200'000)),
                    .streams = static_cast<uint32_t>(dice.between(1, 20)),
                    .apart = dice.one_in(2) ? Duration() : Dice::scaled(scenario.duration, 0.04 * dice.share())};
  }
  return flow;
}

/// Flows at their smallest windows leave room for one more: else these shut out who begins, and there is nothing to be found.
void make_room(Scenario& scenario) {
  if (scenario.flows.size() < 2) return;
  LinkPlan& link = scenario.link;
  const uint64_t needed = kSmallestWindow * scenario.flows.size();
  link.queue_bytes = std::max(link.queue_bytes, needed);
  if (bdp(link.policed, link.rtt) < needed) link.policed = {};
}

/// The figures of a link and its hazards in a line, those that are there.
std::string describe(const Scenario& scenario) {
  const LinkPlan& link = scenario.link;
  std::string text;
  const auto add = [&](double value, const char* what) {
    char part[96];
    std::snprintf(part, sizeof part, "%s%.4g %s", text.empty() ? "" : ", ", value, what);
    text += part;
  };
  const auto add_if = [&](uint64_t value, double factor, const char* what) {
    if (value > 0) add(static_cast<double>(value) * factor, what);
  };
  add(static_cast<double>(link.rate.as_bytes_per_second()) * 8e-6, "Mbit/s");
  add(link.rtt.as_seconds() * 1e3, "ms");
  add(static_cast<double>(link.queue_bytes) / static_cast<double>(bdp(link.rate, link.rtt)), "BDP");
  add(scenario.duration.as_seconds(), "s");
  add(static_cast<double>(scenario.flows.size()), "flows");
  add_if(link.loss_ppm, 1e-4, "% loss");
  add_if(link.burst_ppm, 1e-4, "% begin a burst");
  add_if(link.reorder_ppm, 1e-4, "% late");
  add_if(link.policed.as_bytes_per_second(), 8e-6, "Mbit/s policed");
  if (link.mark_bytes != UINT64_MAX) add(static_cast<double>(link.mark_bytes), "bytes marked");
  if (!link.ack_lumps.is_zero()) add(link.ack_lumps.as_seconds() * 1e3, "ms ACK lumps");
  add_if(link.steps.size(), 1, "rate steps");
  add_if(link.path_changes.size(), 1, "path changes");
  if (link.blackout.is_there()) add((link.blackout.until - link.blackout.from).as_seconds(), "s dark");
  if (link.episode.is_there()) add((link.episode.until - link.episode.from).as_seconds(), "s lossy");
  return text;
}

}  // namespace

Scenario random_scenario(uint64_t seed) {
  Dice dice(seed * 7'919);
  Scenario scenario;
  scenario.name = "random-" + std::to_string(seed);
  scenario.link = draw_link(dice);
  const double needed = kBytesMax / static_cast<double>(scenario.link.rate.as_bytes_per_second());
  scenario.duration =
      std::clamp(seconds_of(needed), 20 * scenario.link.rtt, std::max(kDurationMax, 20 * scenario.link.rtt));
  scenario.measure_from = scenario.duration / 5;
  draw_hazards(dice, scenario.link, scenario.duration);
  scenario.flows.resize(dice.one_in(2) ? 1 : dice.between(2, 6));
  for (FlowPlan& flow : scenario.flows) flow = draw_flow(dice, scenario, &flow == scenario.flows.data());
  make_room(scenario);
  scenario.what = describe(scenario);
  if (scenario.link.rate >= rate_of(5e8)) scenario.gather = Duration::microseconds(50);
  return scenario;
}

}  // namespace quoll::lab
