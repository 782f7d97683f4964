#include "tests/lab/network.h"

#include <algorithm>

namespace quoll::lab {

using sim::Datagram;
using sim::Direction;

Network::Network(sim::World& world, const Scenario& scenario, uint64_t seed)
    : world_(world),
      scenario_(scenario),
      seed_(seed * 1'000),
      shared_(world.scheduler, world.journal, Direction::to_server,
              [this](Datagram datagram) { ways_[Flow::number_of(datagram)]->there.send(std::move(datagram)); }) {
  const LinkPlan& plan = scenario.link;
  improvements_ = improvements(plan);
  first_through_.resize(improvements_.size(), Instant::never());
  if (plan.blackout.is_there()) shared_.add<sim::Blackhole>(plan.blackout.from, plan.blackout.until);
  if (plan.episode.is_there()) {
    shared_.add<sim::RandomLoss>(seed_ + 1, plan.episode_ppm, plan.episode.from, plan.episode.until);
  }
  if (plan.loss_ppm > 0) shared_.add<sim::RandomLoss>(seed_ + 2, plan.loss_ppm);
  if (plan.burst_ppm > 0) shared_.add<sim::BurstLoss>(seed_ + 3, plan.burst_ppm, plan.burst_leave_ppm);
  if (!plan.policed.is_zero()) policer_ = &shared_.add<sim::Policer>(plan.policed, plan.police_burst);
  bottleneck_ = &shared_.add<sim::Bottleneck>(sim::Bottleneck::Options{
      .rate = plan.rate, .queue_bytes = plan.queue_bytes, .mark_bytes = plan.mark_bytes, .steps = plan.steps});
  shared_.add<sim::Tap>([this](Instant now, const Datagram& datagram) { on_through(now, datagram); });
  if (plan.reorder_ppm > 0) shared_.add<sim::Reordering>(seed_ + 4, plan.reorder_ppm, plan.reorder_up_to);
}

Network::Way::Way(Network& network, Flow& flow)
    : there(network.world_.scheduler, network.world_.journal, Direction::to_server,
            [&flow](Datagram datagram) { flow.server().deliver(std::move(datagram)); }),
      back(network.world_.scheduler, network.world_.journal, Direction::to_client,
           [&flow](Datagram datagram) { flow.client().deliver(std::move(datagram)); }) {
  const LinkPlan& plan = network.scenario_.link;
  there.add<sim::ChangingDelay>(network.delays({}));
  if (plan.blackout.is_there()) back.add<sim::Blackhole>(plan.blackout.from, plan.blackout.until);
  if (plan.episode.is_there()) {
    back.add<sim::RandomLoss>(network.seed_ + 100 + flow.setting().number, plan.episode_ppm, plan.episode.from,
                              plan.episode.until);
  }
  back.add<sim::ChangingDelay>(network.delays(flow.setting().plan.extra_rtt));
  if (!plan.ack_lumps.is_zero())
    back.add<sim::Aggregation>(network.seed_ + 500 + flow.setting().number, plan.ack_lumps);
}

void Network::connect(Flow& flow) {
  QUOLL_CHECK(flow.setting().number == ways_.size());
  ways_.push_back(std::make_unique<Way>(*this, flow));
  Way& way = *ways_.back();
  flow.attach([this](Datagram datagram) { shared_.send(std::move(datagram)); },
              [&way](Datagram datagram) { way.back.send(std::move(datagram)); });
}

std::vector<sim::ChangingDelay::Step> Network::delays(Duration extra) const {
  std::vector<sim::ChangingDelay::Step> steps = {{Instant(), scenario_.link.rtt / 2 + extra}};
  for (const PathChange& change : scenario_.link.path_changes) steps.push_back({change.at, change.rtt / 2 + extra});
  return steps;
}

/// The sender's host is at the bottleneck: what a datagram took since it was sent, but for its own transmission, it waited.
void Network::on_through(Instant now, const Datagram& datagram) {
  for (size_t i = 0; i < improvements_.size(); i++) {
    if (now >= improvements_[i]) first_through_[i] = std::min(first_through_[i], now);
  }
  if (now < Instant() + scenario_.measure_from || now > Instant() + scenario_.duration) return;
  const Duration own = bottleneck_->rate_at(now).time_for(datagram.bytes.size());
  const Duration waited = std::max(now - datagram.sent - own, Duration());
  measured_.queueing_ms.push_back(static_cast<float>(waited.as_seconds() * 1e3));
}

Instant Network::first_through(Instant improvement) const {
  const auto at = std::ranges::find(improvements_, improvement);
  return at == improvements_.end() ? Instant::never() : first_through_[static_cast<size_t>(at - improvements_.begin())];
}

uint64_t Network::capacity(Instant from, Instant until) const {
  const uint64_t bytes = bottleneck_->capacity(from, until);
  return policer_ ? std::min(bytes, scenario_.link.policed.bytes_in(until - from)) : bytes;
}

}  // namespace quoll::lab
