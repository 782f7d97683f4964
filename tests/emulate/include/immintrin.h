// The intrinsics of AVX-512, VAES, VPCLMULQDQ, IFMA and SHA as plain C++, so that the code written with them runs on
// any processor with AVX2 - and under valgrind, which knows none of them.
//
// This header stands before the compiler's own in a build with QUOLL_EMULATE (tests/emulate/README.md). Each emulation
// follows the operation that the Intel intrinsics guide states for the instruction: lane by lane, masks as bits. A file
// that uses an intrinsic which is missing here does not compile in that build: add it.
#pragma once
#pragma GCC system_header  // for #include_next

#include_next <immintrin.h>

#include <cstdint>
#include <cstring>

namespace quoll_emulate {

template <class Lane, class Vector>
struct Lanes {
  static constexpr int kCount = static_cast<int>(sizeof(Vector) / sizeof(Lane));
  Lane at[kCount];
  explicit Lanes(Vector vector) { std::memcpy(at, &vector, sizeof vector); }
  Lanes() : at{} {}
  Vector vector() const {
    Vector out;
    std::memcpy(&out, at, sizeof out);
    return out;
  }
};

template <class Lane, class Vector, class F>
inline Vector map(Vector a, F f) {
  Lanes<Lane, Vector> x(a), out;
  for (int i = 0; i < x.kCount; i++) out.at[i] = f(x.at[i], i);
  return out.vector();
}

template <class Lane, class Vector, class F>
inline Vector map(Vector a, Vector b, F f) {
  Lanes<Lane, Vector> x(a), y(b), out;
  for (int i = 0; i < x.kCount; i++) out.at[i] = f(x.at[i], y.at[i]);
  return out.vector();
}

/// Lane i is taken from `then` where bit i of the mask is set, else from `otherwise`.
template <class Lane, class Vector>
inline Vector blend(uint64_t mask, Vector then, Vector otherwise) {
  Lanes<Lane, Vector> x(then), y(otherwise), out;
  for (int i = 0; i < x.kCount; i++) {
    const Lane bit = static_cast<Lane>(0 - static_cast<Lane>(mask >> i & 1));  // a mask, not a branch: it may be secret
    out.at[i] = static_cast<Lane>((x.at[i] & bit) | (y.at[i] & static_cast<Lane>(~bit)));
  }
  return out.vector();
}

template <class Lane, class Vector, class F>
inline uint64_t compare(Vector a, Vector b, F f) {
  Lanes<Lane, Vector> x(a), y(b);
  uint64_t mask = 0;
  for (int i = 0; i < x.kCount; i++) mask |= static_cast<uint64_t>(f(x.at[i], y.at[i])) << i;
  return mask;
}

/// Applies a 128-bit operation to each 128-bit lane.
template <class Vector, class F>
inline Vector by_128(Vector a, Vector b, F f) {
  Lanes<__m128i, Vector> x(a), y(b), out;
  for (int i = 0; i < x.kCount; i++) out.at[i] = f(x.at[i], y.at[i]);
  return out.vector();
}

template <class Vector>
inline Vector zero() {
  return Lanes<uint64_t, Vector>().vector();
}

template <class Vector>
inline Vector load(const void* from) {
  Vector out;
  std::memcpy(&out, from, sizeof out);
  return out;
}

template <class Vector>
inline Vector set1_64(long long value) {
  return map<uint64_t>(zero<Vector>(), [&](uint64_t, int) { return static_cast<uint64_t>(value); });
}

template <class Vector>
inline Vector set1_32(int value) {
  return map<uint32_t>(zero<Vector>(), [&](uint32_t, int) { return static_cast<uint32_t>(value); });
}

template <class Vector>
inline Vector madd52(Vector sum, Vector a, Vector b, bool high) {
  __extension__ using Wide = unsigned __int128;
  constexpr uint64_t kLow52 = (uint64_t{1} << 52) - 1;
  const Vector part = map<uint64_t>(a, b, [&](uint64_t x, uint64_t y) {
    const Wide product = static_cast<Wide>(x & kLow52) * (y & kLow52);
    return high ? static_cast<uint64_t>(product >> 52) : static_cast<uint64_t>(product) & kLow52;
  });
  return map<uint64_t>(sum, part, [](uint64_t x, uint64_t y) { return x + y; });
}

/// (high:low) shifted right by `count` lanes of 64 bits.
template <class Vector>
inline Vector align_64(Vector high, Vector low, int count) {
  Lanes<uint64_t, Vector> h(high), l(low), out;
  for (int i = 0; i < h.kCount; i++) {
    const int from = i + (count & (h.kCount - 1));
    out.at[i] = from < h.kCount ? l.at[from] : h.at[from - h.kCount];
  }
  return out.vector();
}

template <class Lane, class Vector>
inline Vector rotate_left(Vector a, int count) {
  constexpr int kBits = 8 * sizeof(Lane);
  return map<Lane>(a, [&](Lane x, int) {
    return static_cast<Lane>(x << (count & (kBits - 1)) | x >> ((kBits - count) & (kBits - 1)));
  });
}

template <class Vector>
inline Vector ternary(Vector a, Vector b, Vector c, int table) {
  Lanes<uint64_t, Vector> x(a), y(b), z(c), out;
  for (int i = 0; i < x.kCount; i++) {
    for (int minterm = 0; minterm < 8; minterm++) {
      if (!(table >> minterm & 1)) continue;  // the table is a constant
      out.at[i] |=
          (minterm & 4 ? x.at[i] : ~x.at[i]) & (minterm & 2 ? y.at[i] : ~y.at[i]) & (minterm & 1 ? z.at[i] : ~z.at[i]);
    }
  }
  return out.vector();
}

/// Lane i is lane index[i] of `a`; the indices may be secret, so each lane is tried.
template <class Vector>
inline Vector permute_64(Vector index, Vector a) {
  const Lanes<uint64_t, Vector> wanted(index), from(a);
  Lanes<uint64_t, Vector> out;
  for (int i = 0; i < out.kCount; i++) {
    for (int j = 0; j < out.kCount; j++) {
      const uint64_t other = (wanted.at[i] & (out.kCount - 1)) ^ static_cast<uint64_t>(j);
      out.at[i] |= from.at[j] & (0 - ((other - 1) >> 63));
    }
  }
  return out.vector();
}

template <class Part, class Vector>
inline Vector insert(Vector into, Part part, int index) {
  Lanes<Part, Vector> lanes(into);
  lanes.at[index & (lanes.kCount - 1)] = part;
  return lanes.vector();
}

template <class Part, class Vector>
inline Part extract(Vector from, int index) {
  Lanes<Part, Vector> lanes(from);
  return lanes.at[index & (lanes.kCount - 1)];
}

/// Two 128-bit parts of `a`, then two of `b`, each chosen by two bits.
inline __m512i shuffle_parts(__m512i a, __m512i b, int selection) {
  const Lanes<__m128i, __m512i> x(a), y(b);
  Lanes<__m128i, __m512i> out;
  for (int i = 0; i < 4; i++) {
    const int from = selection >> (2 * i) & 3;
    out.at[i] = i < 2 ? x.at[from] : y.at[from];
  }
  return out.vector();
}

template <class Part>
inline __m512i broadcast(Part part) {
  Lanes<Part, __m512i> lanes;
  for (Part& lane : lanes.at) lane = part;
  return lanes.vector();
}

template <class Vector>
inline Vector maskz_loadu_8(uint64_t mask, const void* from) {
  Lanes<uint8_t, Vector> out;
  for (int i = 0; i < out.kCount; i++) {
    if (mask >> i & 1) out.at[i] = static_cast<const uint8_t*>(from)[i];  // masks of addresses are public
  }
  return out.vector();
}

template <class Vector>
inline void mask_storeu_8(void* to, uint64_t mask, Vector v) {
  Lanes<uint8_t, Vector> lanes(v);
  for (int i = 0; i < lanes.kCount; i++) {
    if (mask >> i & 1) static_cast<uint8_t*>(to)[i] = lanes.at[i];
  }
}

template <class Vector>
inline Vector shuffle_8(Vector a, Vector b) {
  return by_128(a, b, [](__m128i x, __m128i y) { return _mm_shuffle_epi8(x, y); });
}

template <class Vector>
inline Vector aesenc(Vector a, Vector b) {
  return by_128(a, b, [](__m128i x, __m128i y) { return _mm_aesenc_si128(x, y); });
}

template <class Vector>
inline Vector aesenclast(Vector a, Vector b) {
  return by_128(a, b, [](__m128i x, __m128i y) { return _mm_aesenclast_si128(x, y); });
}

template <class Vector>
inline Vector clmul(Vector a, Vector b, int selection) {
  return by_128(a, b, [&](__m128i x, __m128i y) {
    switch (selection & 0x11) {
      case 0x00:
        return _mm_clmulepi64_si128(x, y, 0x00);
      case 0x01:
        return _mm_clmulepi64_si128(x, y, 0x01);
      case 0x10:
        return _mm_clmulepi64_si128(x, y, 0x10);
      default:
        return _mm_clmulepi64_si128(x, y, 0x11);
    }
  });
}

inline uint32_t rotate_right(uint32_t x, int count) { return x >> count | x << (32 - count); }

/// SHA256RNDS2: two rounds; `state1` holds C D G H from the top, `state0` A B E F, the words' sums with K in `wk`.
inline __m128i sha256rnds2(__m128i cdgh, __m128i abef, __m128i wk) {
  const Lanes<uint32_t, __m128i> x(cdgh), y(abef), w(wk);
  uint32_t a = y.at[3], b = y.at[2], c = x.at[3], d = x.at[2], e = y.at[1], f = y.at[0], g = x.at[1], h = x.at[0];
  for (int i = 0; i < 2; i++) {
    const uint32_t t1 =
        h + ((e & f) ^ (~e & g)) + (rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25)) + w.at[i];
    const uint32_t t2 =
        ((a & b) ^ (a & c) ^ (b & c)) + (rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22));
    h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
  }
  Lanes<uint32_t, __m128i> out;
  out.at[3] = a, out.at[2] = b, out.at[1] = e, out.at[0] = f;
  return out.vector();
}

