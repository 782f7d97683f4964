// Zmm: four cipher blocks in one 512-bit vector, with the operations that aes_gcm_kernel.h is written in.
//
// Included for one instruction set, which QUOLL_TARGET names: AVX-512 F, BW, DQ and VL with VAES and VPCLMULQDQ.
#pragma once

#include "crypto/x86/block_bytes.inc.h"

namespace quoll::crypto {
namespace {

struct Zmm {
  static constexpr size_t kBlocks = 4;
  static constexpr size_t kSize = 64;
  static constexpr size_t kChunkVectors = 8;
  static constexpr bool kKaratsuba = false;
  static constexpr bool kReduceWide = true;

  __m512i v;

  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] static __mmask64 low_bytes(size_t size) {
    return ~uint64_t{0} >> (64 - size);
  }

  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] static Zmm load(const uint8_t* from) {
    return {_mm512_loadu_si512(from)};
  }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] void store(uint8_t* to) const { _mm512_storeu_si512(to, v); }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] static Zmm load_partial(const uint8_t* from, size_t size) {
    return {_mm512_maskz_loadu_epi8(low_bytes(size), from)};
  }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] void store_partial(uint8_t* to, size_t size) const {
    _mm512_mask_storeu_epi8(to, low_bytes(size), v);
  }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] static Zmm load_upper(const uint8_t* from) {
    const __m256i upper = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
    return {_mm512_inserti64x4(_mm512_setzero_si512(), upper, 1)};
  }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] void store_upper(uint8_t* to) const {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_extracti64x4_epi64(v, 1));
  }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] static Zmm gather(const uint8_t* const* from) {
    __m512i all = _mm512_castsi128_si512(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from[0])));
    all = _mm512_inserti32x4(all, _mm_loadu_si128(reinterpret_cast<const __m128i*>(from[1])), 1);
    all = _mm512_inserti32x4(all, _mm_loadu_si128(reinterpret_cast<const __m128i*>(from[2])), 2);
    return {_mm512_inserti32x4(all, _mm_loadu_si128(reinterpret_cast<const __m128i*>(from[3])), 3)};
  }

  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] static Zmm zero() { return {_mm512_setzero_si512()}; }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] static Zmm broadcast(__m128i block) {
    return {_mm512_broadcast_i32x4(block)};
  }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] static Zmm first(__m128i block) {
    return {_mm512_zextsi128_si512(block)};
  }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] static Zmm pair(__m128i a, __m128i b) {
    return {_mm512_inserti32x4(_mm512_zextsi128_si512(a), b, 1)};
  }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] __m128i second() const { return _mm512_extracti32x4_epi32(v, 1); }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] __m128i sum() const {
    const __m256i half = _mm256_xor_si256(_mm512_castsi512_si256(v), _mm512_extracti64x4_epi64(v, 1));
    return _mm_xor_si128(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
  }

  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] friend Zmm operator^(Zmm a, Zmm b) {
    return {_mm512_xor_si512(a.v, b.v)};
  }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] friend Zmm operator&(Zmm a, Zmm b) {
    return {_mm512_and_si512(a.v, b.v)};
  }
  /// Fixes the place of this value among others fixed in the same way, where the order of a long run of instructions
  /// was chosen with care.
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] void fix() { __asm__ volatile("" : "+v"(v)); }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] Zmm reversed() const {
    return {_mm512_shuffle_epi8(v, broadcast(_mm_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f)).v)};
  }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] Zmm swapped() const {
    return {_mm512_shuffle_epi32(v, _MM_PERM_BADC)};
  }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] Zmm aes(Zmm key) const { return {_mm512_aesenc_epi128(v, key.v)}; }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] Zmm aes_last(Zmm key) const {
    return {_mm512_aesenclast_epi128(v, key.v)};
  }
  template <int kHalves>
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] Zmm multiply(Zmm other) const {
    return {_mm512_clmulepi64_epi128(v, other.v, kHalves)};
  }
};

}  // namespace
}  // namespace quoll::crypto
