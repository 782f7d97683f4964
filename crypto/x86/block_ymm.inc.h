// Ymm: two cipher blocks in one 256-bit vector, with the operations that aes_gcm_kernel.h is written in.
//
// Included for one instruction set, which QUOLL_TARGET names: AVX2 with VAES and VPCLMULQDQ.
#pragma once

#include "crypto/x86/block_bytes.inc.h"

namespace quoll::crypto {
namespace {

struct Ymm {
  static constexpr size_t kBlocks = 2;
  static constexpr size_t kSize = 32;
  static constexpr size_t kChunkVectors = 8;
  // Zen 3 starts a carry-less multiplication every other cycle, so one less is worth two more exclusive ors.
  static constexpr bool kKaratsuba = true;
  static constexpr bool kReduceWide = true;

  __m256i v;

  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] static Ymm load(const uint8_t* from) {
    return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))};
  }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] void store(uint8_t* to) const {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), v);
  }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] static Ymm load_partial(const uint8_t* from, size_t size) {
    if (size <= 16) return first(load_partial_block(from, size));
    const __m128i low = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    return pair(low, load_partial_block(from + 16, size - 16));
  }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] void store_partial(uint8_t* to, size_t size) const {
    alignas(32) uint8_t bytes[32];
    store(bytes);
    copy_below_32(to, bytes, size);
  }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] static Ymm gather(const uint8_t* const* from) {
    return pair(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from[0])),
                _mm_loadu_si128(reinterpret_cast<const __m128i*>(from[1])));
  }

  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] static Ymm zero() { return {_mm256_setzero_si256()}; }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] static Ymm broadcast(__m128i block) {
    return {_mm256_broadcastsi128_si256(block)};
  }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] static Ymm first(__m128i block) {
    return {_mm256_zextsi128_si256(block)};
  }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] static Ymm pair(__m128i a, __m128i b) {
    return {_mm256_inserti128_si256(_mm256_castsi128_si256(a), b, 1)};
  }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] __m128i second() const { return _mm256_extracti128_si256(v, 1); }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] __m128i sum() const {
    return _mm_xor_si128(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  }

  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] friend Ymm operator^(Ymm a, Ymm b) {
    return {_mm256_xor_si256(a.v, b.v)};
  }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] friend Ymm operator&(Ymm a, Ymm b) {
    return {_mm256_and_si256(a.v, b.v)};
  }
  /// Fixes the place of this value among others fixed in the same way, where the order of a long run of instructions
  /// was chosen with care.
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] void fix() { __asm__ volatile("" : "+x"(v)); }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] Ymm reversed() const {
    return {_mm256_shuffle_epi8(v, broadcast(_mm_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f)).v)};
  }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] Ymm swapped() const { return {_mm256_shuffle_epi32(v, 0x4e)}; }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] Ymm aes(Ymm key) const { return {_mm256_aesenc_epi128(v, key.v)}; }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] Ymm aes_last(Ymm key) const {
    return {_mm256_aesenclast_epi128(v, key.v)};
  }
  template <int kHalves>
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] Ymm multiply(Ymm other) const {
    return {_mm256_clmulepi64_epi128(v, other.v, kHalves)};
  }
};

}  // namespace
}  // namespace quoll::crypto
