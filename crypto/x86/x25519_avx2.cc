// The Montgomery ladder of X25519 with four products at a time. The four lanes hold (x2, z2, x3, z3), the point that
// was doubled last and the sum; a step is three rounds of products with sums and differences between them. The idea is
// Hisil, Egrice and Yassi's, "Fast 4 way vectorized ladder for the complete set of Montgomery curves" (2020). As in
// x25519.h a step selects the point to double instead of swapping both.
#include "crypto/x86/x25519_ladders.h"

#include "crypto/portable/x25519.h"
#include "crypto/x86/field25519_adx.h"
#include "crypto/x86/field25519_avx2.h"

namespace quoll::crypto {
namespace {

using F4 = FieldAvx2;

struct Field : FieldAdx, PortableLookup {};

/// One step: `swap` is all ones to double (x3 : z3) instead of (x2 : z2). `one_x1` is (0, 0, 1, x1).
/// The letters are those of RFC 7748 §5.
[[gnu::always_inline, gnu::target("avx2")]] inline void step(F4::Tight& p, const F4::Tight& one_x1, __m256i swap) {
  const F4::Loose abcd = F4::sums_and_differences(p);
  F4::Loose left, right;  // (A, B, D, C) and (A, B, A, B), A and B of the first two lanes those of the point to double
  for (int i = 0; i < 10; i++) {
    const __m256i v = abcd.limb[i];
    const __m256i cdab = _mm256_permute4x64_epi64(v, 0x4e);
    const __m256i doubled = _mm256_blendv_epi8(v, cdab, swap);
    left.limb[i] = _mm256_blend_epi32(doubled, _mm256_shuffle_epi32(v, 0x4e), 0xf0);
    right.limb[i] = _mm256_blend_epi32(doubled, cdab, 0xf0);
  }
  const F4::Tight products = F4::mul(left, right);             // (AA, BB, DA, CB)
  const F4::Loose mixed = F4::sums_and_differences(products);  // (., E, DA + CB, DA - CB)
  for (int i = 0; i < 10; i++) {                               // times (., a24, itself, itself)
    const __m256i a24 = i == 0 ? _mm256_set_epi64x(0, 0, 121665, 0) : _mm256_setzero_si256();
    right.limb[i] = _mm256_blend_epi32(mixed.limb[i], a24, 0x0f);
  }
  const F4::Tight squares = F4::mul(mixed, right);  // (., a24 E, x3, (DA - CB)^2)
  for (int i = 0; i < 10; i++) {                    // (AA, E, x3, .) times (BB, AA + a24 E, 1, x1)
    const __m256i low = _mm256_blend_epi32(products.limb[i], mixed.limb[i], 0x0c);
    left.limb[i] = _mm256_blend_epi32(low, squares.limb[i], 0xf0);
    const __m256i a24e = _mm256_blend_epi32(_mm256_setzero_si256(), squares.limb[i], 0x0c);
    const __m256i sum = _mm256_add_epi64(_mm256_shuffle_epi32(products.limb[i], 0x4e), a24e);
    right.limb[i] = _mm256_blend_epi32(sum, one_x1.limb[i], 0xf0);
  }
  p = F4::mul(left, right);
}

Field25::Tight narrow(const uint8_t* bytes) { return field25519::decode<Field25>(bytes); }

FieldAdx::Tight wide(const Field25::Tight& a) {
  uint64_t words[4];
  Field25::to_words(words, a);
  const FieldAdx::Tight r = FieldAdx::from_words(words);
  ct::wipe(words);
  return r;
}

}  // namespace

[[gnu::target("avx2")]] bool x25519_agree_avx2(const uint8_t* private_key, const uint8_t* peer_public_key,
                                               uint8_t* shared_secret) {
  const X25519Scalar scalar(private_key);
  const Field25::Tight x1 = narrow(peer_public_key), zero = Field25::small(0), one = Field25::small(1);
  F4::Tight p = F4::pack(one, zero, x1, one);
  const F4::Tight one_x1 = F4::pack(zero, zero, one, x1);
  uint64_t previous = 0;
  for (int i = 254; i >= 0; i--) {
    const uint64_t bit = scalar.mask_of_bit(i);
    step(p, one_x1, _mm256_set1_epi64x(static_cast<long long>(bit ^ previous)));
    previous = bit;
  }
  // The lowest bit of a clamped scalar is zero, so the doubled point is the wanted one.
  Field25::Tight lanes[4];
  F4::unpack(p, lanes);
  FieldAdx::Tight x2 = wide(lanes[0]), z2 = wide(lanes[1]);
  const bool valid = X25519<Field>::finish(shared_secret, x2, z2);
  ct::wipe(p);
  ct::wipe(lanes);
  ct::wipe(x2);
  ct::wipe(z2);
  return valid;
}

}  // namespace quoll::crypto