inline __m128i sha256msg1(__m128i a, __m128i b) {
  const Lanes<uint32_t, __m128i> x(a), y(b);
  const uint32_t w[5] = {x.at[0], x.at[1], x.at[2], x.at[3], y.at[0]};
  Lanes<uint32_t, __m128i> out;
  for (int i = 0; i < 4; i++) {
    out.at[i] = w[i] + (rotate_right(w[i + 1], 7) ^ rotate_right(w[i + 1], 18) ^ w[i + 1] >> 3);
  }
  return out.vector();
}

inline __m128i sha256msg2(__m128i a, __m128i b) {
  const Lanes<uint32_t, __m128i> x(a), y(b);
  const auto sigma1 = [](uint32_t w) { return rotate_right(w, 17) ^ rotate_right(w, 19) ^ w >> 10; };
  Lanes<uint32_t, __m128i> out;
  out.at[0] = x.at[0] + sigma1(y.at[2]);
  out.at[1] = x.at[1] + sigma1(y.at[3]);
  out.at[2] = x.at[2] + sigma1(out.at[0]);
  out.at[3] = x.at[3] + sigma1(out.at[1]);
  return out.vector();
}

}  // namespace quoll_emulate

#define _mm_sha256rnds2_epu32(a, b, k) quoll_emulate::sha256rnds2(a, b, k)
#define _mm_sha256msg1_epu32(a, b) quoll_emulate::sha256msg1(a, b)
#define _mm_sha256msg2_epu32(a, b) quoll_emulate::sha256msg2(a, b)

