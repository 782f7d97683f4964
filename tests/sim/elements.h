// The elements that links are made of: what real networks do to datagrams, each alone and each with a generator of its own,
// so that adding one to a scenario does not change what the others draw.
//
// Probabilities are in parts per million. Sizes are of UDP payloads.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <utility>

#include "tests/sim/link.h"
#include "tests/support/random.h"

namespace quoll::sim {

/// True with a probability.
class Chance {
 public:
  Chance(uint64_t seed, uint32_t ppm) : rng_(seed), ppm_(ppm) {}
  bool draw() { return ppm_ > 0 && rng_.below(1'000'000) < ppm_; }
  uint64_t below(uint64_t bound) { return rng_.below(bound); }
  Rng& rng() { return rng_; }

 private:
  tests::SeededRng rng_;
  uint32_t ppm_;
};

/// Propagation: a delay, with jitter that keeps the order.
class Delay final : public Element {
 public:
  Delay(uint64_t seed, Duration delay, Duration jitter) : rng_(seed), delay_(delay), jitter_(jitter) {}
  void pass(Instant now, Datagram datagram, Exit& exit) override;

 private:
  tests::SeededRng rng_;
  Duration delay_, jitter_;
  Instant last_;
};

/// Propagation over a path that changes: what comes from an instant on takes its delay, and overtakes what a longer path holds.
class ChangingDelay final : public Element {
 public:
  struct Step {
    Instant from;
    Duration delay;
  };
  /// The steps in order of time; the first holds from the beginning.
  explicit ChangingDelay(std::vector<Step> steps) : steps_(std::move(steps)) {}
  void pass(Instant now, Datagram datagram, Exit& exit) override;

 private:
  std::vector<Step> steps_;
};

/// A bottleneck: a rate, with a queue in front of it that drops what does not fit, and marks CE beyond a threshold.
class Bottleneck final : public Element {
 public:
  struct RateStep {
    Instant from;
    Bandwidth rate;
  };
  struct Options {
    Bandwidth rate = Bandwidth::infinite();
    uint64_t queue_bytes = UINT64_MAX;
    uint64_t mark_bytes = UINT64_MAX;  // ECN-capable datagrams are marked when so much waits already
    std::vector<RateStep> steps =
        {};  // in order of time: the rate is another one from then on; neither zero nor infinite
  };
  explicit Bottleneck(Options options) : options_(std::move(options)) {}
  void pass(Instant now, Datagram datagram, Exit& exit) override;
  uint64_t marked() const { return marked_; }
  uint64_t dropped() const { return dropped_; }
  /// How long what arrives now would wait before it is sent.
  Duration wait(Instant now) const { return free_ > now ? free_ - now : Duration(); }
  Bandwidth rate_at(Instant when) const;
  /// Bytes that pass between two instants.
  uint64_t capacity(Instant from, Instant until) const;

 private:
  Instant when_through(Instant start, uint64_t size) const;

  Options options_;
  Instant free_;  // when everything in the queue is through
  uint64_t marked_ = 0;
  uint64_t dropped_ = 0;
};

/// A policer: a bucket of tokens without a queue. What finds too few is dropped.
class Policer final : public Element {
 public:
  Policer(Bandwidth rate, uint64_t burst_bytes) : rate_(rate), burst_(burst_bytes), tokens_(burst_bytes) {}
  void pass(Instant now, Datagram datagram, Exit& exit) override;
  uint64_t dropped() const { return dropped_; }

 private:
  Bandwidth rate_;
  uint64_t burst_, tokens_;
  Instant filled_;
  uint64_t dropped_ = 0;
};

/// A medium that is got now and then and takes all that has gathered, as Wi-Fi does: datagrams go on in lumps, from half of
/// `period` to three halves apart.
class Aggregation final : public Element {
 public:
  Aggregation(uint64_t seed, Duration period) : rng_(seed), period_(period) {}
  void pass(Instant now, Datagram datagram, Exit& exit) override;

