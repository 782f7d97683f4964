// Constant-time table look-up with AVX2: every entry is read, and a mask keeps the wanted one.
#pragma once

#include <immintrin.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace quoll::crypto::x86 {
namespace {

/// out = table[index], for entries of a whole number of 16-byte units; the index is secret, the size is not.
template <class Entry, size_t kSize>
[[gnu::noinline]] __attribute__((target("avx2"))) void look_up_avx2(Entry& out, const std::array<Entry, kSize>& table,
                                                                    uint64_t index) {
  constexpr size_t kWide = sizeof(Entry) / sizeof(__m256i);
  constexpr bool kTail = sizeof(Entry) % sizeof(__m256i) != 0;
  static_assert(sizeof(Entry) % sizeof(__m128i) == 0);
  const __m256i wanted = _mm256_set1_epi64x(static_cast<int64_t>(index));
  __m256i current = _mm256_setzero_si256();
  __m256i wide[kWide] = {};
  __m128i tail = _mm_setzero_si128();
  for (const Entry& entry : table) {
    const auto* const from = reinterpret_cast<const __m256i*>(&entry);
    const __m256i mask = _mm256_cmpeq_epi64(current, wanted);
    current = _mm256_sub_epi64(current, _mm256_set1_epi64x(-1));
    for (size_t i = 0; i < kWide; i++) {
      wide[i] = _mm256_or_si256(wide[i], _mm256_and_si256(mask, _mm256_loadu_si256(from + i)));
    }
    if constexpr (kTail) {
      const __m128i last = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + kWide));
      tail = _mm_or_si128(tail, _mm_and_si128(_mm256_castsi256_si128(mask), last));
    }
  }
  auto* const to = reinterpret_cast<__m256i*>(&out);
  for (size_t i = 0; i < kWide; i++) _mm256_storeu_si256(to + i, wide[i]);
  if constexpr (kTail) _mm_storeu_si128(reinterpret_cast<__m128i*>(to + kWide), tail);
}

}  // namespace
}  // namespace quoll::crypto::x86
