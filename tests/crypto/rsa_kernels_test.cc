// The big-number code of RSA against a slow reference, at the edges of its numbers and at random ones.
#include "tests/crypto/rsa_kernels.h"

#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::crypto;
using quoll::tests::all_rsa_kernels;
using quoll::tests::SeededRng;
using quoll::tests::test_seed;

namespace {

using Number = std::vector<uint64_t>;

/// a * b mod m bit by bit, with no code of the product. The lengths are those of m; b < m.
Number slow_multiply(const Number& a, const Number& b, const Number& m) {
  const auto compare = [](const Number& x, const Number& y) {
    for (size_t i = x.size(); i-- > 0;) {
      if (x[i] != y[i]) return x[i] < y[i] ? -1 : 1;
    }
    return 0;
  };
  const auto add_mod = [&](Number& x, const Number& y) {
    bool carry = false;
    for (size_t i = 0; i < x.size(); i++) {
      const uint64_t sum = x[i] + y[i] + (carry ? 1 : 0);
      carry = carry ? sum <= x[i] : sum < x[i];
      x[i] = sum;
    }
    if (!carry && compare(x, m) < 0) return;
    bool borrow = false;
    for (size_t i = 0; i < x.size(); i++) {
      const uint64_t difference = x[i] - m[i] - (borrow ? 1 : 0);
      borrow = borrow ? x[i] <= m[i] : x[i] < m[i];
      x[i] = difference;
    }
  };
  Number r(m.size());
  for (size_t i = 64 * m.size(); i-- > 0;) {
    const Number copy = r;
    add_mod(r, copy);
    if ((a[i / 64] >> (i % 64)) & 1) add_mod(r, b);
  }
  return r;
}

Number random_number(SeededRng& rng, size_t limbs) {
  Number number(limbs);
  for (uint64_t& limb : number) limb = rng.next_u64();
  return number;
}

/// Numbers that make carries run: 0, 1, m - 1, single and full limbs, and random ones; those not below m left out.
std::vector<Number> residues(SeededRng& rng, const Number& m) {
  const size_t limbs = m.size();
  std::vector<Number> candidates{Number(limbs), Number(limbs), m, Number(limbs, ~uint64_t{0}), Number(limbs), m};
  candidates[1][0] = 1;
  candidates[2][0] -= 1;  // m is odd
  candidates[4][limbs / 2] = ~uint64_t{0};
  candidates[5][0] >>= 1;
  candidates[5].back() = 0;
  for (int i = 0; i < 3; i++) candidates.push_back(random_number(rng, limbs));
  std::erase_if(candidates, [&](const Number& a) { return bignum::less(a.data(), m.data(), limbs) == 0; });
  return candidates;
}

std::vector<Number> moduli(SeededRng& rng, size_t limbs) {
  std::vector<Number> list{Number(limbs, ~uint64_t{0}), Number(limbs), random_number(rng, limbs),
                           random_number(rng, limbs)};
  list[1][0] = 1;
  list[1].back() = uint64_t{1} << 63;
  list[2].back() |= uint64_t{1} << 63;
  list[3].back() = 0;  // shorter than its limbs
  list[3][limbs - 2] >>= 13;
  for (Number& m : list) m[0] |= 1;
  return list;
}

MontgomeryModulus prepared(const Rsa& rsa, const Number& m) {
  MontgomeryModulus modulus;
  modulus.limbs = m.size();
  std::copy(m.begin(), m.end(), modulus.value);
  modulus.prepare(rsa);
  return modulus;
}

Number first(const uint64_t* limbs, size_t count) { return Number(limbs, limbs + count); }

}  // namespace

TEST_CASE("Montgomery products are products divided by R in every implementation") {
  const uint64_t seed = test_seed(1);
  INFO("seed " << seed);
  SeededRng rng(seed);
  for (const size_t limbs : {16, 24, 40, 64}) {
    for (const Number& m : moduli(rng, limbs)) {
      const std::vector<Number> numbers = residues(rng, m);
      const Number any(limbs, ~uint64_t{0});  // the first factor may be any number of so many limbs
      for (const Rsa* rsa : all_rsa_kernels()) {
        INFO(rsa->implementation << ", " << limbs << " limbs");
        const MontgomeryModulus modulus = prepared(*rsa, m);
        const Number one = first(modulus.one, limbs);
        REQUIRE(slow_multiply(one, one, m) == first(modulus.square, limbs));
        const Number& b = numbers[rng.below(numbers.size())];
        for (const Number* a : {&numbers[2], &numbers.back(), &any}) {
          Number r(limbs);
          rsa->montgomery_multiply(r.data(), a->data(), b.data(), modulus);
          CHECK(bignum::less(r.data(), m.data(), limbs) != 0);
          CHECK(slow_multiply(r, one, m) == slow_multiply(*a, b, m));
          if (a == &any) continue;
          Number in_place = *a;
          rsa->montgomery_square(in_place.data(), in_place.data(), modulus);
          rsa->montgomery_multiply(r.data(), a->data(), a->data(), modulus);
          CHECK(in_place == r);
        }
      }
    }
  }
}

