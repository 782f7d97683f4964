// GHASH with carry-less multiplication, several blocks per vector and one reduction per chunk.
//
// Included for one instruction set, which QUOLL_TARGET names. Blocks are byte-reversed, so that the bits of a 128-bit
// number are the coefficients of GCM's polynomial in reflected order. The product of two reflected polynomials is one
// bit off; as in POLYVAL (RFC 8452 appendix A) the hash key is multiplied by x beforehand, and the product
//     a * b * x^-128  modulo  x^128 + x^127 + x^126 + x^121 + 1
// needs no shift and is reduced from its low end.
//
// A chunk of n blocks is the dot product with h^n, ..., h^1. The sums are kept unreduced, per lane, in three parts.
#pragma once

#include "crypto/x86/aes_rounds.inc.h"

namespace quoll::crypto {
namespace {

/// The powers of the hash key from h^kChunkBlocks down to h^1 and, for Karatsuba's middle product, the sums of their
/// halves. A load of several powers may run past the end: what it finds there meets zero blocks only.
template <class V>
struct GhashKey {
  static constexpr size_t kChunkBlocks = V::kChunkVectors * V::kBlocks;

  uint8_t powers[kChunkBlocks][16];
  std::array<uint8_t, V::kKaratsuba ? 16 * kChunkBlocks : 0> half_sums;

  /// Where the powers for the last `blocks` blocks of a dot product start.
  const uint8_t* last(size_t blocks) const { return powers[kChunkBlocks - blocks]; }
};

/// One vector of products in the making, in steps that can be spread between other instructions.
template <class V>
struct GhashProduct {
  V blocks, half_sums, low, middle, high;

  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] explicit GhashProduct(V factor) : blocks(factor) {
    if constexpr (V::kKaratsuba) half_sums = blocks ^ blocks.swapped();
  }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] void multiply_low(const uint8_t* power) {
    low = blocks.template multiply<0x00>(V::load(power));
    low.fix();
  }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] void multiply_high(const uint8_t* power) {
    high = blocks.template multiply<0x11>(V::load(power));
    high.fix();
  }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] void multiply_middle(const uint8_t* power) {
    if constexpr (V::kKaratsuba) {
      middle = half_sums.template multiply<0x00>(V::load(power + GhashKey<V>::kChunkBlocks * 16));
    } else {
      const V h = V::load(power);
      middle = blocks.template multiply<0x01>(h) ^ blocks.template multiply<0x10>(h);
    }
    middle.fix();
  }
};

/// An unreduced sum of products: low + middle * x^64 + high * x^128 in each lane.
template <class V>
struct GhashSum {
  V low, middle, high;

  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] static GhashSum zero() { return {V::zero(), V::zero(), V::zero()}; }

  /// Adds blocks times the powers at `power`, a place in GhashKey::powers.
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] void add(V blocks, const uint8_t* power) {
    GhashProduct<V> product(blocks);
    product.multiply_low(power);
    product.multiply_high(power);
    product.multiply_middle(power);
    add(product);
  }

  /// Fixed, because a compiler that regroups a long sum into a tree runs out of registers.
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] void add(const GhashProduct<V>& product) {
    low = low ^ product.low;
    low.fix();
    high = high ^ product.high;
    high.fix();
    middle = middle ^ product.middle;
    middle.fix();
  }
};

/// low + middle * x^64 + high * x^128 reduced: the lowest 64 bits are cleared twice by adding a multiple of the
/// modulus.
[[gnu::always_inline, gnu::target(QUOLL_TARGET)]] inline __m128i reduce(__m128i low, __m128i middle, __m128i high) {
  const __m128i modulus = _mm_set_epi64x(0, static_cast<long long>(0xc200000000000000));
  middle = _mm_xor_si128(middle, _mm_xor_si128(_mm_shuffle_epi32(low, 0x4e), _mm_clmulepi64_si128(low, modulus, 0)));
  return _mm_xor_si128(high, _mm_xor_si128(_mm_shuffle_epi32(middle, 0x4e), _mm_clmulepi64_si128(middle, modulus, 0)));
}

