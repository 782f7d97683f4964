#include "tests/lab/scenario.h"

#include <algorithm>

namespace quoll::lab {
namespace {

using enum CongestionAlgorithm;

constexpr uint64_t kDatagram = 1452;

constexpr Duration ms(int64_t count) { return Duration::milliseconds(count); }
constexpr Duration s(int64_t count) { return Duration::seconds(count); }
constexpr Instant at(Duration time) { return Instant() + time; }
constexpr Bandwidth mbits(uint64_t count) { return Bandwidth::bits_per_second(count * 1'000'000); }

struct ListMaker {
  std::vector<Scenario> list;

  Scenario& add(std::string name, std::string what, LinkPlan link, int64_t seconds, size_t flows = 1) {
    list.push_back({.name = std::move(name),
                    .what = std::move(what),
                    .link = std::move(link),
                    .flows = std::vector<FlowPlan>(flows),
                    .duration = s(seconds),
                    .measure_from = ms(200 * seconds)});
    return list.back();
  }
};

void add_ranges(ListMaker& to) {
  to.add("slow-1m", "1 Mbit/s, 100 ms, 2 BDP", link_of(1, 100, 200), 30);
  to.add("dsl-10m", "10 Mbit/s, 30 ms, 1 BDP", link_of(10, 30, 100), 20);
  to.add("cable-100m", "100 Mbit/s, 20 ms, 1 BDP", link_of(100, 20, 100), 10);
  to.add("long-100m", "100 Mbit/s, 100 ms, 1 BDP", link_of(100, 100, 100), 20);
  to.add("long-500m", "500 Mbit/s, 100 ms, 1 BDP", link_of(500, 100, 100), 10);
  to.add("fast-1g", "1 Gbit/s, 10 ms, 1 BDP", link_of(1'000, 10, 100), 4).gather = Duration::microseconds(50);
  to.add("fast-10g", "10 Gbit/s, 4 ms, 1 BDP", link_of(10'000, 4, 100), 1).gather = Duration::microseconds(50);
  to.add("near-1g", "1 Gbit/s, 1 ms, 1 BDP", link_of(1'000, 1, 100), 2).gather = Duration::microseconds(50);
  to.add("satellite", "20 Mbit/s, 600 ms, 1 BDP", link_of(20, 600, 100), 60);
  for (const uint64_t percent : {10, 50, 400, 1'000}) {
    const std::string size = std::to_string(percent / 100) + "." + std::to_string(percent / 10 % 10);
    to.add("queue-" + size, "50 Mbit/s, 40 ms, queue of " + size + " BDP", link_of(50, 40, percent), 20);
  }
}

void add_losses(ListMaker& to) {
  for (const uint32_t ppm : {1'000u, 10'000u, 20'000u, 50'000u, 100'000u}) {
    const std::string percent = std::to_string(ppm / 10'000) + "." + std::to_string(ppm / 1'000 % 10);
    to.add("loss-" + percent, "50 Mbit/s, 40 ms, 1 BDP, " + percent + " % random loss", link_of(50, 40, 100), 20)
        .link.loss_ppm = ppm;
  }
  Scenario& bursts = to.add("bursts", "10 Mbit/s, 30 ms, 1 BDP, 2 % loss in bursts", link_of(10, 30, 100), 20);
  bursts.link.burst_ppm = 10'000;
  bursts.link.burst_leave_ppm = 400'000;
  Scenario& reordering =
      to.add("reordering", "50 Mbit/s, 40 ms, 1 BDP, 2 % up to 10 ms late", link_of(50, 40, 100), 20);
  reordering.link.reorder_ppm = 20'000;
  reordering.link.reorder_up_to = ms(10);
  Scenario& shallow = to.add("shallow-10", "100 Mbit/s, 20 ms, queue of 10 datagrams", link_of(100, 20, 100), 10);
  shallow.link.queue_bytes = 10 * kDatagram;
  Scenario& marks = to.add("ecn", "50 Mbit/s, 40 ms, 1 BDP, marks from 0.1 BDP on", link_of(50, 40, 100), 20);
  marks.link.mark_bytes = marks.link.queue_bytes / 10;
  Scenario& police = to.add("policer", "100 Mbit/s, 40 ms, policed to 20 Mbit/s, 60 KB", link_of(100, 40, 100), 20);
  police.link.policed = mbits(20);
  police.link.police_burst = 60'000;
  Scenario& wifi = to.add("wifi", "50 Mbit/s, 20 ms, 2 BDP, ACKs in lumps of about 20 ms", link_of(50, 20, 200), 20);
  wifi.link.ack_lumps = ms(20);
}

void add_changes(ListMaker& to) {
  Scenario& twice = to.add("rate-doubles", "20, then 40 Mbit/s, 50 ms, 1 BDP", link_of(20, 50, 100), 20);
  twice.link.steps = {{at(s(10)), mbits(40)}};
  Scenario& steps = to.add("rate-steps", "40, 10, 40 Mbit/s, 50 ms, 1 BDP", link_of(40, 50, 100), 24);
  steps.link.steps = {{at(s(8)), mbits(10)}, {at(s(16)), mbits(40)}};
  Scenario& path = to.add("path-change", "50 ms, 40 Mbit/s; then 120 ms, 20 Mbit/s; then 20 ms, 40 Mbit/s",
                          link_of(40, 50, 100), 30);
  path.link.path_changes = {{at(s(10)), ms(120)}, {at(s(20)), ms(20)}};
  path.link.steps = {{at(s(10)), mbits(20)}, {at(s(20)), mbits(40)}};
  Scenario& blackout = to.add("blackout", "20 Mbit/s, 50 ms, 1 BDP, nothing from 8 to 10 s", link_of(20, 50, 100), 20);
  blackout.link.blackout = {at(s(8)), at(s(10))};
  Scenario& episode =
      to.add("loss-episode", "20 Mbit/s, 50 ms, 1 BDP, 30 % lost from 8 to 11 s", link_of(20, 50, 100), 20);
  episode.link.episode = {at(s(8)), at(s(11))};
  episode.link.episode_ppm = 300'000;
}

void add_traffic(ListMaker& to) {
  Scenario& page = to.add("short-20x15k", "20 streams of 15 KB on a new connection, 40 Mbit/s, 50 ms, 1 BDP",
                          link_of(40, 50, 100), 5);
  page.flows[0].traffic = {.bytes = 15'000, .streams = 20};
  page.measure_from = {};
  Scenario& small = to.add("one-1m", "one stream of 1 MB, 40 Mbit/s, 50 ms, 1 BDP", link_of(40, 50, 100), 5);
  small.flows[0].traffic = {.bytes = 1'000'000};
  small.measure_from = {};
  Scenario& video = to.add("app-limited", "20 Mbit/s, 40 ms, 1 BDP, 500 KB each second", link_of(20, 40, 100), 20);
  video.flows[0].traffic = {.bytes = 500'000, .streams = 18, .apart = s(1)};
  Scenario& calls = to.add("calls-30", "50 connections of 1 KB, 10 Mbit/s, 30 ms, 30 % lost both ways",
                           link_of(10, 30, 100), 150, 50);
  calls.link.episode = {Instant(), at(s(150))};
  calls.link.episode_ppm = 300'000;
  for (size_t i = 0; i < calls.flows.size(); i++) {
    calls.flows[i] = {.start = static_cast<int64_t>(i) * s(3), .traffic = {.bytes = 1'000}};
  }
  Scenario& mice = to.add("mice", "50 Mbit/s, 40 ms, 1 BDP, beside it 30 flows of 50 KB", link_of(50, 40, 100), 20);
  for (int64_t i = 0; i < 30; i++) {
    mice.flows.push_back({.start = s(4) + i * ms(500), .traffic = {.bytes = 50'000}});
  }
}

/// One file over a link: its goodput is from the first datagram to the last byte.
Scenario& add_file(ListMaker& to, std::string name, std::string what, LinkPlan link, uint64_t megabytes) {
  const std::string size = std::to_string(megabytes) + " MB over ";
  Scenario& scenario = to.add(std::move(name), size + what, std::move(link), 300);
  scenario.flows[0].traffic = {.bytes = megabytes * 1'000'000};
  scenario.measure_from = {};
  return scenario;
}

void add_files(ListMaker& to) {
  LinkPlan slow = link_of(10, 30, 100);
  slow.queue_bytes = 25 * kDatagram;
  add_file(to, "file-10m", "10 Mbit/s, 30 ms, queue of 25 datagrams", slow, 10);
  Scenario& bursts = add_file(to, "file-bursts", "the same with 2 % loss in bursts", slow, 2);
  bursts.link.burst_ppm = 11'000;
  bursts.link.burst_leave_ppm = 400'000;
  Scenario& outage = add_file(to, "file-outage", "the same, nothing from 5 to 7 s", slow, 10);
  outage.link.blackout = {at(s(5)), at(s(7))};
  for (const uint64_t percent : {50, 100, 400}) {
    const std::string size = std::to_string(percent / 100) + "." + std::to_string(percent / 10 % 10);
    add_file(to, "file-100m-" + size, "100 Mbit/s, 100 ms, " + size + " BDP", link_of(100, 100, percent), 100);
  }
  for (const uint32_t ppm : {1'000u, 10'000u}) {
    const std::string percent = std::to_string(ppm / 10'000) + "." + std::to_string(ppm / 1'000 % 10);
    add_file(to, "file-loss-" + percent, "100 Mbit/s, 100 ms, 1 BDP, " + percent + " % loss", link_of(100, 100, 100),
             100)
        .link.loss_ppm = ppm;
  }
  add_file(to, "file-satellite", "20 Mbit/s, 600 ms, 1 BDP", link_of(20, 600, 100), 20);
  Scenario& shallow =
      add_file(to, "file-shallow", "100 Mbit/s, 20 ms, queue of 10 datagrams", link_of(100, 20, 100), 25);
  shallow.link.queue_bytes = 10 * kDatagram;
}

void add_shares(ListMaker& to) {
  for (const size_t flows : {2, 4, 10}) {
    Scenario& equal =
        to.add("equal-" + std::to_string(flows), std::to_string(flows) + " flows, 50 Mbit/s, 40 ms, 1 BDP",
               link_of(50, 40, 100), 40, flows);
    for (size_t i = 0; i < flows; i++) equal.flows[i].start = static_cast<int64_t>(i) * ms(300);
  }
  Scenario& rtts = to.add("rtts", "4 flows of 20 to 140 ms, 50 Mbit/s, 2 BDP", link_of(50, 20, 400), 40, 4);
  for (size_t i = 0; i < 4; i++) rtts.flows[i].extra_rtt = static_cast<int64_t>(i) * ms(40);
  to.add("versus-cubic", "beside a cubic flow, 50 Mbit/s, 40 ms, 1 BDP", link_of(50, 40, 100), 60, 2)
      .flows[1]
      .controller = cubic;
  Scenario& narrow = to.add("versus-cubic-10m", "beside a cubic flow, 10 Mbit/s, 30 ms, queue of 25 datagrams",
                            link_of(10, 30, 100), 60, 2);
  narrow.link.queue_bytes = 25 * kDatagram;
  narrow.flows[1].controller = cubic;
  Scenario& many =
      to.add("versus-mixed", "beside cubic, newreno and bbr3, 80 Mbit/s, 40 ms, 1 BDP", link_of(80, 40, 100), 60, 4);
  many.flows[1].controller = cubic;
  many.flows[2].controller = new_reno;
  many.flows[3].controller = bbr3;
}

}  // namespace

uint64_t bdp(Bandwidth rate, Duration rtt) { return rate.bytes_in(rtt); }

LinkPlan link_of(uint64_t megabits, int64_t rtt_ms, uint64_t queue_percent) {
  const Bandwidth rate = mbits(megabits);
  return {.rate = rate,
          .rtt = ms(rtt_ms),
          .queue_bytes = std::max(2 * kDatagram, bdp(rate, ms(rtt_ms)) * queue_percent / 100)};
}

std::vector<Instant> improvements(const LinkPlan& link) {
  std::vector<Instant> instants;
  Bandwidth rate = link.rate;
  for (const sim::Bottleneck::RateStep& step : link.steps) {
    if (step.rate > rate) instants.push_back(step.from);
    rate = step.rate;
  }
  for (const Period& period : {link.blackout, link.episode}) {
    if (period.is_there()) instants.push_back(period.until);
  }
  return instants;
}

Instant quiet_since(const LinkPlan& link) {
  const bool is_marked = link.mark_bytes != UINT64_MAX;
  const bool is_shallow = link.queue_bytes < 10 * kDatagram;
  if (link.loss_ppm > 0 || link.burst_ppm > 0 || link.reorder_ppm > 0 || !link.policed.is_zero() || is_marked ||
      is_shallow) {
    return Instant::never();
  }
  Instant last;
  for (const sim::Bottleneck::RateStep& step : link.steps) last = std::max(last, step.from);
  for (const PathChange& change : link.path_changes) last = std::max(last, change.at);
  for (const Period& period : {link.blackout, link.episode}) {
    if (period.is_there()) last = std::max(last, period.until);
  }
  return last;
}

const std::vector<Scenario>& named_scenarios() {
  static const std::vector<Scenario> made = [] {
    ListMaker maker;
    add_ranges(maker);
    add_losses(maker);
    add_changes(maker);
    add_traffic(maker);
    add_files(maker);
    add_shares(maker);
    return std::move(maker.list);
  }();
  return made;
}

const Scenario* find_scenario(std::string_view name) {
  const auto& all = named_scenarios();
  const auto found = std::ranges::find(all, name, &Scenario::name);
  return found == all.end() ? nullptr : &*found;
}

std::string_view name_of(CongestionAlgorithm algorithm) {
  switch (algorithm) {
    case new_reno:
      return "newreno";
    case cubic:
      return "cubic";
    case bbr2:
      return "bbr2";
    case bbr3:
      return "bbr3";
  }
  return "";
}

}  // namespace quoll::lab
