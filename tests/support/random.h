// A seeded Rng for tests: the same seed gives the same run on every machine. Tests print the seed when they fail.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <vector>

#include "base/rng.h"

namespace quoll::tests {

/// SplitMix64. Not for secrets.
class SeededRng final : public Rng {
 public:
  explicit SeededRng(uint64_t seed) : state_(seed) {}

  void fill(MutBytes out) override {
    for (size_t i = 0; i < out.size(); i += 8) {
      uint8_t word[8];
      store_le(word, step());
      copy_bytes(out.data() + i, Bytes(word).first(out.size() - i < 8 ? out.size() - i : 8));
    }
  }

  std::vector<uint8_t> bytes(size_t size) {
    std::vector<uint8_t> out(size);
    fill(out);
    return out;
  }

 private:
  uint64_t step() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  uint64_t state_;
};

/// The seed of a randomised test: QUOLL_TEST_SEED when set, else `fallback`. Print it with INFO().
inline uint64_t test_seed(uint64_t fallback) {
  const char* text = std::getenv("QUOLL_TEST_SEED");
  return text ? std::strtoull(text, nullptr, 0) : fallback;
}

}  // namespace quoll::tests
