// Network: a dumbbell. Every flow's datagrams go through one bottleneck with its hazards, then each to its host; acknowledgements
// come back on ways of their own. It measures how long what went through the bottleneck had waited.
#pragma once

#include <memory>
#include <vector>

#include "tests/lab/flow.h"
#include "tests/sim/elements.h"

namespace quoll::lab {

class Network {
 public:
  struct Measured {
    std::vector<float> queueing_ms;  // of each datagram in the time that is measured
  };

  Network(sim::World& world, const Scenario& scenario, uint64_t seed);
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  /// Links the hosts of a flow, which outlives the network's use.
  void connect(Flow& flow);

  const sim::Bottleneck& bottleneck() const { return *bottleneck_; }
  /// By the bottleneck and the policer.
  uint64_t dropped() const { return bottleneck_->dropped() + (policer_ ? policer_->dropped() : 0); }
  /// Bytes that can get through between two instants.
  uint64_t capacity(Instant from, Instant until) const;
  Measured& measured() { return measured_; }
  /// When the first datagram since one of improvements() went through; never: none did.
  Instant first_through(Instant improvement) const;

 private:
  struct Way {
    Way(Network& network, Flow& flow);
    sim::Link there, back;  // from the bottleneck to the server, and from there to the client
  };

  void on_through(Instant now, const sim::Datagram& datagram);
  std::vector<sim::ChangingDelay::Step> delays(Duration extra) const;

  sim::World& world_;
  const Scenario& scenario_;
  uint64_t seed_;
  sim::Link shared_;
  sim::Bottleneck* bottleneck_ = nullptr;
  sim::Policer* policer_ = nullptr;
  std::vector<std::unique_ptr<Way>> ways_;  // by the flow's number
  Measured measured_;
  std::vector<Instant> improvements_, first_through_;
};

}  // namespace quoll::lab
