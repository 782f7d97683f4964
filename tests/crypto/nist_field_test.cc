// The modular arithmetic under P-256 and P-384: every arithmetic and both multipliers against a slow reference, over
// values that carries and final subtractions get wrong first.
#include "crypto/portable/montgomery.h"
#include "crypto/portable/nist_curves.h"
#include "tests/crypto/nist_support.h"

#ifdef __x86_64__
#include "crypto/x86/nist_base_table.h"
#include "crypto/x86/p256_field.h"
#include "crypto/x86/p384_field.h"
#include "crypto/x86/safegcd.h"
#endif

namespace quoll::crypto::tests {
namespace {

template <size_t N>
Buffer bytes_of(const Limbs<N>& limbs) {
  Buffer bytes(8 * N);
  store_limbs(bytes.data(), limbs);
  return bytes;
}

/// Values below m: 0, 1, 2, m - 1, m - 2, (m - 1) / 2, limbs of all ones and zeros in every arrangement, and random
/// ones.
template <size_t N>
std::vector<Limbs<N>> edge_values(const Limbs<N>& m, uint64_t seed) {
  std::vector<Limbs<N>> values;
  const auto keep_if_below = [&](const Limbs<N>& value) {
    if (mask_less_limbs(value, m)) values.push_back(value);
  };
  for (const uint64_t small : {0, 1, 2}) values.push_back({small});
  for (const uint64_t small : {1, 2}) {
    Limbs<N> value = m;
    value[0] -= small;
    keep_if_below(value);
  }
  for (size_t pattern = 0; pattern < size_t{1} << N; pattern++) {
    Limbs<N> value{};
    for (size_t i = 0; i < N; i++) value[i] = pattern >> i & 1 ? ~uint64_t{0} : 0;
    keep_if_below(value);
    for (uint64_t& limb : value) limb ^= 0xffffffff;
    keep_if_below(value);
  }
  quoll::tests::SeededRng rng(seed);
  for (int i = 0; i < 8; i++) keep_if_below(load_limbs<N>(rng.bytes(8 * N).data()));
  // The seldom case of a sum that carries beyond the limbs of a row: a high limb of all ones after random ones.
  for (int i = 0; i < 8; i++) {
    Limbs<N> value = load_limbs<N>(rng.bytes(8 * N).data());
    for (size_t j = N - 2; j < N; j++) value[j] = m[j];
    keep_if_below(value);
  }
  return values;
}

template <class Arithmetic>
void check_against_reference(const char* name) {
  INFO(name);
  using R = Residue<Arithmetic>;
  const uint64_t seed = quoll::tests::test_seed(0x9e15);
  INFO("seed " << seed);
  const SlowModulus slow(bytes_of(R::modulus()));
  const auto values = edge_values(R::modulus(), seed);
  size_t pairs = 0;
  for (size_t i = 0; i < values.size(); i++) {
    const Buffer a = bytes_of(values[i]);
    const R ra = R::from_limbs(values[i]);
    REQUIRE(ra.to_limbs() == values[i]);
    REQUIRE(square(ra).montgomery_limbs() == (ra * ra).montgomery_limbs());
    REQUIRE(twice(half(ra)).to_limbs() == values[i]);
    REQUIRE(mask_less_limbs(half(ra).montgomery_limbs(), R::modulus()));
    // The values themselves as Montgomery's limbs, too: these reach the multiplication unscrambled.
    const R ma = R::from_montgomery(values[i]);
    REQUIRE(square(ma).montgomery_limbs() == (ma * ma).montgomery_limbs());
    for (size_t j = 0; j < values.size(); j++) {
      const R rb = R::from_limbs(values[j]);
      const Buffer b = bytes_of(values[j]);
      REQUIRE(bytes_of((ra + rb).to_limbs()) == slow.add(a, b));
      REQUIRE(bytes_of((ra - rb).to_limbs()) == slow.subtract(a, b));
      const R mb = R::from_montgomery(values[j]);
      REQUIRE(bytes_of((ma + mb).montgomery_limbs()) == slow.add(a, b));
      REQUIRE(bytes_of((ma - mb).montgomery_limbs()) == slow.subtract(a, b));
      // The product of Montgomery's limbs is a b / R; the slow product is costly, so every seventh pair.
      if (pairs++ % 7 == 0) {
        const R product = ma * mb;
        REQUIRE(mask_less_limbs(product.montgomery_limbs(), R::modulus()));
        const Buffer r = bytes_of(R::one().montgomery_limbs());
        REQUIRE(slow.multiply(bytes_of(product.montgomery_limbs()), r) == slow.multiply(a, b));
      }
    }
  }
}

template <class Arithmetic>
void check_inverses(const char* name) {
  INFO(name);
  using R = Residue<Arithmetic>;
  for (const auto& value : edge_values(R::modulus(), quoll::tests::test_seed(0x1e7))) {
    const R a = R::from_limbs(value);
    const R expected = mask_zero(a) ? R::zero() : R::one();
    REQUIRE((a * inverse(a)).to_limbs() == expected.to_limbs());
    REQUIRE((a * inverse_vartime(a)).to_limbs() == expected.to_limbs());
    REQUIRE(mask_less_limbs(inverse(a).montgomery_limbs(), R::modulus()));
  }
}

/// Two arithmetics of one modulus agree on every pair of edge values.
template <class A, class B>
void check_same(const char* name) {
  INFO(name);
  using RA = Residue<A>;
  using RB = Residue<B>;
  const auto values = edge_values(RA::modulus(), quoll::tests::test_seed(0x5a3e));
  for (const auto& a : values) {
    for (const auto& b : values) {
      const auto ours = RA::from_montgomery(a) * RA::from_montgomery(b);
      REQUIRE(ours.montgomery_limbs() == (RB::from_montgomery(a) * RB::from_montgomery(b)).montgomery_limbs());
    }
  }
}

#ifdef __x86_64__
bool has_adx() {
  constexpr cpu::Features kNeeded = cpu::kBmi2 | cpu::kAdx;
  return (cpu::features() & kNeeded) == kNeeded && cpu::cap() >= cpu::Tier::avx2;
}
#endif

TEST_SUITE("nist field") {
  TEST_CASE("portable arithmetic agrees with a slow reference at the edges") {
    check_against_reference<MontgomeryArithmetic<P256::Prime>>("P-256 prime");
    check_against_reference<MontgomeryArithmetic<P256::Order>>("P-256 order");
    check_against_reference<MontgomeryArithmetic<P384::Prime>>("P-384 prime");
    check_against_reference<MontgomeryArithmetic<P384::Order>>("P-384 order");
  }

  TEST_CASE("multiplication out of 32-bit halves is the native one") {
    uint64_t carry_a = 0, carry_b = 0;
    const uint64_t edges[] = {0, 1, 0xffffffff, 0x100000000, 0xffffffff00000000, ~uint64_t{0}, 0x123456789abcdef0};
    for (const uint64_t a : edges) {
      for (const uint64_t b : edges) {
        for (const uint64_t addend : edges) {
          for (const uint64_t carry : edges) {
            carry_a = carry_b = carry;
            const uint64_t low = HalvesMultiply::multiply_add(a, b, addend, carry_a);
            REQUIRE(low == DefaultMultiply::multiply_add(a, b, addend, carry_b));
            REQUIRE(carry_a == carry_b);
          }
        }
      }
    }
    check_same<MontgomeryArithmetic<P256::Prime, HalvesMultiply>, MontgomeryArithmetic<P256::Prime>>("P-256");
    check_same<MontgomeryArithmetic<P384::Order, HalvesMultiply>, MontgomeryArithmetic<P384::Order>>("P-384");
  }

  TEST_CASE("portable inverses invert, and the inverse of zero is zero") {
    check_inverses<MontgomeryArithmetic<P256::Prime>>("P-256 prime");
    check_inverses<MontgomeryArithmetic<P384::Order>>("P-384 order");
  }

#ifdef __x86_64__
  TEST_CASE("mulx and adx arithmetic agrees with a slow reference and with the portable one") {
    if (!has_adx()) return;
    check_against_reference<x86::P256Arithmetic>("P-256 prime");
    check_against_reference<x86::P384Arithmetic>("P-384 prime");
    check_same<x86::P256Arithmetic, MontgomeryArithmetic<P256::Prime>>("P-256");
    check_same<x86::P384Arithmetic, MontgomeryArithmetic<P384::Prime>>("P-384");
  }

  TEST_CASE("division steps invert, and the inverse of zero is zero") {
    check_inverses<x86::WithSafegcd<MontgomeryArithmetic<P256::Prime>, P256::Prime>>("P-256 prime");
    check_inverses<x86::WithSafegcd<MontgomeryArithmetic<P256::Order>, P256::Order>>("P-256 order");
    check_inverses<x86::WithSafegcd<MontgomeryArithmetic<P384::Prime>, P384::Prime>>("P-384 prime");
    check_inverses<x86::WithSafegcd<MontgomeryArithmetic<P384::Order>, P384::Order>>("P-384 order");
  }
#endif
}

}  // namespace
}  // namespace quoll::crypto::tests