#define _mm256_aesenc_epi128(a, b) quoll_emulate::aesenc<__m256i>(a, b)
#define _mm256_aesenclast_epi128(a, b) quoll_emulate::aesenclast<__m256i>(a, b)
#define _mm256_clmulepi64_epi128(a, b, s) quoll_emulate::clmul<__m256i>(a, b, s)

#define _mm256_ternarylogic_epi64(a, b, c, t) quoll_emulate::ternary<__m256i>(a, b, c, t)
#define _mm256_ternarylogic_epi32(a, b, c, t) quoll_emulate::ternary<__m256i>(a, b, c, t)
#define _mm256_rol_epi64(a, n) quoll_emulate::rotate_left<uint64_t, __m256i>(a, n)
#define _mm256_rol_epi32(a, n) quoll_emulate::rotate_left<uint32_t, __m256i>(a, n)
#define _mm_rol_epi32(a, n) quoll_emulate::rotate_left<uint32_t, __m128i>(a, n)
#undef _mm256_alignr_epi64
#define _mm256_alignr_epi64(h, l, n) quoll_emulate::align_64<__m256i>(h, l, n)
#define _mm256_madd52lo_epu64(s, a, b) quoll_emulate::madd52<__m256i>(s, a, b, false)
#define _mm256_madd52hi_epu64(s, a, b) quoll_emulate::madd52<__m256i>(s, a, b, true)
#define _mm256_mask_set1_epi64(v, m, x) \
  quoll_emulate::blend<uint64_t, __m256i>(m, quoll_emulate::set1_64<__m256i>(x), v)
#define _mm256_mask_mov_epi64(v, m, a) quoll_emulate::blend<uint64_t, __m256i>(m, a, v)
#define _mm256_mask_add_epi64(v, m, a, b) quoll_emulate::blend<uint64_t, __m256i>(m, _mm256_add_epi64(a, b), v)
#define _mm256_mask_sub_epi64(v, m, a, b) quoll_emulate::blend<uint64_t, __m256i>(m, _mm256_sub_epi64(a, b), v)
#define _mm256_maskz_unpacklo_epi64(m, a, b) \
  quoll_emulate::blend<uint64_t, __m256i>(m, _mm256_unpacklo_epi64(a, b), quoll_emulate::zero<__m256i>())
