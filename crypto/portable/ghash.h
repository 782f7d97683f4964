// GHASH (NIST SP 800-38D §6.4), the universal hash of GCM, in constant time with ordinary integer multiplications.
//
// A carry-less product is taken from integer products of operands with holes: of every four bits one is kept, so that
// the sums of up to fifteen partial bits carry only into the holes (a 64-bit word has sixteen kept bits; see ghash.cc
// for why the sixteenth does no harm). It is constant-time wherever the processor's multiplication of 64-bit (on 32-bit
// hosts: 32-bit) words is.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace quoll::crypto {

/// 128 bits as GCM writes them: `high` is the big-endian number of the first eight bytes, whose top bit is the
/// coefficient of x^0.
struct GhashBlock {
  uint64_t high = 0, low = 0;
};

class Ghash {
 public:
  explicit Ghash(GhashBlock h);
  ~Ghash();
  Ghash(const Ghash&) = delete;
  Ghash& operator=(const Ghash&) = delete;

  /// Starts a new message.
  void reset() { sum_ = {}; }

  /// Adds data, padded with zeros to whole blocks. So only the last call of a section may have a partial block.
  void update(Bytes data);

  /// Adds the block of lengths (in bytes) and writes the 16 bytes of the hash.
  void finish(uint8_t* out, size_t aad_size, size_t text_size);

 private:
  void absorb(uint64_t high, uint64_t low);

  // The three factors of a Karatsuba product, as they are and with their bits reversed.
  uint64_t h_low_, h_high_, h_sum_;
  uint64_t h_low_reversed_, h_high_reversed_, h_sum_reversed_;
  GhashBlock sum_;
};

}  // namespace quoll::crypto