/// The same in every lane of a vector.
template <class V>
[[gnu::always_inline, gnu::target(QUOLL_TARGET)]] inline V reduce_lanes(V low, V middle, V high) {
  const V modulus = V::broadcast(_mm_set_epi64x(0, static_cast<long long>(0xc200000000000000)));
  middle = middle ^ low.swapped() ^ low.template multiply<0x00>(modulus);
  return high ^ middle.swapped() ^ middle.template multiply<0x00>(modulus);
}

template <class V>
[[gnu::always_inline, gnu::target(QUOLL_TARGET)]] inline __m128i reduce(GhashSum<V> sum) {
  if constexpr (V::kKaratsuba) sum.middle = sum.middle ^ sum.low ^ sum.high;
  if constexpr (V::kReduceWide) return reduce_lanes(sum.low, sum.middle, sum.high).sum();
  return reduce(sum.low.sum(), sum.middle.sum(), sum.high.sum());
}

/// One product.
[[gnu::always_inline, gnu::target(QUOLL_TARGET)]] inline __m128i multiply(__m128i a, __m128i b) {
  const __m128i middle = _mm_xor_si128(_mm_clmulepi64_si128(a, b, 0x01), _mm_clmulepi64_si128(a, b, 0x10));
  return reduce(_mm_clmulepi64_si128(a, b, 0x00), middle, _mm_clmulepi64_si128(a, b, 0x11));
}

[[gnu::always_inline, gnu::target(QUOLL_TARGET)]] inline __m128i reversed(__m128i block) {
  return _mm_shuffle_epi8(block, _mm_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f));
}

/// x * h: a shift by one, and the modulus when a bit leaves at the top. `hash_key` is the encrypted zero block.
[[gnu::always_inline, gnu::target(QUOLL_TARGET)]] inline __m128i shifted_hash_key(__m128i hash_key) {
  const __m128i h = reversed(hash_key);
  const auto high = static_cast<uint64_t>(_mm_extract_epi64(h, 1));
  const auto low = static_cast<uint64_t>(_mm_cvtsi128_si64(h));
  const uint64_t carry = high >> 63;
  const uint64_t new_high = (high << 1 | low >> 63) ^ ((0 - carry) & 0xc200000000000000);
  return _mm_set_epi64x(static_cast<long long>(new_high), static_cast<long long>(low << 1 | carry));
}

/// Fills the table by doubling: the powers up to 2n are those up to n and the same times h^n, lane by lane.
template <class V>
[[gnu::target(QUOLL_TARGET)]] void expand_ghash_key(GhashKey<V>& key, __m128i hash_key) {
  constexpr size_t kBlocks = GhashKey<V>::kChunkBlocks;
  const __m128i h1 = shifted_hash_key(hash_key);
  const __m128i h2 = multiply(h1, h1);
  store_block(key.powers[kBlocks - 1], h1);
  store_block(key.powers[kBlocks - 2], h2);
  __m128i top = h2;
  if constexpr (V::kBlocks == 4) {
    store_block(key.powers[kBlocks - 3], multiply(h2, h1));
    store_block(key.powers[kBlocks - 4], top = multiply(h2, h2));
  }
  for (size_t filled = V::kBlocks; filled < kBlocks; filled *= 2) {
    const V factor = V::broadcast(top);
    for (size_t exponent = filled; exponent > 0; exponent -= V::kBlocks) {
      const V known = V::load(key.powers[kBlocks - exponent]);
      const V middle = known.template multiply<0x01>(factor) ^ known.template multiply<0x10>(factor);
      const V product =
          reduce_lanes(known.template multiply<0x00>(factor), middle, known.template multiply<0x11>(factor));
      product.store(key.powers[kBlocks - exponent - filled]);
    }
    top = load_block(key.powers[kBlocks - 2 * filled]);
  }
  if constexpr (V::kKaratsuba) {
    for (size_t i = 0; i < kBlocks; i += V::kBlocks) {
      const V h = V::load(key.powers[i]);
      (h ^ h.swapped()).store(&key.half_sums[16 * i]);
    }
  }
}

}  // namespace
}  // namespace quoll::crypto
