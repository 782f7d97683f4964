// ChaCha20-Poly1305 for AVX2 and BMI2: eight keystream blocks at a time, with Poly1305's scalar multiplications in the
// shadow of the vector rounds.
//
// Sixteen rows and the temporaries of the rotations do not fit sixteen registers, and compilers spill badly. So a pair
// of quarter rounds is assembly, and of the state's third line only the two rows in use are in registers: the pair
// either keeps them or exchanges them for the two in memory. Fourteen rows and two temporaries fill the registers
// exactly.
#define QUOLL_TARGET "avx2"
#include "crypto/x86/chacha20.h"
#include "crypto/x86/chacha20_lanes.inc.h"
#include "crypto/x86/chacha20_train.inc.h"
#include "crypto/x86/poly1305_mulx.h"

namespace quoll::crypto {
namespace {

alignas(32) constexpr uint8_t kRotate16[32] = {2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13,
                                               2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13};
alignas(32) constexpr uint8_t kRotate8[32] = {3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14,
                                              3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14};

/// The first step of two quarter rounds (a, b, c, d) and (e, f, g, h): a += b, d = (d ^ a) <<< 16.
QUOLL_INLINE void first_step(__m256i& a, const __m256i& b, __m256i& d, __m256i& e, const __m256i& f, __m256i& h) {
  __asm__(
      "vpaddd %[b], %[a], %[a]\n\t"
      "vpaddd %[f], %[e], %[e]\n\t"
      "vpxor %[a], %[d], %[d]\n\t"
      "vpxor %[e], %[h], %[h]\n\t"
      "vpshufb %[rotate16], %[d], %[d]\n\t"
      "vpshufb %[rotate16], %[h], %[h]\n\t"
      : [a] "+&x"(a), [d] "+&x"(d), [e] "+&x"(e), [h] "+&x"(h)
      : [b] "x"(b), [f] "x"(f), [rotate16] "m"(kRotate16));
}

/// The steps after c += d.
QUOLL_INLINE void other_steps(__m256i& a, __m256i& b, __m256i& c, __m256i& d, __m256i& e, __m256i& f, __m256i& g,
                              __m256i& h) {
  __m256i t, u;
  __asm__(
      "vpxor %[c], %[b], %[b]\n\t"
      "vpxor %[g], %[f], %[f]\n\t"
      "vpsrld $20, %[b], %[t]\n\t"
      "vpslld $12, %[b], %[b]\n\t"
      "vpor %[t], %[b], %[b]\n\t"
      "vpsrld $20, %[f], %[u]\n\t"
      "vpslld $12, %[f], %[f]\n\t"
      "vpor %[u], %[f], %[f]\n\t"
      "vpaddd %[b], %[a], %[a]\n\t"
      "vpaddd %[f], %[e], %[e]\n\t"
      "vpxor %[a], %[d], %[d]\n\t"
      "vpxor %[e], %[h], %[h]\n\t"
      "vpshufb %[rotate8], %[d], %[d]\n\t"
      "vpshufb %[rotate8], %[h], %[h]\n\t"
      "vpaddd %[d], %[c], %[c]\n\t"
      "vpaddd %[h], %[g], %[g]\n\t"
      "vpxor %[c], %[b], %[b]\n\t"
      "vpxor %[g], %[f], %[f]\n\t"
      "vpsrld $25, %[b], %[t]\n\t"
      "vpslld $7, %[b], %[b]\n\t"
      "vpor %[t], %[b], %[b]\n\t"
      "vpsrld $25, %[f], %[u]\n\t"
      "vpslld $7, %[f], %[f]\n\t"
      "vpor %[u], %[f], %[f]\n\t"
      : [a] "+&x"(a), [b] "+&x"(b), [c] "+&x"(c), [d] "+&x"(d), [e] "+&x"(e), [f] "+&x"(f), [g] "+&x"(g), [h] "+&x"(h),
        [t] "=&x"(t), [u] "=&x"(u)
      : [rotate8] "m"(kRotate8));
}

/// Two quarter rounds; c and g are in registers already.
QUOLL_INLINE void quarter_rounds(__m256i& a, __m256i& b, __m256i& c, __m256i& d, __m256i& e, __m256i& f, __m256i& g,
                                 __m256i& h) {
  first_step(a, b, d, e, f, h);
  __asm__(
      "vpaddd %[d], %[c], %[c]\n\t"
      "vpaddd %[h], %[g], %[g]\n\t"
      : [c] "+&x"(c), [g] "+&x"(g)
      : [d] "x"(d), [h] "x"(h));
  other_steps(a, b, c, d, e, f, g, h);
}

/// Two rows of the third line that are in memory.
struct Parked {
  __m256i c, g;
};

/// Two quarter rounds; c and g go to `leave`, and this pair's come from `enter`.
QUOLL_INLINE void quarter_rounds_exchanging(__m256i& a, __m256i& b, __m256i& c, __m256i& d, __m256i& e, __m256i& f,
                                            __m256i& g, __m256i& h, Parked& leave, const Parked& enter) {
  first_step(a, b, d, e, f, h);
  __asm__(
      "vmovdqa %[c], %[leave_c]\n\t"
      "vmovdqa %[g], %[leave_g]\n\t"
      "vpaddd %[enter_c], %[d], %[c]\n\t"
      "vpaddd %[enter_g], %[h], %[g]\n\t"
      : [c] "+&x"(c), [g] "+&x"(g), [leave_c] "=m"(leave.c), [leave_g] "=m"(leave.g)
      : [d] "x"(d), [h] "x"(h), [enter_c] "m"(enter.c), [enter_g] "m"(enter.g));
  other_steps(a, b, c, d, e, f, g, h);
}

struct Avx2Lanes {
  using T = __m256i;
  static constexpr size_t kLanes = 8;

