// The Montgomery ladder of X25519 with four products at a time, as in x25519_avx2.cc, for AVX-512 IFMA.
//
// The lanes hold (x2, z2, x3, z3). Two things are better than there: a permutation whose indices depend on the bit of
// the scalar brings every factor of the first round to its place at once, and AA is added to a24 E within the product.
#include "crypto/portable/x25519.h"
#include "crypto/x86/field25519_ifma.h"
#include "crypto/x86/x25519_ladders.h"

namespace quoll::crypto {
namespace {

using F4 = FieldIfma;

/// One step: `swap` is all ones to double (x3 : z3) instead of (x2 : z2). `one_x1` is (0, 0, 1, x1).
/// The letters are those of RFC 7748 §5.
[[gnu::always_inline, QUOLL_IFMA_TARGET]] inline void step(F4::Tight& p, const F4::Tight& one_x1, uint64_t swap) {
  // (A, B, D, C) and (A, B, A, B), A and B of the first two lanes those of the point to double: 0, 1 or 2, 3.
  const __m256i zero = _mm256_setzero_si256();
  const auto flip = static_cast<long long>(swap & 2);
  const __m256i first = _mm256_xor_si256(_mm256_set_epi64x(2, 3, 1, 0), _mm256_set_epi64x(0, 0, flip, flip));
  const __m256i second = _mm256_xor_si256(_mm256_set_epi64x(1, 0, 1, 0), _mm256_set_epi64x(0, 0, flip, flip));
  const F4::Tight abcd = F4::sums_and_differences(p);
  F4::Tight left, right, aa;
  for (int i = 0; i < 5; i++) {
    left.limb[i] = _mm256_permutexvar_epi64(first, abcd.limb[i]);
    right.limb[i] = _mm256_permutexvar_epi64(second, abcd.limb[i]);
  }
  const F4::Tight products = F4::mul(left, right);             // (AA, BB, DA, CB)
  const F4::Tight mixed = F4::sums_and_differences(products);  // (., E, DA + CB, DA - CB)
  for (int i = 0; i < 5; i++) {                                // times (., a24, itself, itself) plus (., AA, 0, 0)
    const __m256i a24 = i == 0 ? _mm256_set_epi64x(0, 0, 121665, 0) : zero;
    right.limb[i] = _mm256_blend_epi32(mixed.limb[i], a24, 0x0f);
    aa.limb[i] = _mm256_maskz_unpacklo_epi64(0b0010, products.limb[i], products.limb[i]);
  }
  const F4::Tight squares = F4::mul_add(mixed, right, aa);  // (., AA + a24 E, x3, (DA - CB)^2)
  for (int i = 0; i < 5; i++) {                             // (AA, E, x3, .) times (BB, AA + a24 E, 1, x1)
    const __m256i low = _mm256_blend_epi32(products.limb[i], mixed.limb[i], 0x0c);
    left.limb[i] = _mm256_blend_epi32(low, squares.limb[i], 0xf0);
    const __m256i bb = _mm256_shuffle_epi32(products.limb[i], 0x4e);
    right.limb[i] = _mm256_blend_epi32(_mm256_blend_epi32(bb, squares.limb[i], 0x0c), one_x1.limb[i], 0xf0);
  }
  p = F4::mul(left, right);
}

}  // namespace

[[QUOLL_IFMA_TARGET]] bool x25519_agree_ifma(const uint8_t* private_key, const uint8_t* peer_public_key,
                                             uint8_t* shared_secret) {
  const X25519Scalar scalar(private_key);
  const auto x1 = field25519::decode<Field51>(peer_public_key);
  const Field51::Tight zero = Field51::small(0), one = Field51::small(1);
  F4::Tight p = F4::pack(one, zero, x1, one);
  const F4::Tight one_x1 = F4::pack(zero, zero, one, x1);
  uint64_t previous = 0;
  for (int i = 254; i >= 0; i--) {
    const uint64_t bit = scalar.mask_of_bit(i);
    step(p, one_x1, bit ^ previous);
    previous = bit;
  }
  // The lowest bit of a clamped scalar is zero, so the doubled point is the wanted one.
  Field51::Tight lanes[4];
  F4::unpack(p, lanes);
  const bool valid = X25519<Field51>::finish(shared_secret, lanes[0], lanes[1]);
  ct::wipe(p);
  ct::wipe(lanes);
  return valid;
}

}  // namespace quoll::crypto