TEST_CASE("Montgomery products of all pairs of edge numbers agree between implementations") {
  const uint64_t seed = test_seed(2);
  INFO("seed " << seed);
  SeededRng rng(seed);
  for (const size_t limbs : {16, 24, 32, 64}) {
    for (const Number& m : moduli(rng, limbs)) {
      const MontgomeryModulus modulus = prepared(kRsaPortable, m);
      const std::vector<Number> numbers = residues(rng, m);
      for (const Number& a : numbers) {
        for (const Number& b : numbers) {
          Number expected(limbs), r(limbs);
          kRsaPortable.montgomery_multiply(expected.data(), a.data(), b.data(), modulus);
          for (const Rsa* rsa : all_rsa_kernels()) {
            INFO(rsa->implementation << ", " << limbs << " limbs");
            rsa->montgomery_multiply(r.data(), a.data(), b.data(), modulus);
            CHECK(r == expected);
          }
        }
      }
    }
  }
}

TEST_CASE("Exponentiations of edge numbers are right, for each half on its own modulus") {
  const uint64_t seed = test_seed(3);
  INFO("seed " << seed);
  SeededRng rng(seed);
  for (const size_t limbs : {16, 24, 32}) {
    const std::vector<Number> m = moduli(rng, limbs);
    for (size_t i = 0; i < m.size(); i += limbs == 16 ? 1 : 3) {
      const Number& m0 = m[i];
      const Number& m1 = m[(i + 1) % m.size()];
      const std::vector<Number> numbers0 = residues(rng, m0), numbers1 = residues(rng, m1);
      const MontgomeryModulus modulus0 = prepared(kRsaPortable, m0), modulus1 = prepared(kRsaPortable, m1);
      const size_t j = i % 3;
      const Number &base0 = numbers0[rng.below(numbers0.size())], &base1 = numbers1[rng.below(numbers1.size())];
      // x^(m - 1) by the kernel; and x^2, x^0 for the other half, which has known answers.
      Number exponent0 = numbers0[2], exponent1(limbs);
      exponent1[0] = j;
      Number expected0(limbs), unused(limbs);
      kRsaPortable.exponentiate({{expected0.data(), base0.data(), exponent0.data(), &modulus0},
                                 {unused.data(), base1.data(), exponent1.data(), &modulus1}});
      Number expected1(limbs);
      expected1[0] = 1;
      for (size_t k = 0; k < j; k++) expected1 = slow_multiply(base1, expected1, m1);
      for (const Rsa* rsa : all_rsa_kernels()) {
        INFO(rsa->implementation << ", " << limbs << " limbs, exponent " << j);
        Number r0(limbs), r1(limbs);
        rsa->exponentiate({{r0.data(), base0.data(), exponent0.data(), &modulus0},
                           {r1.data(), base1.data(), exponent1.data(), &modulus1}});
        CHECK(r0 == expected0);
        CHECK(r1 == expected1);
      }
    }
  }
}

TEST_CASE("The multiplier of 32-bit hosts gives the same products") {
  SeededRng rng(test_seed(4));
  const uint64_t edges[] = {0, 1, 0xffffffff, 0x100000000, ~uint64_t{0}, rng.next_u64(), rng.next_u64()};
  for (const uint64_t a : edges) {
    for (const uint64_t b : edges) {
      for (const uint64_t c : edges) {
        for (const uint64_t d : edges) {
          const bignum::Wide x = bignum::SplitMultiplier::multiply_add(a, b, c, d);
          const bignum::Wide y = bignum::Multiplier::multiply_add(a, b, c, d);
          CHECK(x.low == y.low);
          CHECK(x.high == y.high);
        }
      }
    }
  }
}

TEST_CASE("Reduction bit by bit undoes multiplication and addition") {
  SeededRng rng(test_seed(5));
  for (const size_t limbs : {16, 24, 32}) {
    const Number a = random_number(rng, limbs), b = random_number(rng, limbs);
    for (const Number& c : residues(rng, a)) {
      Number product(2 * limbs), r(limbs);
      bignum::multiply_add(product.data(), a.data(), b.data(), c.data(), limbs);
      bignum::reduce(r.data(), product, a.data(), limbs);
      CHECK(r == c);
    }
  }
}

TEST_CASE("Bit lengths and bytes of numbers are read and written exactly") {
  SeededRng rng(test_seed(6));
  Number number(16);
  CHECK(bignum::public_bit_length(number) == 0);
  for (size_t bit = 0; bit < 1024; bit++) {
    std::fill(number.begin(), number.end(), 0);
    number[bit / 64] = uint64_t{1} << (bit % 64);
    CHECK(bignum::public_bit_length(number) == bit + 1);
    if (bit != 0) number[0] |= 1;
    CHECK(bignum::public_bit_length(number) == bit + 1);
  }
  for (const size_t size : {0, 1, 7, 8, 9, 127, 128}) {
    const auto bytes = rng.bytes(size);
    bignum::from_bytes(number, bytes);
    CHECK(bignum::public_bit_length(number) <= 8 * size);
    std::vector<uint8_t> written(size);
    bignum::to_bytes(written, number);
    CHECK(written == bytes);
  }
}
