// Four elements modulo p = 2^255 - 19 at a time: AVX-512 IFMA on 256-bit vectors, five limbs of 51 bits.
//
// limb[i] holds limb i of the four elements, one in each lane, as in field25519_51.h. The multiply-add instructions
// take the low 52 bits of both factors and give the low or the high 52 bits of the product, so no limb may reach 2^52
// and sums are carried at once: there is one type, Tight, with every limb below 2^51 + 2^11. All carries run side by
// side, since a limb needs only be small, not below 2^51. Constant-time throughout.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "crypto/portable/field25519_51.h"

/// For the functions that use this header, too.
#define QUOLL_IFMA_TARGET gnu::target("avx512f,avx512bw,avx512dq,avx512vl,avx512ifma")

namespace quoll::crypto {
namespace {

struct FieldIfma {
  struct Tight {
    __m256i limb[5];
  };

  /// The elements of lanes 0 to 3.
  [[QUOLL_IFMA_TARGET]] static Tight pack(const Field51::Tight& a, const Field51::Tight& b, const Field51::Tight& c,
                                          const Field51::Tight& d) {
    Tight r;
    for (int i = 0; i < 5; i++) {
      r.limb[i] = _mm256_set_epi64x(static_cast<long long>(d.limb[i]), static_cast<long long>(c.limb[i]),
                                    static_cast<long long>(b.limb[i]), static_cast<long long>(a.limb[i]));
    }
    return r;
  }

  [[QUOLL_IFMA_TARGET]] static void unpack(const Tight& a, Field51::Tight out[4]) {
    for (int i = 0; i < 5; i++) {
      alignas(32) uint64_t lanes[4];
      _mm256_store_si256(reinterpret_cast<__m256i*>(lanes), a.limb[i]);
      for (int lane = 0; lane < 4; lane++) out[lane].limb[i] = lanes[lane];
    }
  }

  /// (a0 + a1, a0 - a1, a2 + a3, a2 - a3). As in Field51::sub, the limbs of 2p are above those that are subtracted;
  /// results are below 2^53 before the carry, and below 2^51 + 19 * 4 after it.
  [[gnu::always_inline, QUOLL_IFMA_TARGET]] static inline Tight sums_and_differences(const Tight& a) {
    Tight r;
    for (int i = 0; i < 5; i++) {
      const __m256i other = _mm256_shuffle_epi32(a.limb[i], 0x4e);
      const __m256i sum = _mm256_add_epi64(other, a.limb[i]);
      const __m256i above = _mm256_add_epi64(other, _mm256_set1_epi64x(twice_p(i)));
      r.limb[i] = _mm256_mask_sub_epi64(sum, kOddLanes, above, a.limb[i]);
    }
    return carry(r);
  }

  [[gnu::always_inline, QUOLL_IFMA_TARGET]] static inline Tight mul(const Tight& a, const Tight& b) {
    const __m256i zero = _mm256_setzero_si256();
    return mul_add(a, b, Tight{{zero, zero, zero, zero, zero}});
  }

  /// a * b + c, for any limbs below 2^52. Halves of products are summed apart, which leaves the chains of multiply-adds
  /// short: at most five low halves and c, and five high halves, make 6 * 2^52 and 5 * 2^52. Limbs have 51 bits, so a
  /// high half counts twice in the next column: columns are below 16 * 2^52 = 2^56, and below 20 * 2^56 < 2^61 with 19
  /// of the column five places up. The carry out of limb 4, whose upper column is one high half, is below
  /// 6 * 2 + 4 * 4 + 19 * 4 = 104, so 19 of it is below 2^11; those of the others are below 2^10.
  [[gnu::always_inline, QUOLL_IFMA_TARGET]] static inline Tight mul_add(const Tight& a, const Tight& b,
                                                                        const Tight& c) {
    const __m256i zero = _mm256_setzero_si256();
    Halves s;
    for (int k = 0; k < 9; k++) {
      s.low[k] = k < 5 ? c.limb[k] : zero;
      s.high[k] = zero;
    }
    row<0>(s, a, b);
    row<1>(s, a, b);
    row<2>(s, a, b);
    row<3>(s, a, b);
    row<4>(s, a, b);
    Tight r;
    for (int k = 0; k < 5; k++) {
      const __m256i column = k == 0 ? s.low[0] : _mm256_add_epi64(s.low[k], twice(s.high[k - 1]));
      const __m256i upper = k == 4 ? twice(s.high[8]) : _mm256_add_epi64(s.low[k + 5], twice(s.high[k + 4]));
      const __m256i by_18 = _mm256_add_epi64(shifted<4>(upper), shifted<1>(upper));
      r.limb[k] = _mm256_add_epi64(_mm256_add_epi64(column, upper), by_18);
    }
    return carry(r);
  }

 private:
  static constexpr __mmask8 kOddLanes = 0b1010;
  static constexpr long long kMask = (1ll << 51) - 1;
  static constexpr long long twice_p(int i) { return 2 * (i == 0 ? kMask - 18 : kMask); }

  /// Sums of the halves of a_i b_j for i + j = k.
  struct Halves {
    __m256i low[9], high[9];
  };

  [[gnu::always_inline, QUOLL_IFMA_TARGET]] static inline __m256i twice(__m256i a) { return _mm256_add_epi64(a, a); }

  /// Without the empty assembly clang makes the factor 19 a vpmullq, which Intel processors take 15 cycles for.
  template <int count>
  [[gnu::always_inline, QUOLL_IFMA_TARGET]] static inline __m256i shifted(__m256i a) {
    __m256i r = _mm256_slli_epi64(a, count);
    __asm__("" : "+v"(r));
    return r;
  }

  /// The products of limb i of a.
  template <int i>
  [[gnu::always_inline, QUOLL_IFMA_TARGET]] static inline void row(Halves& s, const Tight& a, const Tight& b) {
    for (int j = 0; j < 5; j++) {
      s.low[i + j] = _mm256_madd52lo_epu64(s.low[i + j], a.limb[i], b.limb[j]);
      s.high[i + j] = _mm256_madd52hi_epu64(s.high[i + j], a.limb[i], b.limb[j]);
    }
  }

  /// The bits above each limb go to the next one; from the last, times 19, to the first. Every limb of the result is
  /// below 2^51 plus what it is given.
  [[gnu::always_inline, QUOLL_IFMA_TARGET]] static inline Tight carry(const Tight& a) {
    Tight r;
    for (int i = 0; i < 5; i++) {
      const __m256i low = _mm256_and_si256(a.limb[i], _mm256_set1_epi64x(kMask));
      const __m256i over = _mm256_srli_epi64(a.limb[(i + 4) % 5], 51);
      r.limb[i] = i == 0 ? _mm256_madd52lo_epu64(low, over, _mm256_set1_epi64x(19)) : _mm256_add_epi64(low, over);
    }
    return r;
  }
};

}  // namespace
}  // namespace quoll::crypto
