// RSA with AVX-512 IFMA: exponentiations of the private key over vpmadd52luq and vpmadd52huq; for one number modulo n,
// mulx.
//
// Primes of 1024 bits take 256-bit vectors (20 digits are five of them; 512-bit vectors would waste a sixth), the
// longer ones take 512-bit vectors.
#include <immintrin.h>

#include "crypto/x86/rsa.h"

#define QUOLL_RSA_TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512ifma,bmi2")))

namespace quoll::crypto {
namespace {

constexpr long long kMask52 = (1LL << 52) - 1;

struct Ifma256 {
  using Vector = __m256i;
  static constexpr size_t kLanes = 4;

  [[gnu::always_inline]] QUOLL_RSA_TARGET static Vector zero() { return _mm256_setzero_si256(); }
  [[gnu::always_inline]] QUOLL_RSA_TARGET static Vector broadcast(uint64_t x) {
    return _mm256_set1_epi64x(static_cast<long long>(x));
  }
  [[gnu::always_inline]] QUOLL_RSA_TARGET static Vector load(const uint64_t* from) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  }
  [[gnu::always_inline]] QUOLL_RSA_TARGET static void store(uint64_t* to, Vector v) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), v);
  }
  [[gnu::always_inline]] QUOLL_RSA_TARGET static Vector add(Vector a, Vector b) { return _mm256_add_epi64(a, b); }
  [[gnu::always_inline]] QUOLL_RSA_TARGET static Vector multiply_add_low(Vector s, Vector a, Vector b) {
    return _mm256_madd52lo_epu64(s, a, b);
  }
  [[gnu::always_inline]] QUOLL_RSA_TARGET static Vector multiply_add_high(Vector s, Vector a, Vector b) {
    return _mm256_madd52hi_epu64(s, a, b);
  }
  [[gnu::always_inline]] QUOLL_RSA_TARGET static Vector shift_down(Vector high, Vector low) {
    return _mm256_alignr_epi64(high, low, 1);
  }
  [[gnu::always_inline]] QUOLL_RSA_TARGET static Vector shift_up(Vector high, Vector low) {
    return _mm256_alignr_epi64(high, low, 3);
  }
  [[gnu::always_inline]] QUOLL_RSA_TARGET static Vector carries(Vector v) { return _mm256_srli_epi64(v, 52); }
  [[gnu::always_inline]] QUOLL_RSA_TARGET static Vector low_bits(Vector v) {
    return _mm256_and_si256(v, _mm256_set1_epi64x(kMask52));
  }
  [[gnu::always_inline]] QUOLL_RSA_TARGET static uint64_t lowest(Vector v) { return static_cast<uint64_t>(v[0]); }
  [[gnu::always_inline]] QUOLL_RSA_TARGET static Vector replace_lowest(Vector v, uint64_t x) {
    return _mm256_mask_set1_epi64(v, 1, static_cast<long long>(x));
  }
  [[gnu::always_inline]] QUOLL_RSA_TARGET static uint64_t above(Vector v) {
    return _mm256_cmpgt_epu64_mask(v, _mm256_set1_epi64x(kMask52));
  }
  [[gnu::always_inline]] QUOLL_RSA_TARGET static uint64_t full(Vector v) {
    return _mm256_cmpeq_epu64_mask(v, _mm256_set1_epi64x(kMask52));
  }
  [[gnu::always_inline]] QUOLL_RSA_TARGET static Vector increment(Vector v, uint64_t bits) {
    return _mm256_mask_add_epi64(v, static_cast<__mmask8>(bits & 0xf), v, _mm256_set1_epi64x(1));
  }
  [[gnu::always_inline]] QUOLL_RSA_TARGET static Vector choose(Vector wanted, Vector entry, Vector a, Vector b) {
    return _mm256_mask_mov_epi64(b, _mm256_cmpeq_epu64_mask(wanted, entry), a);
  }
};

// gcc 12 warns of its own unmasked forms of some intrinsics ("used uninitialized"); masks of all ones cost nothing.
constexpr __mmask8 kAllLanes = 0xff;

