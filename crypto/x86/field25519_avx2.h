// Four elements modulo p = 2^255 - 19 at a time: AVX2, ten limbs of alternately 26 and 25 bits in 64-bit lanes.
//
// limb[i] holds limb i of the four elements, one in each lane. Limbs and bounds are those of field25519_25.h, and so is
// the reasoning why nothing overflows: Tight limbs are below 1.1 B, Loose limbs below 3.3 B, with B = 2^26 for even and
// 2^25 for odd limbs; products take 32-bit limbs and fill 63-bit columns. Constant-time throughout.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "crypto/portable/field25519_25.h"

namespace quoll::crypto {
namespace {

struct FieldAvx2 {
  struct Loose {
    __m256i limb[10];
  };
  struct Tight : Loose {};

  /// The elements of lanes 0 to 3.
  [[gnu::target("avx2")]] static Tight pack(const Field25::Tight& a, const Field25::Tight& b, const Field25::Tight& c,
                                            const Field25::Tight& d) {
    Tight r;
    for (int i = 0; i < 10; i++) r.limb[i] = _mm256_set_epi64x(d.limb[i], c.limb[i], b.limb[i], a.limb[i]);
    return r;
  }

  [[gnu::target("avx2")]] static void unpack(const Tight& a, Field25::Tight out[4]) {
    for (int i = 0; i < 10; i++) {
      alignas(32) uint64_t lanes[4];
      _mm256_store_si256(reinterpret_cast<__m256i*>(lanes), a.limb[i]);
      for (int lane = 0; lane < 4; lane++) out[lane].limb[i] = static_cast<uint32_t>(lanes[lane]);
    }
  }

  /// (a0 + a1, a0 - a1, a2 + a3, a2 - a3); see Field25::sub for the multiple of p that is added.
  [[gnu::always_inline, gnu::target("avx2")]] static inline Loose sums_and_differences(const Tight& a) {
    Loose r;
    for (int i = 0; i < 10; i++) {
      const __m256i left = _mm256_unpacklo_epi64(a.limb[i], a.limb[i]);
      const __m256i right = _mm256_unpackhi_epi64(a.limb[i], a.limb[i]);
      const __m256i negative = _mm256_sub_epi64(_mm256_set1_epi64x(twice_p(i)), right);
      r.limb[i] = _mm256_add_epi64(left, _mm256_blend_epi32(right, negative, 0xcc));
    }
    return r;
  }

  [[gnu::always_inline, gnu::target("avx2")]] static inline Tight mul(const Loose& a, const Loose& b) {
    Loose b19;
    const __m256i nineteen = _mm256_set1_epi64x(19);
    for (int i = 1; i < 10; i++) b19.limb[i] = _mm256_mul_epu32(b.limb[i], nineteen);
    Columns c;
    for (int i = 0; i < 10; i++) c.column[i] = _mm256_mul_epu32(a.limb[0], b.limb[i]);
    row<1>(c, a, b, b19);
    row<2>(c, a, b, b19);
    row<3>(c, a, b, b19);
    row<4>(c, a, b, b19);
    row<5>(c, a, b, b19);
    row<6>(c, a, b, b19);
    row<7>(c, a, b, b19);
    row<8>(c, a, b, b19);
    row<9>(c, a, b, b19);
    return carry(c);
  }

 private:
  struct Columns {
    __m256i column[10];
  };

  static constexpr int width(int i) { return 26 - i % 2; }
  static constexpr long long mask(int i) { return (1ll << width(i)) - 1; }
  static constexpr long long twice_p(int i) { return 2 * (i == 0 ? mask(0) - 18 : mask(i)); }

  /// The products of limb i of a, which is doubled where two odd limbs meet.
  template <int i>
  [[gnu::always_inline, gnu::target("avx2")]] static inline void row(Columns& c, const Loose& a, const Loose& b,
                                                                     const Loose& b19) {
    const __m256i once = a.limb[i];
    const __m256i at_odd = i % 2 ? _mm256_add_epi64(once, once) : once;
    product<i, 0>(c, once, b, b19);
    product<i, 1>(c, at_odd, b, b19);
    product<i, 2>(c, once, b, b19);
    product<i, 3>(c, at_odd, b, b19);
    product<i, 4>(c, once, b, b19);
    product<i, 5>(c, at_odd, b, b19);
    product<i, 6>(c, once, b, b19);
    product<i, 7>(c, at_odd, b, b19);
    product<i, 8>(c, once, b, b19);
    product<i, 9>(c, at_odd, b, b19);
  }

  template <int i, int j>
  [[gnu::always_inline, gnu::target("avx2")]] static inline void product(Columns& c, __m256i factor, const Loose& b,
                                                                         const Loose& b19) {
    constexpr int k = (i + j) % 10;
    c.column[k] = _mm256_add_epi64(c.column[k], _mm256_mul_epu32(factor, i + j < 10 ? b.limb[j] : b19.limb[j]));
  }

  /// Two chains side by side, from column 0 and from column 5, each going one step further than where the other began.
  [[gnu::always_inline, gnu::target("avx2")]] static inline Tight carry(Columns& c) {
    carry_from<0>(c);
    carry_from<5>(c);
    carry_from<1>(c);
    carry_from<6>(c);
    carry_from<2>(c);
    carry_from<7>(c);
    carry_from<3>(c);
    carry_from<8>(c);
    carry_from<4>(c);
    carry_from<9>(c);
    carry_from<5>(c);
    carry_from<0>(c);
    Tight r;
    for (int i = 0; i < 10; i++) r.limb[i] = c.column[i];
    return r;
  }

  /// The bits above a limb go to the next one; from the last, times 19, to the first.
  template <int i>
  [[gnu::always_inline, gnu::target("avx2")]] static inline void carry_from(Columns& c) {
    __m256i over = _mm256_srli_epi64(c.column[i], width(i));
    c.column[i] = _mm256_and_si256(c.column[i], _mm256_set1_epi64x(mask(i)));
    if constexpr (i == 9) {
      const __m256i by_18 = _mm256_add_epi64(_mm256_slli_epi64(over, 4), _mm256_slli_epi64(over, 1));
      over = _mm256_add_epi64(over, by_18);
    }
    constexpr int next = (i + 1) % 10;
    c.column[next] = _mm256_add_epi64(c.column[next], over);
  }
};

}  // namespace
}  // namespace quoll::crypto
