// The number-theoretic transform of ML-KEM and the products in its domain, 16 coefficients at a time (FIPS 203 §4.3).
//
// Coefficients stay in their natural order outside of the functions. Layers of distance 128 to 16 work on whole
// vectors. The last three work on two vectors whose halves, quarters and eighths are exchanged, so that partners face
// each other. Reductions are lazy: bounds are stated where they are used up. Constant time.
#include <utility>

#include "crypto/x86/mlkem.h"
#include "crypto/x86/mlkem_vectors.h"

namespace quoll::crypto {
namespace {

using namespace mlkem;

/// Roots for one vector of right-hand partners.
struct alignas(32) RootVector {
  std::array<int16_t, kPerVector> value;
  std::array<int16_t, kPerVector> with_inverse;
};

constexpr RootVector root_vector(std::array<int16_t, kPerVector> value) {
  RootVector out{value, {}};
  for (size_t i = 0; i < kPerVector; i++) out.with_inverse[i] = times_q_inverse(value[i]);
  return out;
}

/// The root of block `block` in the layer of 2^log_blocks blocks, for the transform or its inverse (algorithms 9 and
/// 10: one counts up through the roots, the other down).
constexpr int16_t root_of(bool inverse, size_t log_blocks, size_t block) {
  const size_t first = size_t{1} << log_blocks;
  return kZetas[inverse ? 2 * first - 1 - block : first + block];
}

/// Roots of the layers of distance 8, 4 and 2 for each pair of vectors, in the order in which the exchanges leave them:
/// a block's coefficients stay together, and the blocks stay in order.
using PairRoots = std::array<std::array<RootVector, 3>, kVectors / 2>;

constexpr PairRoots pair_roots(bool inverse) {
  PairRoots roots{};
  for (size_t pair = 0; pair < kVectors / 2; pair++) {
    for (size_t layer = 0; layer < 3; layer++) {
      const size_t blocks = size_t{2} << layer;  // in the pair: 2, 4, 8
      std::array<int16_t, kPerVector> value{};
      for (size_t i = 0; i < kPerVector; i++) {
        value[i] = root_of(inverse, 4 + layer, pair * blocks + i * blocks / kPerVector);
      }
      roots[pair][layer] = root_vector(value);
    }
  }
  return roots;
}

constexpr PairRoots kForward = pair_roots(false);
constexpr PairRoots kBackward = pair_roots(true);

/// γ of each pair of coefficients (algorithm 11) at the odd places; the even ones are not used.
constexpr std::array<RootVector, kVectors> kGammas = [] {
  std::array<RootVector, kVectors> gammas{};
  for (size_t v = 0; v < kVectors; v++) {
    std::array<int16_t, kPerVector> value{};
    for (size_t i = 1; i < kPerVector; i += 2) {
      const int16_t root = kZetas[64 + (kPerVector * v + i) / 4];
      value[i] = static_cast<int16_t>(i % 4 == 1 ? root : -root);
    }
    gammas[v] = root_vector(value);
  }
  return gammas;
}();

[[gnu::always_inline, gnu::target("avx2")]] inline Factor factor_of(const RootVector& root) {
  return {_mm256_load_si256(reinterpret_cast<const Vector*>(root.value.data())),
          _mm256_load_si256(reinterpret_cast<const Vector*>(root.with_inverse.data()))};
}

/// (a, b) to (a + z·b, a - z·b): the bound of both grows by that of the product, less than q.
[[gnu::always_inline, gnu::target("avx2")]] inline void butterfly(Vector& a, Vector& b, Factor root) {
  const Vector product = multiply(b, root);
  b = _mm256_sub_epi16(a, product);
  a = _mm256_add_epi16(a, product);
}

/// (a, b) to (a + b, z·(b - a)): the bound of a doubles.
[[gnu::always_inline, gnu::target("avx2")]] inline void inverse_butterfly(Vector& a, Vector& b, Factor root) {
  const Vector difference = _mm256_sub_epi16(b, a);
  a = _mm256_add_epi16(a, b);
  b = multiply(difference, root);
}

// Three exchanges between two vectors; each undoes itself. They swap the upper half of a with the lower half of b,
// where the halves are those of the vector, of each 128 bits, or of each 64 bits.
[[gnu::always_inline, gnu::target("avx2")]] inline void exchange128(Vector& a, Vector& b) {
  const Vector low = _mm256_permute2x128_si256(a, b, 0x20);
  b = _mm256_permute2x128_si256(a, b, 0x31);
  a = low;
}

[[gnu::always_inline, gnu::target("avx2")]] inline void exchange64(Vector& a, Vector& b) {
  const Vector low = _mm256_unpacklo_epi64(a, b);
  b = _mm256_unpackhi_epi64(a, b);
  a = low;
}

[[gnu::always_inline, gnu::target("avx2")]] inline void exchange32(Vector& a, Vector& b) {
  const Vector low = _mm256_blend_epi32(a, _mm256_slli_epi64(b, 32), 0xaa);
  b = _mm256_blend_epi32(_mm256_srli_epi64(a, 32), b, 0xaa);
  a = low;
}

/// Layers of distance 8, 4 and 2 on the vectors 2·pair and 2·pair + 1.
[[gnu::always_inline, gnu::target("avx2")]] inline void last_layers(Vector& a, Vector& b, size_t pair) {
  exchange128(a, b);
  butterfly(a, b, factor_of(kForward[pair][0]));
  exchange64(a, b);
  butterfly(a, b, factor_of(kForward[pair][1]));
  exchange32(a, b);
  butterfly(a, b, factor_of(kForward[pair][2]));
  exchange32(a, b);
  exchange64(a, b);
  exchange128(a, b);
}

/// Takes |c| <= q. Sums double three times: below 8·q < 2^15. Gives |c| <= q/2.
[[gnu::always_inline, gnu::target("avx2")]] inline void first_inverse_layers(Vector& a, Vector& b, size_t pair) {
  exchange128(a, b);
  exchange64(a, b);
  exchange32(a, b);
  inverse_butterfly(a, b, factor_of(kBackward[pair][2]));
  exchange32(a, b);
  inverse_butterfly(a, b, factor_of(kBackward[pair][1]));
  exchange64(a, b);
  inverse_butterfly(a, b, factor_of(kBackward[pair][0]));
  exchange128(a, b);
  a = barrett_reduce(a);
  b = barrett_reduce(b);
}

/// r / 2^16 modulo q of 16 sums of 32 bits, |r| < 2^15·q: those of even places in `even`, of odd ones in `odd`.
[[gnu::always_inline, gnu::target("avx2")]] inline Vector montgomery_reduce(Vector even, Vector odd) {
  const Vector inverse = _mm256_set1_epi32(kQInverse);  // the upper halves multiply by zero
  const Vector modulus = _mm256_set1_epi32(kQ);
  even = _mm256_sub_epi32(even, _mm256_madd_epi16(_mm256_mullo_epi16(even, inverse), modulus));
  odd = _mm256_sub_epi32(odd, _mm256_madd_epi16(_mm256_mullo_epi16(odd, inverse), modulus));
  return _mm256_blend_epi16(_mm256_srli_epi32(even, 16), odd, 0xaa);
}

}  // namespace

/// Seven layers each add less than q: from |c| <= q to below 8·q < 2^15; the last step reduces.
[[gnu::target("avx2")]] void Avx2MlKemEngine::ntt(Poly& poly) {
  // Distances 128 and 64.
  const Factor root1 = factor(kZetas[1]), root2 = factor(kZetas[2]), root3 = factor(kZetas[3]);
  for (size_t i = 0; i < 4; i++) {
    Vector a = load(poly, i), b = load(poly, i + 4), c = load(poly, i + 8), d = load(poly, i + 12);
    butterfly(a, c, root1);
    butterfly(b, d, root1);
    butterfly(a, b, root2);
    butterfly(c, d, root3);
    store(poly, i, a);
    store(poly, i + 4, b);
    store(poly, i + 8, c);
    store(poly, i + 12, d);
  }
  // Distances 32 and 16, then the rest, on a quarter of the polynomial at a time.
  for (size_t i = 0; i < 4; i++) {
    Vector a = load(poly, 4 * i), b = load(poly, 4 * i + 1), c = load(poly, 4 * i + 2), d = load(poly, 4 * i + 3);
    const Factor root32 = factor(kZetas[4 + i]);
    butterfly(a, c, root32);
    butterfly(b, d, root32);
    butterfly(a, b, factor(kZetas[8 + 2 * i]));
    butterfly(c, d, factor(kZetas[9 + 2 * i]));
    last_layers(a, b, 2 * i);
    last_layers(c, d, 2 * i + 1);
    store(poly, 4 * i, barrett_reduce(a));
    store(poly, 4 * i + 1, barrett_reduce(b));
    store(poly, 4 * i + 2, barrett_reduce(c));
    store(poly, 4 * i + 3, barrett_reduce(d));
  }
}

/// From |c| <= q/2 after three layers, sums double four times: at most 8·q < 2^15 at the end.
[[gnu::target("avx2")]] void Avx2MlKemEngine::inverse_ntt(Poly& poly) {
  for (size_t i = 0; i < 4; i++) {
    Vector a = load(poly, 4 * i), b = load(poly, 4 * i + 1), c = load(poly, 4 * i + 2), d = load(poly, 4 * i + 3);
    first_inverse_layers(a, b, 2 * i);
    first_inverse_layers(c, d, 2 * i + 1);
    inverse_butterfly(a, b, factor(root_of(true, 3, 2 * i)));
    inverse_butterfly(c, d, factor(root_of(true, 3, 2 * i + 1)));
    const Factor root32 = factor(root_of(true, 2, i));
    inverse_butterfly(a, c, root32);
    inverse_butterfly(b, d, root32);
    store(poly, 4 * i, a);
    store(poly, 4 * i + 1, b);
    store(poly, 4 * i + 2, c);
    store(poly, 4 * i + 3, d);
  }
  // The last layer's root takes the final scale with it.
  constexpr int16_t kLastRoot = centered(int64_t{kZetas[1]} * kInverseScale % kQ * power_mod_q(kMontgomery, kQ - 2));
  const Factor root2 = factor(root_of(true, 1, 0)), root3 = factor(root_of(true, 1, 1));
  const Factor last = factor(kLastRoot), scale = factor(kInverseScale);
  for (size_t i = 0; i < 4; i++) {
    Vector a = load(poly, i), b = load(poly, i + 4), c = load(poly, i + 8), d = load(poly, i + 12);
    inverse_butterfly(a, b, root2);
    inverse_butterfly(c, d, root3);
    inverse_butterfly(a, c, last);
    inverse_butterfly(b, d, last);
    store(poly, i, multiply(a, scale));
    store(poly, i + 4, multiply(b, scale));
    store(poly, i + 8, c);
    store(poly, i + 12, d);
  }
}

[[gnu::target("avx2")]] void Avx2MlKemEngine::prepare(Prepared& out, const Poly& b) {
  for (size_t i = 0; i < kVectors; i++) {
    const Vector pairs = load(b, i);
    store(out.straight, i, _mm256_blend_epi16(pairs, multiply(pairs, factor_of(kGammas[i])), 0xaa));
    store(out.crossed, i, _mm256_or_si256(_mm256_slli_epi32(pairs, 16), _mm256_srli_epi32(pairs, 16)));
  }
}

/// Six products of a < q by |b| < q: below 6·q^2 < 2^15·q.
[[gnu::target("avx2")]] void Avx2MlKemEngine::dot(Poly& out, const Poly* a, const Prepared* b) {
  for (size_t i = 0; i < kVectors; i++) {
    Vector even = _mm256_setzero_si256(), odd = even;
    for (size_t k = 0; k < kRank; k++) {
      const Vector left = load(a[k], i);
      even = _mm256_add_epi32(even, _mm256_madd_epi16(left, load(b[k].straight, i)));
      odd = _mm256_add_epi32(odd, _mm256_madd_epi16(left, load(b[k].crossed, i)));
    }
    store(out, i, montgomery_reduce(even, odd));
  }
}

[[gnu::target("avx2")]] void Avx2MlKemEngine::to_montgomery(Poly& poly) {
  const Factor square = factor(kMontgomerySquared);
  for (size_t i = 0; i < kVectors; i++) store(poly, i, multiply(load(poly, i), square));
}

[[gnu::target("avx2")]] void Avx2MlKemEngine::add(Poly& to, const Poly& a) {
  for (size_t i = 0; i < kVectors; i++) store(to, i, _mm256_add_epi16(load(to, i), load(a, i)));
}

[[gnu::target("avx2")]] void Avx2MlKemEngine::subtract(Poly& to, const Poly& a) {
  for (size_t i = 0; i < kVectors; i++) store(to, i, _mm256_sub_epi16(load(to, i), load(a, i)));
}

}  // namespace quoll::crypto
