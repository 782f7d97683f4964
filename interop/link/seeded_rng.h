// SeededRng: randomness that a seed tells, for runs that can be had again. Each stream of a seed differs from its others.
#pragma once

#include <random>

#include "base/rng.h"

namespace quoll::link {

class SeededRng final : public Rng {
 public:
  SeededRng(uint64_t seed, uint32_t stream) {
    std::seed_seq words{static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32), stream};
    engine_.seed(words);
  }

  void fill(MutBytes out) override {
    for (size_t i = 0; i < out.size(); i += 8) {
      uint8_t word[8];
      store_le<uint64_t>(word, engine_());
      copy_bytes(out.data() + i, Bytes(word).first(out.size() - i < 8 ? out.size() - i : 8));
    }
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace quoll::link
