// Rng: where randomness enters the core. The core draws none of its own, so that a simulation can replay every run.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace quoll {

class Rng {
 public:
  virtual ~Rng() = default;

  /// Fills `out` with bytes that nobody can predict (a simulation's Rng excepted, by intent).
  virtual void fill(MutBytes out) = 0;

  uint64_t next_u64() {
    uint8_t bytes[8];
    fill(bytes);
    return load_le<uint64_t>(bytes);
  }

  /// Uniform in [0, bound); bound > 0. Rejection sampling, so without bias.
  uint64_t below(uint64_t bound) {
    const uint64_t reject_under = (0 - bound) % bound;  // 2^64 mod bound
    for (;;) {
      const uint64_t draw = next_u64();
      if (draw >= reject_under) return draw % bound;
    }
  }
};

}  // namespace quoll
