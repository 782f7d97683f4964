// XmmPair: two cipher blocks in two 128-bit vectors, with the operations that aes_gcm_kernel.h is written in.
//
// Included for one instruction set, which QUOLL_TARGET names: AES-NI, PCLMULQDQ and SSE4.1, with or without AVX.
#pragma once

#include "crypto/x86/block_bytes.inc.h"

namespace quoll::crypto {
namespace {

struct XmmPair {
  static constexpr size_t kBlocks = 2;
  static constexpr size_t kSize = 32;
  static constexpr size_t kChunkVectors = 4;
  static constexpr bool kKaratsuba = true;
  static constexpr bool kReduceWide = false;

  __m128i a, b;

  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] static __m128i load_one(const uint8_t* from) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] static XmmPair load(const uint8_t* from) {
    return {load_one(from), load_one(from + 16)};
  }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] void store(uint8_t* to) const {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), a);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + 16), b);
  }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] static XmmPair load_partial(const uint8_t* from, size_t size) {
    if (size <= 16) return first(load_partial_block(from, size));
    return {load_one(from), load_partial_block(from + 16, size - 16)};
  }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] void store_partial(uint8_t* to, size_t size) const {
    alignas(16) uint8_t bytes[32];
    store(bytes);
    copy_below_32(to, bytes, size);
  }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] static XmmPair gather(const uint8_t* const* from) {
    return {load_one(from[0]), load_one(from[1])};
  }

  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] static XmmPair zero() {
    return {_mm_setzero_si128(), _mm_setzero_si128()};
  }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] static XmmPair broadcast(__m128i block) { return {block, block}; }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] static XmmPair first(__m128i block) {
    return {block, _mm_setzero_si128()};
  }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] static XmmPair pair(__m128i x, __m128i y) { return {x, y}; }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] __m128i second() const { return b; }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] __m128i sum() const { return _mm_xor_si128(a, b); }

  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] friend XmmPair operator^(XmmPair x, XmmPair y) {
    return {_mm_xor_si128(x.a, y.a), _mm_xor_si128(x.b, y.b)};
  }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] friend XmmPair operator&(XmmPair x, XmmPair y) {
    return {_mm_and_si128(x.a, y.a), _mm_and_si128(x.b, y.b)};
  }
  /// Fixes the place of this value among others fixed in the same way, where the order of a long run of instructions
  /// was chosen with care.
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] void fix() { __asm__ volatile("" : "+x"(a), "+x"(b)); }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] XmmPair reversed() const {
    const __m128i order = _mm_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f);
    return {_mm_shuffle_epi8(a, order), _mm_shuffle_epi8(b, order)};
  }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] XmmPair swapped() const {
    return {_mm_shuffle_epi32(a, 0x4e), _mm_shuffle_epi32(b, 0x4e)};
  }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] XmmPair aes(XmmPair key) const {
    return {_mm_aesenc_si128(a, key.a), _mm_aesenc_si128(b, key.b)};
  }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] XmmPair aes_last(XmmPair key) const {
    return {_mm_aesenclast_si128(a, key.a), _mm_aesenclast_si128(b, key.b)};
  }
  template <int kHalves>
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] XmmPair multiply(XmmPair other) const {
    return {_mm_clmulepi64_si128(a, other.a, kHalves), _mm_clmulepi64_si128(b, other.b, kHalves)};
  }
};

}  // namespace
}  // namespace quoll::crypto