  QUOLL_INLINE T load(const void* from) { return _mm256_loadu_si256(static_cast<const __m256i*>(from)); }
  QUOLL_INLINE void store(void* to, T value) { _mm256_storeu_si256(static_cast<__m256i*>(to), value); }
  QUOLL_INLINE T broadcast(uint32_t word) { return _mm256_set1_epi32(static_cast<int>(word)); }
  QUOLL_INLINE T add(T a, T b) { return _mm256_add_epi32(a, b); }
  QUOLL_INLINE T exclusive_or(T a, T b) { return _mm256_xor_si256(a, b); }

  template <class Work>
  QUOLL_INLINE void rounds(T (&rows)[16], Work& work) {
    T a0 = rows[0], a1 = rows[1], a2 = rows[2], a3 = rows[3], b0 = rows[4], b1 = rows[5], b2 = rows[6], b3 = rows[7];
    T c = rows[8], g = rows[9], d0 = rows[12], d1 = rows[13], d2 = rows[14], d3 = rows[15];
    Parked front, back{rows[10], rows[11]};
    int i = 0;
    for (; i < 10 && work.has(3); i++) {
      quarter_rounds(a0, b0, c, d0, a1, b1, g, d1);
      work.step();
      quarter_rounds_exchanging(a2, b2, c, d2, a3, b3, g, d3, front, back);
      work.step();
      quarter_rounds(a0, b1, c, d3, a1, b2, g, d0);
      work.step();
      quarter_rounds_exchanging(a2, b3, c, d1, a3, b0, g, d2, back, front);
    }
    for (; i < 10; i++) {  // the same without a branch around the work, which would cost registers
      quarter_rounds(a0, b0, c, d0, a1, b1, g, d1);
      quarter_rounds_exchanging(a2, b2, c, d2, a3, b3, g, d3, front, back);
      quarter_rounds(a0, b1, c, d3, a1, b2, g, d0);
      quarter_rounds_exchanging(a2, b3, c, d1, a3, b0, g, d2, back, front);
    }
    rows[0] = a0, rows[1] = a1, rows[2] = a2, rows[3] = a3, rows[4] = b0, rows[5] = b1, rows[6] = b2, rows[7] = b3;
    rows[8] = c, rows[9] = g, rows[10] = back.c, rows[11] = back.g;
    rows[12] = d0, rows[13] = d1, rows[14] = d2, rows[15] = d3;
  }

  QUOLL_INLINE void transpose(const T (&row)[4], T (&out)[4]) {
    const T low01 = _mm256_unpacklo_epi32(row[0], row[1]), high01 = _mm256_unpackhi_epi32(row[0], row[1]);
    const T low23 = _mm256_unpacklo_epi32(row[2], row[3]), high23 = _mm256_unpackhi_epi32(row[2], row[3]);
    out[0] = _mm256_unpacklo_epi64(low01, low23);
    out[1] = _mm256_unpackhi_epi64(low01, low23);
    out[2] = _mm256_unpacklo_epi64(high01, high23);
    out[3] = _mm256_unpackhi_epi64(high01, high23);
  }

  QUOLL_INLINE void store_blocks(const T (&quarter)[4], uint8_t* out) {
    store(out, _mm256_permute2x128_si256(quarter[0], quarter[1], 0x20));
    store(out + 32, _mm256_permute2x128_si256(quarter[2], quarter[3], 0x20));
    store(out + 256, _mm256_permute2x128_si256(quarter[0], quarter[1], 0x31));
    store(out + 288, _mm256_permute2x128_si256(quarter[2], quarter[3], 0x31));
  }
};

struct Avx2Engine {
  using Vector = Avx2Lanes;
  using Mac = MulxMac;
  using Work = MulxWork;
  static constexpr size_t kWorthInterleaving = 64;  // bytes
};

using Functions = ChaCha20Poly1305Functions<Avx2Engine>;
constexpr Implementation kAvx2{"avx2-mulx", cpu::Tier::avx2, cpu::kAvx2 | cpu::kBmi2};

}  // namespace

constinit const Aead kChaCha20Poly1305Avx2 = Functions::aead(kAvx2);
constinit const HeaderProtection kHeaderChaCha20Avx2 = Functions::header_protection(kAvx2);
constinit const ChaCha20 kChaCha20Avx2{kAvx2, Functions::apply};
constinit const Poly1305 kPoly1305Mulx{{"mulx", cpu::Tier::avx2, cpu::kBmi2}, Functions::mac};

}  // namespace quoll::crypto

#undef QUOLL_TARGET
