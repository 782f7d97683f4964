// Keccak-f[1600] on four states side by side in AVX2 vectors. Constant time.
#include <immintrin.h>

#include "crypto/x86/keccak.h"

#define QUOLL_KECCAK_TARGET [[gnu::target("avx2")]]

namespace quoll::crypto {
namespace {

struct KeccakLeafAvx2 {
  using Lane = __m256i;
  static constexpr int kStates = 4;

  [[gnu::always_inline]] QUOLL_KECCAK_TARGET static Lane load(const uint64_t* from) {
    return _mm256_load_si256(reinterpret_cast<const __m256i*>(from));
  }
  [[gnu::always_inline]] QUOLL_KECCAK_TARGET static void store(uint64_t* to, Lane a) {
    _mm256_store_si256(reinterpret_cast<__m256i*>(to), a);
  }
  [[gnu::always_inline]] QUOLL_KECCAK_TARGET static Lane broadcast(uint64_t a) {
    return _mm256_set1_epi64x(static_cast<long long>(a));
  }
  [[gnu::always_inline]] QUOLL_KECCAK_TARGET static Lane xor2(Lane a, Lane b) { return _mm256_xor_si256(a, b); }
  [[gnu::always_inline]] QUOLL_KECCAK_TARGET static Lane xor5(Lane a, Lane b, Lane c, Lane d, Lane e) {
    return xor2(xor2(xor2(a, b), xor2(c, d)), e);
  }
  [[gnu::always_inline]] QUOLL_KECCAK_TARGET static Lane chi(Lane a, Lane b, Lane c) {
    return xor2(a, _mm256_andnot_si256(b, c));
  }
  template <int n>
  [[gnu::always_inline]] QUOLL_KECCAK_TARGET static Lane rotate(Lane a) {
    // By whole bytes it is one shuffle.
    if constexpr (n == 8) {
      return _mm256_shuffle_epi8(a, _mm256_setr_epi8(7, 0, 1, 2, 3, 4, 5, 6, 15, 8, 9, 10, 11, 12, 13, 14,  //
                                                     7, 0, 1, 2, 3, 4, 5, 6, 15, 8, 9, 10, 11, 12, 13, 14));
    } else if constexpr (n == 56) {
      return _mm256_shuffle_epi8(a, _mm256_setr_epi8(1, 2, 3, 4, 5, 6, 7, 0, 9, 10, 11, 12, 13, 14, 15, 8,  //
                                                     1, 2, 3, 4, 5, 6, 7, 0, 9, 10, 11, 12, 13, 14, 15, 8));
    } else {
      return _mm256_or_si256(_mm256_slli_epi64(a, n), _mm256_srli_epi64(a, 64 - n));
    }
  }
};

}  // namespace
}  // namespace quoll::crypto

#include "crypto/keccak_f1600.inc.h"

namespace quoll::crypto {

[[gnu::target("avx2")]] void keccak_permute_x4_avx2(uint64_t* words) { keccak_permute<KeccakLeafAvx2>(words); }

}  // namespace quoll::crypto