#define _mm256_permutexvar_epi64(i, a) quoll_emulate::permute_64<__m256i>(i, a)
#define _mm256_cmpgt_epu64_mask(a, b) \
  static_cast<__mmask8>(quoll_emulate::compare<uint64_t, __m256i>(a, b, [](uint64_t x, uint64_t y) { return x > y; }))
#define _mm256_cmpeq_epu64_mask(a, b) \
  static_cast<__mmask8>(quoll_emulate::compare<uint64_t, __m256i>(a, b, [](uint64_t x, uint64_t y) { return x == y; }))

#define _mm512_setzero_si512() quoll_emulate::zero<__m512i>()
#define _mm512_set1_epi64(x) quoll_emulate::set1_64<__m512i>(x)
#define _mm512_set1_epi32(x) quoll_emulate::set1_32<__m512i>(x)
#define _mm512_loadu_si512(p) quoll_emulate::load<__m512i>(p)
#define _mm512_storeu_si512(p, v)                      \
  do {                                                 \
    const __m512i quoll_emulate_v = v;                 \
    std::memcpy(p, &quoll_emulate_v, sizeof(__m512i)); \
  } while (false)
#define _mm512_maskz_loadu_epi8(m, p) quoll_emulate::maskz_loadu_8<__m512i>(m, p)
#define _mm512_mask_storeu_epi8(p, m, v) quoll_emulate::mask_storeu_8<__m512i>(p, m, v)

#define _mm512_xor_si512(a, b) quoll_emulate::map<uint64_t, __m512i>(a, b, [](uint64_t x, uint64_t y) { return x ^ y; })
#define _mm512_and_si512(a, b) quoll_emulate::map<uint64_t, __m512i>(a, b, [](uint64_t x, uint64_t y) { return x & y; })
#define _mm512_or_si512(a, b) quoll_emulate::map<uint64_t, __m512i>(a, b, [](uint64_t x, uint64_t y) { return x | y; })
#define _mm512_add_epi64(a, b) quoll_emulate::map<uint64_t, __m512i>(a, b, [](uint64_t x, uint64_t y) { return x + y; })
#define _mm512_sub_epi64(a, b) quoll_emulate::map<uint64_t, __m512i>(a, b, [](uint64_t x, uint64_t y) { return x - y; })
#define _mm512_add_epi32(a, b) quoll_emulate::map<uint32_t, __m512i>(a, b, [](uint32_t x, uint32_t y) { return x + y; })
#define _mm512_mul_epu32(a, b)                \
  quoll_emulate::map<uint64_t, __m512i>(a, b, \
                                        [](uint64_t x, uint64_t y) { return (x & 0xffffffff) * (y & 0xffffffff); })
#undef _mm512_srli_epi64
#define _mm512_srli_epi64(a, n) quoll_emulate::map<uint64_t, __m512i>(a, [&](uint64_t x, int) { return x >> (n); })
#undef _mm512_slli_epi64
#define _mm512_slli_epi64(a, n) quoll_emulate::map<uint64_t, __m512i>(a, [&](uint64_t x, int) { return x << (n); })
#undef _mm512_maskz_srli_epi64
#define _mm512_maskz_srli_epi64(m, a, n) \
  quoll_emulate::blend<uint64_t, __m512i>(m, _mm512_srli_epi64(a, n), quoll_emulate::zero<__m512i>())
#undef _mm512_rol_epi32
#define _mm512_rol_epi32(a, n) quoll_emulate::rotate_left<uint32_t, __m512i>(a, n)
#undef _mm512_rol_epi64
#define _mm512_rol_epi64(a, n) quoll_emulate::rotate_left<uint64_t, __m512i>(a, n)
#undef _mm512_ternarylogic_epi64
#define _mm512_ternarylogic_epi64(a, b, c, t) quoll_emulate::ternary<__m512i>(a, b, c, t)
#define _mm512_madd52lo_epu64(s, a, b) quoll_emulate::madd52<__m512i>(s, a, b, false)
#define _mm512_madd52hi_epu64(s, a, b) quoll_emulate::madd52<__m512i>(s, a, b, true)
#undef _mm512_alignr_epi64
#define _mm512_alignr_epi64(h, l, n) quoll_emulate::align_64<__m512i>(h, l, n)
#undef _mm512_maskz_alignr_epi64
#define _mm512_maskz_alignr_epi64(m, h, l, n) \
  quoll_emulate::blend<uint64_t, __m512i>(m, quoll_emulate::align_64<__m512i>(h, l, n), quoll_emulate::zero<__m512i>())
