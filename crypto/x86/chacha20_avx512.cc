// ChaCha20-Poly1305 for AVX-512 with IFMA: sixteen keystream blocks and eight Poly1305 blocks at a time.
//
// Thirty-two registers hold the sixteen rows, and rotations are one instruction, so the rounds need no assembly.
#pragma GCC diagnostic push  // gcc 12's header leaves operands undefined by intent, and gcc 12 warns of it
#pragma GCC diagnostic ignored "-Wuninitialized"
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#pragma GCC diagnostic pop

#define QUOLL_TARGET "avx512f,avx512bw,avx512dq,avx512vl,avx512ifma"
#include "crypto/x86/chacha20.h"
#include "crypto/x86/chacha20_lanes.inc.h"
#include "crypto/x86/chacha20_train.inc.h"
#include "crypto/x86/poly1305_ifma.inc.h"

namespace quoll::crypto {
namespace {

struct Avx512Lanes {
  using T = __m512i;
  static constexpr size_t kLanes = 16;

  QUOLL_INLINE T load(const void* from) { return _mm512_loadu_si512(from); }
  QUOLL_INLINE void store(void* to, T value) { _mm512_storeu_si512(to, value); }
  QUOLL_INLINE T broadcast(uint32_t word) { return _mm512_set1_epi32(static_cast<int>(word)); }
  QUOLL_INLINE T add(T a, T b) { return _mm512_add_epi32(a, b); }
  QUOLL_INLINE T exclusive_or(T a, T b) { return _mm512_xor_si512(a, b); }

  template <int kBits>
  QUOLL_INLINE T rotate(T x) {
    return _mm512_rol_epi32(x, kBits);
  }

  template <class Work>
  QUOLL_INLINE void rounds(T (&rows)[16], Work&) {
    plain_rounds<Avx512Lanes>(rows);
  }

  QUOLL_INLINE void transpose(const T (&row)[4], T (&out)[4]) {
    const T low01 = _mm512_unpacklo_epi32(row[0], row[1]), high01 = _mm512_unpackhi_epi32(row[0], row[1]);
    const T low23 = _mm512_unpacklo_epi32(row[2], row[3]), high23 = _mm512_unpackhi_epi32(row[2], row[3]);
    out[0] = _mm512_unpacklo_epi64(low01, low23);
    out[1] = _mm512_unpackhi_epi64(low01, low23);
    out[2] = _mm512_unpacklo_epi64(high01, high23);
    out[3] = _mm512_unpackhi_epi64(high01, high23);
  }

  /// 128-bit part k of quarter[q] is quarter q of block 4 k.
  QUOLL_INLINE void store_blocks(const T (&quarter)[4], uint8_t* out) {
    const T front01 = _mm512_shuffle_i32x4(quarter[0], quarter[1], 0x44);  // parts 0, 1 of both
    const T front23 = _mm512_shuffle_i32x4(quarter[2], quarter[3], 0x44);
    const T back01 = _mm512_shuffle_i32x4(quarter[0], quarter[1], 0xee);  // parts 2, 3 of both
    const T back23 = _mm512_shuffle_i32x4(quarter[2], quarter[3], 0xee);
    store(out, _mm512_shuffle_i32x4(front01, front23, 0x88));  // the even parts
    store(out + 256, _mm512_shuffle_i32x4(front01, front23, 0xdd));
    store(out + 512, _mm512_shuffle_i32x4(back01, back23, 0x88));
    store(out + 768, _mm512_shuffle_i32x4(back01, back23, 0xdd));
  }
};

/// Eight lanes of 64 bits.
struct Avx512Wide {
  using T = __m512i;

  QUOLL_INLINE T load(const uint64_t* from) { return _mm512_loadu_si512(from); }
  QUOLL_INLINE void store(uint64_t* to, T value) { _mm512_storeu_si512(to, value); }
  QUOLL_INLINE T broadcast(uint64_t word) { return _mm512_set1_epi64(static_cast<long long>(word)); }
  QUOLL_INLINE T first_lane(uint64_t word) {
    return _mm512_zextsi128_si512(_mm_cvtsi64_si128(static_cast<long long>(word)));
  }
  QUOLL_INLINE T add(T a, T b) { return _mm512_add_epi64(a, b); }
  QUOLL_INLINE T bit_and(T a, T b) { return _mm512_and_si512(a, b); }
  QUOLL_INLINE T bit_or(T a, T b) { return _mm512_or_si512(a, b); }
  template <int kBits>
  QUOLL_INLINE T shift_left(T x) {
    return _mm512_slli_epi64(x, kBits);
  }
  template <int kBits>
  QUOLL_INLINE T shift_right(T x) {
    return _mm512_srli_epi64(x, kBits);
  }
  QUOLL_INLINE T add_low_product(T sum, T a, T b) { return _mm512_madd52lo_epu64(sum, a, b); }
  QUOLL_INLINE T add_high_product(T sum, T a, T b) { return _mm512_madd52hi_epu64(sum, a, b); }

  /// The low and high words of eight blocks; lanes have the blocks 0, 4, 1, 5, 2, 6, 3, 7.
  QUOLL_INLINE void load_blocks(const uint8_t* blocks, T& low, T& high) {
    const T front = _mm512_loadu_si512(blocks), back = _mm512_loadu_si512(blocks + 64);
    low = _mm512_unpacklo_epi64(front, back);
    high = _mm512_unpackhi_epi64(front, back);
  }
};

struct Avx512Engine {
  using Vector = Avx512Lanes;
  using Mac = IfmaMac<Avx512Wide>;
  using Work = Idle;
};

using Functions = ChaCha20Poly1305Functions<Avx512Engine>;
constexpr Implementation kIfma{"avx512-ifma", cpu::Tier::avx512, cpu::kAvx512 | cpu::kAvx512Ifma | cpu::kBmi2};

}  // namespace

constinit const Aead kChaCha20Poly1305Avx512 = Functions::aead(kIfma);
constinit const HeaderProtection kHeaderChaCha20Avx512 = Functions::header_protection(kIfma);
constinit const ChaCha20 kChaCha20Avx512{kIfma, Functions::apply};
constinit const Poly1305 kPoly1305Ifma{kIfma, Functions::mac};

}  // namespace quoll::crypto

#undef QUOLL_TARGET
