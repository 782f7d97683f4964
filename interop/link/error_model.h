// ErrorModel: what a scenario does to a packet that has come to the far end of the wire, where ns-3's receivers ask theirs.
//
// So a packet that is lost here has used the link's rate and its queue, and stands in the capture of its sender's side. Time
// is an argument, randomness is given: the same seed and the same packets give the same losses.
#pragma once

#include <memory>
#include <set>

#include "base/bytes.h"
#include "base/rng.h"
#include "base/time.h"

namespace quoll::link {

enum class Fate : uint8_t { delivered, corrupted, dropped };

class ErrorModel {
 public:
  virtual ~ErrorModel() = default;

  /// May change the packet, which comes out of the wire so long after the scenario's start.
  virtual Fate judge(MutBytes packet, Duration since_start) = 0;
};

/// A share of the UDP datagrams, of which at most so many in a row: after a whole burst the next one passes undrawn.
class RandomChoice {
 public:
  static constexpr uint32_t kWhole = 1'000'000;  // the rate's unit is a millionth
  static constexpr size_t kUnlimited = SIZE_MAX;

  RandomChoice(uint32_t rate, size_t burst_max, Rng& rng) : rate_(rate), burst_max_(burst_max), rng_(rng) {}

  bool hits();
  /// A datagram that is spared whatever is drawn: the row ends.
  void spare() { in_a_row_ = 0; }

 private:
  uint32_t rate_;
  size_t burst_max_;
  size_t in_a_row_ = 0;
  Rng& rng_;
};

/// drop-rate: random loss of UDP datagrams.
class DropRate final : public ErrorModel {
 public:
  explicit DropRate(const RandomChoice& choice) : choice_(choice) {}
  Fate judge(MutBytes packet, Duration since_start) override;

 private:
  RandomChoice choice_;
};

/// corrupt-rate: a byte at one of the offsets 0 to 50 of the UDP payload gets another value, with a checksum that fits. Version
/// Negotiation packets are spared, since a client has to ignore one that answers a version it never offered.
class CorruptRate final : public ErrorModel {
 public:
  static constexpr size_t kOffsetMax = 50;

  CorruptRate(const RandomChoice& choice, Rng& rng) : choice_(choice), rng_(rng) {}
  Fate judge(MutBytes packet, Duration since_start) override;

 private:
  RandomChoice choice_;
  Rng& rng_;
};

/// droplist: the UDP datagrams with these numbers, counted from 1.
class DropList final : public ErrorModel {
 public:
  explicit DropList(std::set<uint64_t> numbers) : numbers_(std::move(numbers)) {}
  Fate judge(MutBytes packet, Duration since_start) override;

 private:
  std::set<uint64_t> numbers_;
  uint64_t count_ = 0;
};

/// blackhole: good for `on`, then for `off` everything that arrives is lost, whatever its protocol; so often.
class Blackhole final : public ErrorModel {
 public:
  Blackhole(Duration on, Duration off, uint64_t repeat) : on_(on), off_(off), repeat_(repeat) {}
  Fate judge(MutBytes packet, Duration since_start) override;

 private:
  Duration on_, off_;
  uint64_t repeat_;
};

}  // namespace quoll::link
