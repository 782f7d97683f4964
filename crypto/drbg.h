// A random generator over ChaCha20 (RFC 8439 §2.3) with fast key erasure: deterministic, seeded by its owner.
//
// A refill makes a buffer of keystream under the present key and at once replaces the key by its first 32 bytes; bytes
// that are handed out are erased from the buffer. So who reads the generator's memory learns nothing of what it has
// given before. What it will give is unpredictable again after a reseed with entropy that the reader does not have.
//
// It draws no entropy of its own and knows nothing of processes or threads: os/system_rng.h sees to that. Time and
// memory access depend on sizes alone.
#pragma once

#include <array>
#include <span>

#include "base/rng.h"
#include "crypto/ct.h"

namespace quoll::crypto {

class Drbg final : public Rng {
 public:
  static constexpr size_t kSeedSize = 32;

  explicit Drbg(std::span<const uint8_t, kSeedSize> seed) : key_(seed) {}
  Drbg(const Drbg&) = delete;  // two copies would give the same bytes
  Drbg& operator=(const Drbg&) = delete;
  ~Drbg() override { ct::wipe(buffer_); }

  void fill(MutBytes out) override;

  /// Mixes entropy of any size into the key and drops the buffer. The state is no weaker than before, whatever the
  /// bytes.
  void reseed(Bytes entropy);

 private:
  static constexpr size_t kBlocks = 12;  // of 64 bytes: many short requests for one refill, little memory
  static constexpr size_t kBufferSize = kBlocks * 64 - kSeedSize;

  void refill();

  Secret<kSeedSize> key_;
  std::array<uint8_t, kBufferSize> buffer_{};
  size_t available_ = 0;  // the last bytes of the buffer; those before them are zero
};

}  // namespace quoll::crypto