#define _mm512_mask_set1_epi64(v, m, x) \
  quoll_emulate::blend<uint64_t, __m512i>(m, quoll_emulate::set1_64<__m512i>(x), v)
#define _mm512_mask_mov_epi64(v, m, a) quoll_emulate::blend<uint64_t, __m512i>(m, a, v)
#define _mm512_mask_add_epi64(v, m, a, b) quoll_emulate::blend<uint64_t, __m512i>(m, _mm512_add_epi64(a, b), v)
#undef _mm512_cmpgt_epu64_mask
#define _mm512_cmpgt_epu64_mask(a, b) \
  static_cast<__mmask8>(quoll_emulate::compare<uint64_t, __m512i>(a, b, [](uint64_t x, uint64_t y) { return x > y; }))
#undef _mm512_cmpeq_epu64_mask
#define _mm512_cmpeq_epu64_mask(a, b) \
  static_cast<__mmask8>(quoll_emulate::compare<uint64_t, __m512i>(a, b, [](uint64_t x, uint64_t y) { return x == y; }))

#define _mm512_shuffle_epi8(a, b) quoll_emulate::shuffle_8<__m512i>(a, b)
#undef _mm512_shuffle_epi32
#define _mm512_shuffle_epi32(a, s) \
  quoll_emulate::by_128<__m512i>(a, a, [](__m128i x, __m128i) { return _mm_shuffle_epi32(x, static_cast<int>(s)); })
#undef _mm512_shuffle_i32x4
#define _mm512_shuffle_i32x4(a, b, s) quoll_emulate::shuffle_parts(a, b, s)
#define _mm512_unpacklo_epi32(a, b) \
  quoll_emulate::by_128<__m512i>(a, b, [](__m128i x, __m128i y) { return _mm_unpacklo_epi32(x, y); })
#define _mm512_unpackhi_epi32(a, b) \
  quoll_emulate::by_128<__m512i>(a, b, [](__m128i x, __m128i y) { return _mm_unpackhi_epi32(x, y); })
#define _mm512_unpacklo_epi64(a, b) \
  quoll_emulate::by_128<__m512i>(a, b, [](__m128i x, __m128i y) { return _mm_unpacklo_epi64(x, y); })
#define _mm512_unpackhi_epi64(a, b) \
  quoll_emulate::by_128<__m512i>(a, b, [](__m128i x, __m128i y) { return _mm_unpackhi_epi64(x, y); })
#define _mm512_aesenc_epi128(a, b) quoll_emulate::aesenc<__m512i>(a, b)
#define _mm512_aesenclast_epi128(a, b) quoll_emulate::aesenclast<__m512i>(a, b)
#undef _mm512_clmulepi64_epi128
#define _mm512_clmulepi64_epi128(a, b, s) quoll_emulate::clmul<__m512i>(a, b, s)

#define _mm512_castsi512_si256(a) quoll_emulate::extract<__m256i, __m512i>(a, 0)
#define _mm512_castsi512_si128(a) quoll_emulate::extract<__m128i, __m512i>(a, 0)
#define _mm512_castsi128_si512(a) quoll_emulate::insert<__m128i, __m512i>(quoll_emulate::zero<__m512i>(), a, 0)
#define _mm512_zextsi128_si512(a) quoll_emulate::insert<__m128i, __m512i>(quoll_emulate::zero<__m512i>(), a, 0)
#define _mm512_castsi256_si512(a) quoll_emulate::insert<__m256i, __m512i>(quoll_emulate::zero<__m512i>(), a, 0)
#undef _mm512_inserti64x4
#define _mm512_inserti64x4(v, a, i) quoll_emulate::insert<__m256i, __m512i>(v, a, i)
#undef _mm512_inserti32x4
#define _mm512_inserti32x4(v, a, i) quoll_emulate::insert<__m128i, __m512i>(v, a, i)
#undef _mm512_extracti64x4_epi64
#define _mm512_extracti64x4_epi64(v, i) quoll_emulate::extract<__m256i, __m512i>(v, i)
#undef _mm512_extracti32x4_epi32
#define _mm512_extracti32x4_epi32(v, i) quoll_emulate::extract<__m128i, __m512i>(v, i)
#define _mm512_broadcast_i32x4(a) quoll_emulate::broadcast<__m128i>(a)
#define _mm512_broadcast_i64x4(a) quoll_emulate::broadcast<__m256i>(a)
