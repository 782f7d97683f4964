// Loads and stores of less than a whole vector, without touching a byte outside of the range.
//
// Included by the vector types for one instruction set: QUOLL_TARGET names it.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/bytes.h"

namespace quoll::crypto {
namespace {

/// The `size` bytes (0 to 16) at `from`, then zeros.
[[gnu::always_inline, gnu::target(QUOLL_TARGET)]] inline __m128i load_partial_block(const uint8_t* from, size_t size) {
  uint64_t low = 0, high = 0;
  if (size >= 8) {
    low = load_le<uint64_t>(from);
    // The last eight bytes overlap the first; shift the overlap out. Shifting by 64 is what size 8 would need.
    if (size > 8) high = load_le<uint64_t>(from + size - 8) >> (8 * (16 - size));
  } else if (size >= 4) {
    low = load_le<uint32_t>(from) | uint64_t{load_le<uint32_t>(from + size - 4)} << (8 * (size - 4));
  } else if (size > 0) {
    low = from[0] | uint64_t{from[size / 2]} << (8 * (size / 2)) | uint64_t{from[size - 1]} << (8 * (size - 1));
  }
  return _mm_set_epi64x(static_cast<long long>(high), static_cast<long long>(low));
}

/// Copies `size` bytes, at most 31, by two overlapping moves.
[[gnu::always_inline, gnu::target(QUOLL_TARGET)]] inline void copy_below_32(uint8_t* to, const uint8_t* from,
                                                                            size_t size) {
  if (size >= 16) {
    const __m128i first = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    const __m128i last = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + size - 16));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), first);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + size - 16), last);
  } else if (size >= 8) {
    const uint64_t first = load_le<uint64_t>(from), last = load_le<uint64_t>(from + size - 8);
    store_le(to, first);
    store_le(to + size - 8, last);
  } else if (size >= 4) {
    const uint32_t first = load_le<uint32_t>(from), last = load_le<uint32_t>(from + size - 4);
    store_le(to, first);
    store_le(to + size - 4, last);
  } else if (size > 0) {
    const uint8_t first = from[0], middle = from[size / 2], last = from[size - 1];
    to[0] = first;
    to[size / 2] = middle;
    to[size - 1] = last;
  }
}

}  // namespace
}  // namespace quoll::crypto
