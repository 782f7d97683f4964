// The random generator against a straightforward model, and what fast key erasure promises.
#include <algorithm>
#include <cstring>
#include <new>
#include <vector>

#include "crypto/chacha20.h"
#include "crypto/drbg.h"
#include "crypto/hmac.h"
#include "crypto/portable/sha2.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

namespace {

using namespace quoll;
using namespace quoll::crypto;
using namespace quoll::tests;
using Vector = std::vector<uint8_t>;
using Seed = std::array<uint8_t, Drbg::kSeedSize>;

constexpr size_t kRefill = 768;  // bytes of keystream for one refill, the next key included

Vector keystream(const Vector& key, size_t size) {
  constexpr uint8_t kNonce[12] = {};
  Vector stream((size + 63) / 64 * 64);
  for (size_t i = 0; i * 64 < stream.size(); i++) {
    chacha20_block(key.data(), static_cast<uint32_t>(i), kNonce, stream.data() + i * 64);
  }
  stream.resize(size);
  return stream;
}

/// The generator as one would write it down: a queue of bytes that is filled when it is empty.
class Model {
 public:
  explicit Model(const Seed& seed) : key_(seed.begin(), seed.end()) {}

  Vector draw(size_t size) {
    if (size > kRefill - 32) return keystream(draw(32), size);
    Vector out;
    while (out.size() < size) {
      if (queue_.empty()) {
        const Vector fresh = keystream(key_, kRefill);
        key_.assign(fresh.begin(), fresh.begin() + 32);
        queue_.assign(fresh.begin() + 32, fresh.end());
      }
      out.push_back(queue_.front());
      queue_.erase(queue_.begin());
    }
    return out;
  }

  void reseed(Bytes entropy) {
    const Digest mixed = hmac(kSha256Portable, key_, entropy);
    key_.assign(mixed.bytes().begin(), mixed.bytes().end());
    queue_.clear();
  }

 private:
  Vector key_, queue_;
};

Vector draw(Drbg& drbg, size_t size) {
  Vector out(size);
  drbg.fill(out);
  return out;
}

Seed seed_of(uint64_t number) {
  Seed seed;
  SeededRng(number).fill(seed);
  return seed;
}

/// A generator whose memory can be read.
class Observed {
 public:
  explicit Observed(const Seed& seed) : drbg_(new(memory_) Drbg(seed)) {}
  ~Observed() {
    if (drbg_) drbg_->~Drbg();
  }

  Drbg& drbg() { return *drbg_; }

  void destroy() {
    drbg_->~Drbg();
    drbg_ = nullptr;
  }

  /// Whether eight or more of the bytes lie somewhere in the generator's memory.
  bool holds_some_of(Bytes bytes) const {
    const Bytes memory(memory_, sizeof memory_);
    for (size_t i = 0; i + 8 <= bytes.size(); i++) {
      const Bytes eight = bytes.subspan(i, 8);
      if (std::search(memory.begin(), memory.end(), eight.begin(), eight.end()) != memory.end()) return true;
    }
    return false;
  }

 private:
  alignas(Drbg) uint8_t memory_[sizeof(Drbg)];
  Drbg* drbg_;
};

}  // namespace

TEST_SUITE("drbg") {
  TEST_CASE("the generator's output is the model's for any sequence of requests and reseeds") {
    const uint64_t seed = test_seed(1);
    INFO("QUOLL_TEST_SEED=" << seed);
    SeededRng rng(seed);
    for (int run = 0; run < 10; run++) {
      Drbg drbg(seed_of(seed + static_cast<uint64_t>(run)));
      Model model(seed_of(seed + static_cast<uint64_t>(run)));
      for (int step = 0; step < 100; step++) {
        if (rng.below(20) == 0) {
          const auto entropy = rng.bytes(rng.below(100));
          drbg.reseed(entropy);
          model.reseed(entropy);
        }
        constexpr uint64_t kBounds[] = {2, 40, kRefill - 31, 3000};
        const size_t size = rng.below(kBounds[rng.below(4)]);
        CAPTURE(size);
        REQUIRE(draw(drbg, size) == model.draw(size));
      }
    }
  }

  TEST_CASE("requests around the size of the buffer are the model's, from any position in it") {
    for (const size_t before : {size_t{0}, size_t{1}, kRefill - 33, kRefill - 32}) {
      for (const size_t size : {kRefill - 33, kRefill - 32, kRefill - 31, kRefill, 2 * kRefill}) {
        Drbg drbg(seed_of(1));
        Model model(seed_of(1));
        CHECK(draw(drbg, before) == model.draw(before));
        CHECK(draw(drbg, size) == model.draw(size));
        CHECK(draw(drbg, 100) == model.draw(100));
      }
    }
  }

  TEST_CASE("bytes that were handed out, and the seed, are gone from the generator's memory") {
    const Seed seed = seed_of(2);
    Observed observed(seed);
    CHECK(observed.holds_some_of(seed));
    for (const size_t size : {8, 16, 100, 735, 736, 737, 5000, 16}) {
      const Vector out = draw(observed.drbg(), size);
      CAPTURE(size);
      CHECK(!observed.holds_some_of(out));
    }
    CHECK(!observed.holds_some_of(seed));
    // The check itself can see what is yet to come.
    Drbg twin(seed);
    for (const size_t size : {8, 16, 100, 735, 736, 737, 5000, 16}) draw(twin, size);
    CHECK(observed.holds_some_of(draw(twin, 16)));
  }

  TEST_CASE("a reseed erases what was ready to be handed out") {
    Observed observed(seed_of(3));
    Drbg twin(seed_of(3));
    draw(observed.drbg(), 8);
    draw(twin, 8);
    const Vector next = draw(twin, 64);
    CHECK(observed.holds_some_of(next));
    observed.drbg().reseed(as_bytes("entropy"));
    CHECK(!observed.holds_some_of(next));
    CHECK(draw(observed.drbg(), 64) != next);
  }

  TEST_CASE("a generator that ends leaves neither key nor output behind") {
    Observed observed(seed_of(4));
    Drbg twin(seed_of(4));
    draw(observed.drbg(), 8);
    draw(twin, 8);
    observed.destroy();
    CHECK(!observed.holds_some_of(draw(twin, kRefill - 40)));
  }

  TEST_CASE("the state after a reseed depends on both the state before it and the entropy") {
    Drbg first(seed_of(5)), second(seed_of(6)), third(seed_of(5));
    first.reseed(as_bytes("same"));
    second.reseed(as_bytes("same"));
    third.reseed(as_bytes("other"));
    const Vector from_first = draw(first, 32);
    CHECK(from_first != draw(second, 32));
    CHECK(from_first != draw(third, 32));
  }
}
