// SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed hash of 64 bits for tables whose keys a peer chooses.
//
// With a random key nobody outside can make entries collide, so that a table of connection ids keeps its speed under
// attack. It is a pseudorandom function of short outputs, no hash function in the sense of crypto/hash.h and no message
// authentication for the network. Time depends on the size alone.
#pragma once

#include <span>

#include "base/bytes.h"

namespace quoll::crypto {

/// A key, ready to hash with. As a function object it serves as the Hash parameter of an unordered container.
class SipHash {
 public:
  static constexpr size_t kKeySize = 16;

  explicit SipHash(std::span<const uint8_t, kKeySize> key)
      : k0_(load_le<uint64_t>(key.data())), k1_(load_le<uint64_t>(key.data() + 8)) {}

  /// Made for short inputs such as connection ids: no copy, no loop over bytes.
  uint64_t operator()(Bytes message) const;

 private:
  uint64_t k0_, k1_;
};

}  // namespace quoll::crypto
