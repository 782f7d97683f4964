// Keccak-f[1600] on four states side by side in 256-bit vectors with AVX-512VL: one instruction for a rotation, one for
// the three operands of chi, two for the five of theta. Constant time.
#include <immintrin.h>

#include "crypto/x86/keccak.h"

#define QUOLL_KECCAK_TARGET [[gnu::target("avx2,avx512f,avx512vl")]]

namespace quoll::crypto {
namespace {

struct KeccakLeafAvx512 {
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
    // 0x96: the truth table of a ^ b ^ c, indexed by the bits of a, b, c from the highest.
    return _mm256_ternarylogic_epi64(_mm256_ternarylogic_epi64(a, b, c, 0x96), d, e, 0x96);
  }
  [[gnu::always_inline]] QUOLL_KECCAK_TARGET static Lane chi(Lane a, Lane b, Lane c) {
    return _mm256_ternarylogic_epi64(a, b, c, 0xd2);  // a ^ (~b & c)
  }
  template <int n>
  [[gnu::always_inline]] QUOLL_KECCAK_TARGET static Lane rotate(Lane a) {
    return _mm256_rol_epi64(a, n);
  }
};

}  // namespace
}  // namespace quoll::crypto

#include "crypto/keccak_f1600.inc.h"

namespace quoll::crypto {

[[gnu::target("avx2,avx512f,avx512vl")]] void keccak_permute_x4_avx512(uint64_t* words) {
  keccak_permute<KeccakLeafAvx512>(words);
}

}  // namespace quoll::crypto
