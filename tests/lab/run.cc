#include "tests/lab/run.h"

#include <time.h>

#include <algorithm>
#include <numeric>

#include "tests/lab/flow.h"
#include "tests/lab/network.h"

namespace quoll::lab {
namespace {

constexpr Duration kDrainMax = Duration::seconds(1'200);  // from the last write until everything must be delivered
/// What is connected that long, and ten round trips, has got something through: more than a handshake's PTO.
constexpr Duration kTimeToSend = Duration::seconds(3);
/// Within that, after a sender's longest wait for a PTO, even a window that grows by a datagram in a round trip has grown.
constexpr Duration kTimeToRise = Duration::seconds(4);
constexpr int64_t kRoundsToRise = 60;
constexpr double kBytesOfRound = 10 * 1'200;
constexpr Duration kSpanOfRest = Duration::seconds(1);
constexpr int64_t kSamples = 800;
constexpr Duration kSampleMin = Duration::milliseconds(1);
/// RFC 9002 §7.2, with the smallest datagrams that a path may have come down to.
constexpr uint64_t kWindowFloor = quic::minimum_window(quic::kSmallestMaxDatagramSize);

/// Seconds that this thread has run.
double processor_time() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

class Run {
 public:
  Run(const Scenario& scenario, CongestionAlgorithm controller, uint64_t seed)
      : scenario_(scenario),
        network_(world_, scenario, seed),
        end_(Instant() + scenario.duration),
        interval_(std::max(kSampleMin, std::min(scenario.duration / kSamples, scenario.link.rtt / 2))) {
    result_.scenario = scenario.name;
    result_.what = scenario.what;
    result_.controller = controller;
    result_.seed = seed;
    for (size_t i = 0; i < scenario.flows.size(); i++) add_flow(i);
  }

  RunResult run() {
    const double begin = processor_time();
    for (auto& flow : flows_) {
      world_.scheduler.at(Instant() + flow->setting().plan.start, [flow = flow.get()] { flow->start(); });
    }
    sample();
    const Instant limit = end_ + kDrainMax;
    while (!is_over() && world_.now() < limit && world_.scheduler.step()) {
    }
    conclude();
    result_.processor_seconds = processor_time() - begin;
    return std::move(result_);
  }

 private:
  void add_flow(size_t index) {
    const FlowPlan& plan = scenario_.flows[index];
    flows_.push_back(
        std::make_unique<Flow>(world_, Flow::Setting{.controller = plan.controller.value_or(result_.controller),
                                                     .plan = plan,
                                                     .last_write = end_,
                                                     .rate = scenario_.link.rate,
                                                     .gather = scenario_.gather,
                                                     .seed = result_.seed * 1'000 + index,
                                                     .number = static_cast<uint16_t>(index)}));
    network_.connect(*flows_.back());
    window_min_.push_back(UINT64_MAX);
    longest_rtt_.emplace_back();
  }

  bool is_over() const {
    return world_.verdict.failed() || std::ranges::all_of(flows_, [](const auto& flow) { return flow->is_done(); });
  }

  void sample() {
    Sample sample{.when = world_.now(), .queueing = network_.bottleneck().wait(world_.now()), .flows = {}};
    for (size_t i = 0; i < flows_.size(); i++) {
      Flow& flow = *flows_[i];
      const quic::Statistics& now = flow.statistics();
      sample.flows.push_back({.arrived = flow.arrived(),
                              .window = now.congestion_window,
                              .in_flight = now.bytes_in_flight,
                              .pacing_rate = now.pacing_rate,
                              .smoothed_rtt = now.smoothed_rtt,
                              .packets_lost = now.packets_lost});
      if (flow.facts().connected.is_never()) continue;
      longest_rtt_[i] = std::max(longest_rtt_[i], now.smoothed_rtt);
      window_min_[i] = std::min(window_min_[i], now.congestion_window);
      if (now.congestion_window < kWindowFloor) world_.fail("a window below its floor");
    }
    result_.samples.push_back(std::move(sample));
    if (!is_over()) world_.scheduler.after(interval_, [this] { this->sample(); });
  }

  // --- At the end

  /// What of flow `i` had arrived at an instant, between two samples in proportion.
  double arrived_at(Instant when, size_t i) const {
    const auto after = std::ranges::lower_bound(result_.samples, when, {}, &Sample::when);
    if (after == result_.samples.begin()) return 0;
    if (after == result_.samples.end()) return static_cast<double>(result_.samples.back().flows[i].arrived);
    const Sample& before = *std::prev(after);
    const double part = (when - before.when).as_seconds() / (after->when - before.when).as_seconds();
    const auto low = static_cast<double>(before.flows[i].arrived), high = static_cast<double>(after->flows[i].arrived);
    return low + part * (high - low);
  }
  double arrived_between(Instant from, Instant until) const {
    double bytes = 0;
    for (size_t i = 0; i < flows_.size(); i++) bytes += arrived_at(until, i) - arrived_at(from, i);
    return bytes;
  }

  void conclude() {
    sample();
    const Instant from = Instant() + scenario_.measure_from;
    for (size_t i = 0; i < flows_.size(); i++) add_result(i, from);
    Network::Measured& measured = network_.measured();
    result_.queueing_median_ms = percentile(measured.queueing_ms, 50);
    result_.queueing_p95_ms = percentile(measured.queueing_ms, 95);
    result_.queueing_mean_ms = std::accumulate(measured.queueing_ms.begin(), measured.queueing_ms.end(), 0.0) /
                               static_cast<double>(std::max<size_t>(1, measured.queueing_ms.size()));
    result_.dropped = network_.dropped();
    result_.marked = network_.bottleneck().marked();
    const Instant until = std::min(end_, world_.now());
    const auto capacity = static_cast<double>(std::max<uint64_t>(1, network_.capacity(from, until)));
    result_.utilisation = arrived_between(from, until) / capacity;
    add_shares();
    add_recoveries();
    look_for_rest();
    result_.failure = world_.verdict.failure();
  }

  void add_result(size_t i, Instant from) {
    Flow& flow = *flows_[i];
    const quic::Statistics& statistics = flow.statistics();
    const FlowFacts& facts = flow.facts();
    FlowResult one{.controller = flow.setting().controller,
                   .is_bulk = flow.setting().plan.traffic.is_bulk(),
                   .is_done = !facts.done.is_never(),
                   .packets_sent = statistics.packets_sent,
                   .packets_lost = statistics.packets_lost,
                   .packets_spuriously_lost = statistics.packets_spuriously_lost,
                   .probe_timeouts = statistics.probe_timeouts,
                   .window_min = window_min_[i]};
    if (!one.is_done) world_.fail("flow " + std::to_string(i) + " did not deliver all of its bytes");
    if (facts.delivered != facts.sent) world_.fail("flow " + std::to_string(i) + " lost bytes");
    const Instant begin = one.is_bulk ? std::max(from, facts.started) : facts.started;
    const Instant end = one.is_bulk ? end_ : std::min(facts.done, world_.now());
    one.megabits = (arrived_at(end, i) - arrived_at(begin, i)) * 8e-6 / std::max(1e-9, (end - begin).as_seconds());
    one.seconds = (std::min(facts.done, world_.now()) - facts.started).as_seconds();
    one.packets_lost_percent =
        100.0 * static_cast<double>(one.packets_lost) / static_cast<double>(std::max<uint64_t>(1, one.packets_sent));
    one.retransmitted_percent = 100.0 * static_cast<double>(statistics.streams.bytes_retransmitted) /
                                static_cast<double>(std::max<uint64_t>(1, statistics.streams.bytes_sent));
    for (const Duration time : facts.stream_times) one.stream_seconds.push_back(time.as_seconds());
    for (const sim::Host* host : {&flow.client(), &flow.server()}) result_.datagrams += host->counters().datagrams_sent;
    const bool had_time = !facts.connected.is_never() && facts.connected + kTimeToSend + 10 * longest_rtt_[i] < end_;
    if (had_time && arrived_at(end_, i) <= 0) world_.fail("flow " + std::to_string(i) + " got nothing through");
    result_.flows.push_back(std::move(one));
  }

  void add_shares() {
    std::vector<double> goodputs;
    for (const FlowResult& flow : result_.flows) {
      if (flow.is_bulk) goodputs.push_back(flow.megabits);
    }
    result_.jain = jain_index(goodputs);
    const double sum = std::accumulate(goodputs.begin(), goodputs.end(), 0.0);
    if (sum > 0) result_.share = result_.flows[0].megabits * static_cast<double>(goodputs.size()) / sum;
  }

  void add_recoveries() {
    for (const Instant event : improvements(scenario_.link)) {
      if (event >= end_) continue;
      const Instant first = network_.first_through(event);
      result_.recoveries.push_back({.from = event,
                                    .first_seconds = first.is_never() ? -1 : (first - event).as_seconds(),
                                    .to_80_percent = time_to(event, 0.8),
                                    .to_90_percent = time_to(event, 0.9)});
    }
  }

  /// A flow that is alone on a link without hazards has got away from its smallest window.
  void look_for_rest() {
    if (flows_.size() > 1 || !result_.flows[0].is_bulk) return;
    Duration rtt = scenario_.link.rtt;
    for (const PathChange& change : scenario_.link.path_changes) rtt = std::max(rtt, change.rtt);
    rtt += scenario_.flows[0].extra_rtt;
    const Instant quiet = std::max(quiet_since(scenario_.link), flows_[0]->facts().connected);
    if (quiet + kTimeToRise + kRoundsToRise * rtt > end_) return;
    const Duration span = std::max(10 * rtt, kSpanOfRest);
    const auto capacity = static_cast<double>(network_.capacity(end_ - span, end_));
    const double rounds = span.as_seconds() / rtt.as_seconds();
    if (arrived_between(end_ - span, end_) < std::min(capacity / 2, rounds * kBytesOfRound)) {
      world_.fail("the flow stays at its smallest window");
    }
  }

  /// Seconds until a span of two round trips begins and ends in which so much of the link's rate was goodput.
  double time_to(Instant event, double share) const {
    const Duration span = std::max(2 * scenario_.link.rtt, 2 * interval_);
    for (const Sample& sample : result_.samples) {
      const Instant from = sample.when - span;
      if (from < event) continue;
      if (sample.when > end_) break;
      const double wanted = share * static_cast<double>(network_.capacity(from, sample.when));
      if (arrived_between(from, sample.when) >= wanted) return (sample.when - event).as_seconds();
    }
    return -1;
  }

  const Scenario& scenario_;
  sim::World world_;
  Network network_;
  Instant end_;
  Duration interval_;  // of samples
  std::vector<std::unique_ptr<Flow>> flows_;
  std::vector<uint64_t> window_min_;
  std::vector<Duration> longest_rtt_;
  RunResult result_;
};

}  // namespace

RunResult run(const Scenario& scenario, CongestionAlgorithm controller, uint64_t seed) {
  return Run(scenario, controller, seed).run();
}

double jain_index(const std::vector<double>& values) {
  double sum = 0, squares = 0;
  for (const double value : values) {
    sum += value;
    squares += value * value;
  }
  return squares > 0 ? sum * sum / (static_cast<double>(values.size()) * squares) : 1;
}

double percentile(std::vector<float>& values, double percent) {
  if (values.empty()) return 0;
  const auto index = static_cast<size_t>(percent / 100 * static_cast<double>(values.size() - 1));
  const auto at = values.begin() + static_cast<ptrdiff_t>(index);
  std::ranges::nth_element(values, at);
  return static_cast<double>(*at);
}

}  // namespace quoll::lab