 private:
  tests::SeededRng rng_;
  Duration period_;
  Instant release_;
};

/// Loss of each datagram alone, always or for a period.
class RandomLoss final : public Element {
 public:
  RandomLoss(uint64_t seed, uint32_t ppm, Instant from = {}, Instant until = Instant::never())
      : chance_(seed, ppm), from_(from), until_(until) {}
  void pass(Instant now, Datagram datagram, Exit& exit) override;

 private:
  Chance chance_;
  Instant from_, until_;
};

/// Gilbert and Elliott's model: a good state without loss and a bad one in which three of four datagrams are lost.
class BurstLoss final : public Element {
 public:
  BurstLoss(uint64_t seed, uint32_t enter_ppm, uint32_t leave_ppm)
      : enter_(seed, enter_ppm), leave_(seed + 1, leave_ppm) {}
  void pass(Instant now, Datagram datagram, Exit& exit) override;

 private:
  Chance enter_, leave_;
  bool bad_ = false;
};

/// Holds some datagrams back, so that others overtake them.
class Reordering final : public Element {
 public:
  Reordering(uint64_t seed, uint32_t ppm, Duration longest) : chance_(seed, ppm), longest_(longest) {}
  void pass(Instant now, Datagram datagram, Exit& exit) override;

 private:
  Chance chance_;
  Duration longest_;
};

class Duplication final : public Element {
 public:
  Duplication(uint64_t seed, uint32_t ppm) : chance_(seed, ppm) {}
  void pass(Instant now, Datagram datagram, Exit& exit) override;

 private:
  Chance chance_;
};

/// Flips bits, cuts datagrams, or makes them longer: a network without checksums.
class Corruption final : public Element {
 public:
  Corruption(uint64_t seed, uint32_t ppm) : chance_(seed, ppm) {}
  void pass(Instant now, Datagram datagram, Exit& exit) override;
  uint64_t corrupted() const { return corrupted_; }

 private:
  Chance chance_;
  uint64_t corrupted_ = 0;
};

/// What routers do to the ECN field that they should leave alone (RFC 9000 §13.4.2).
enum class EcnPath : uint8_t { clean, bleach, all_ce, to_ect1, random };
class EcnMangling final : public Element {
 public:
  EcnMangling(uint64_t seed, EcnPath path) : rng_(seed), path_(path) {}
  void pass(Instant now, Datagram datagram, Exit& exit) override;

 private:
  tests::SeededRng rng_;
  EcnPath path_;
};

/// A largest datagram, which may change while the scenario runs; `too_big` is told of what is dropped (ICMP).
class MtuLimit final : public Element {
 public:
  using TooBig = std::function<void(const Datagram&, uint16_t mtu)>;
  explicit MtuLimit(uint16_t mtu, TooBig too_big = {}) : mtu_(mtu), too_big_(std::move(too_big)) {}
  void set(uint16_t mtu) { mtu_ = mtu; }
  void pass(Instant now, Datagram datagram, Exit& exit) override;

 private:
  uint16_t mtu_;
  TooBig too_big_;
};

/// Loses everything for a period.
class Blackhole final : public Element {
 public:
  Blackhole(Instant from, Instant until) : from_(from), until_(until) {}
  void pass(Instant now, Datagram datagram, Exit& exit) override;
  uint64_t swallowed() const { return swallowed_; }

 private:
  Instant from_, until_;
  uint64_t swallowed_ = 0;
};

/// Loses what a function picks: for scenarios with names.
class LossOf final : public Element {
 public:
  /// `number` counts the datagrams that came here, from 0.
  using Pick = std::function<bool(uint64_t number, const Datagram&)>;
  explicit LossOf(Pick pick) : pick_(std::move(pick)) {}
  void pass(Instant now, Datagram datagram, Exit& exit) override;

 private:
  Pick pick_;
  uint64_t number_ = 0;
};

/// Shows every datagram to a function, unchanged.
class Tap final : public Element {
 public:
  using Look = std::function<void(Instant now, const Datagram&)>;
  explicit Tap(Look look) : look_(std::move(look)) {}
  void pass(Instant now, Datagram datagram, Exit& exit) override;

 private:
  Look look_;
};

}  // namespace quoll::sim