struct Ifma512 {
  using Vector = __m512i;
  static constexpr size_t kLanes = 8;

  [[gnu::always_inline]] QUOLL_RSA_TARGET static Vector zero() { return _mm512_setzero_si512(); }
  [[gnu::always_inline]] QUOLL_RSA_TARGET static Vector broadcast(uint64_t x) {
    return _mm512_set1_epi64(static_cast<long long>(x));
  }
  [[gnu::always_inline]] QUOLL_RSA_TARGET static Vector load(const uint64_t* from) { return _mm512_loadu_si512(from); }
  [[gnu::always_inline]] QUOLL_RSA_TARGET static void store(uint64_t* to, Vector v) { _mm512_storeu_si512(to, v); }
  [[gnu::always_inline]] QUOLL_RSA_TARGET static Vector add(Vector a, Vector b) { return _mm512_add_epi64(a, b); }
  [[gnu::always_inline]] QUOLL_RSA_TARGET static Vector multiply_add_low(Vector s, Vector a, Vector b) {
    return _mm512_madd52lo_epu64(s, a, b);
  }
  [[gnu::always_inline]] QUOLL_RSA_TARGET static Vector multiply_add_high(Vector s, Vector a, Vector b) {
    return _mm512_madd52hi_epu64(s, a, b);
  }
  [[gnu::always_inline]] QUOLL_RSA_TARGET static Vector shift_down(Vector high, Vector low) {
    return _mm512_maskz_alignr_epi64(kAllLanes, high, low, 1);
  }
  [[gnu::always_inline]] QUOLL_RSA_TARGET static Vector shift_up(Vector high, Vector low) {
    return _mm512_maskz_alignr_epi64(kAllLanes, high, low, 7);
  }
  [[gnu::always_inline]] QUOLL_RSA_TARGET static Vector carries(Vector v) {
    return _mm512_maskz_srli_epi64(kAllLanes, v, 52);
  }
  [[gnu::always_inline]] QUOLL_RSA_TARGET static Vector low_bits(Vector v) {
    return _mm512_and_si512(v, _mm512_set1_epi64(kMask52));
  }
  [[gnu::always_inline]] QUOLL_RSA_TARGET static uint64_t lowest(Vector v) { return static_cast<uint64_t>(v[0]); }
  [[gnu::always_inline]] QUOLL_RSA_TARGET static Vector replace_lowest(Vector v, uint64_t x) {
    return _mm512_mask_set1_epi64(v, 1, static_cast<long long>(x));
  }
  [[gnu::always_inline]] QUOLL_RSA_TARGET static uint64_t above(Vector v) {
    return _mm512_cmpgt_epu64_mask(v, _mm512_set1_epi64(kMask52));
  }
  [[gnu::always_inline]] QUOLL_RSA_TARGET static uint64_t full(Vector v) {
    return _mm512_cmpeq_epu64_mask(v, _mm512_set1_epi64(kMask52));
  }
  [[gnu::always_inline]] QUOLL_RSA_TARGET static Vector increment(Vector v, uint64_t bits) {
    return _mm512_mask_add_epi64(v, static_cast<__mmask8>(bits & 0xff), v, _mm512_set1_epi64(1));
  }
  [[gnu::always_inline]] QUOLL_RSA_TARGET static Vector choose(Vector wanted, Vector entry, Vector a, Vector b) {
    return _mm512_mask_mov_epi64(b, _mm512_cmpeq_epu64_mask(wanted, entry), a);
  }
};

}  // namespace
}  // namespace quoll::crypto

#include "crypto/x86/rsa_ifma_engine.inc.h"

namespace quoll::crypto {

constexpr Rsa kRsaIfma{
    {.implementation = "ifma",
     .tier = cpu::Tier::avx512,
     .needs = cpu::kAvx512 | cpu::kAvx512Ifma | cpu::kAvx2 | cpu::kBmi2 | cpu::kAdx},
    mulx_montgomery_multiply,
    mulx_montgomery_square,
    ifma_exponentiate<Ifma256, Ifma512>,
};

}  // namespace quoll::crypto
