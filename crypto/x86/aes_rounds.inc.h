// AES key expansion (FIPS 197 §5.2) and encryption of a few vectors of blocks, with AES-NI.
//
// Included for one instruction set, which QUOLL_TARGET names. SubWord comes from AESENCLAST on a vector whose columns
// are all equal, which ShiftRows leaves alone; that is faster than AESKEYGENASSIST on most processors.
#pragma once

#include <immintrin.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace quoll::crypto {
namespace {

/// 10 rounds for keys of 16 bytes, 14 for keys of 32 bytes.
constexpr size_t aes_rounds(size_t key_size) { return key_size / 4 + 6; }

[[gnu::always_inline, gnu::target(QUOLL_TARGET)]] inline __m128i load_block(const uint8_t* from) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
}

[[gnu::always_inline, gnu::target(QUOLL_TARGET)]] inline void store_block(uint8_t* to, __m128i block) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), block);
}

/// The words of a key, each the sum of itself and those before it, plus `mixed` in every word.
[[gnu::always_inline, gnu::target(QUOLL_TARGET)]] inline __m128i next_round_key(__m128i key, __m128i mixed) {
  key = _mm_xor_si128(key, _mm_slli_si128(key, 4));
  key = _mm_xor_si128(key, _mm_slli_si128(key, 8));
  return _mm_xor_si128(key, mixed);
}

/// `round_keys` takes aes_rounds(kKeySize) + 1 keys.
template <size_t kKeySize>
[[gnu::target(QUOLL_TARGET)]] void expand_aes_key(uint8_t (*round_keys)[16], const uint8_t* key) {
  constexpr uint8_t kRoundConstants[] = {0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0x1b, 0x36};
  const __m128i rotated_last_word = _mm_set1_epi32(0x0c0f0e0d);
  __m128i even = _mm_loadu_si128(reinterpret_cast<const __m128i*>(key));
  store_block(round_keys[0], even);
  if constexpr (kKeySize == 16) {
    for (size_t i = 1; i <= 10; i++) {
      const __m128i constant = _mm_set1_epi32(kRoundConstants[i - 1]);
      even = next_round_key(even, _mm_aesenclast_si128(_mm_shuffle_epi8(even, rotated_last_word), constant));
      store_block(round_keys[i], even);
    }
  } else {
    __m128i odd = _mm_loadu_si128(reinterpret_cast<const __m128i*>(key + 16));
    store_block(round_keys[1], odd);
    for (size_t i = 2; i <= 14; i += 2) {
      const __m128i constant = _mm_set1_epi32(kRoundConstants[i / 2 - 1]);
      even = next_round_key(even, _mm_aesenclast_si128(_mm_shuffle_epi8(odd, rotated_last_word), constant));
      store_block(round_keys[i], even);
      if (i == 14) break;
      odd = next_round_key(odd, _mm_aesenclast_si128(_mm_shuffle_epi32(even, 0xff), _mm_setzero_si128()));
      store_block(round_keys[i + 1], odd);
    }
  }
}

/// All rounds but the first key addition and the last round, on kCount vectors at once.
template <size_t kRounds, class V, size_t kCount>
[[gnu::always_inline, gnu::target(QUOLL_TARGET)]] inline void aes_middle_rounds(std::array<V, kCount>& x,
                                                                                const uint8_t (*round_keys)[16]) {
  for (size_t round = 1; round < kRounds; round++) {
    const V key = V::broadcast(load_block(round_keys[round]));
#pragma GCC unroll 8
    for (size_t j = 0; j < kCount; j++) x[j] = x[j].aes(key);
  }
}

}  // namespace
}  // namespace quoll::crypto
