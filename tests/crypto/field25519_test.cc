// The fields modulo 2^255 - 19, the scalars modulo the order of Ed25519's base point, and the table of its multiples,
// against slow arithmetic.
#include <cstdlib>
#include <cstring>

#include "tests/crypto/curve25519_support.h"
#include "tests/support/random.h"
#ifdef __x86_64__
#include "crypto/x86/curve25519.h"
#include "crypto/x86/field25519_adx.h"
#include "crypto/x86/field25519_ifma.h"
#endif

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::crypto;
using tests::SlowModular;
using Integer = SlowModular::Integer;

namespace {

const SlowModular kField{SlowModular::from_bytes(
    tests::from_hex("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f").data())};
const SlowModular kScalars{SlowModular::from_bytes(
    tests::from_hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010").data())};

/// 0, 1, p - 1, p, p + 1, 2^255 - 1, single bits, words all ones or all zero, then random values.
std::vector<std::vector<uint8_t>> interesting_encodings(tests::SeededRng& rng) {
  std::vector<std::vector<uint8_t>> values{
      std::vector<uint8_t>(32),
      tests::from_hex("0100000000000000000000000000000000000000000000000000000000000000"),
      tests::from_hex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
      tests::from_hex("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
      tests::from_hex("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
      tests::from_hex("ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
      tests::from_hex("ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"),
      tests::from_hex("0000000000000000000000000000000000000000000000000000000000000080"),
      tests::from_hex("0000000000000000000000000000000000000000000000000000000000000040"),
  };
  for (int i = 0; i < 14; i++) {
    std::vector<uint8_t> words(32);
    for (size_t j = 0; j < 32; j += 4) {
      const uint64_t kind = rng.below(4);
      store_le(words.data() + j, kind == 0 ? 0u : kind == 1 ? ~0u : static_cast<uint32_t>(rng.next_u64()));
    }
    values.push_back(words);
  }
  for (int i = 0; i < 6; i++) values.push_back(rng.bytes(32));
  return values;
}

Integer integer(uint32_t value) {
  Integer r{};
  r[0] = value & 0xffff;
  r[1] = value >> 16;
  return r;
}

template <class F>
bool same(const typename F::Tight& a, const Integer& b) {
  std::vector<uint8_t> bytes(32);
  field25519::encode<F>(bytes.data(), a);
  return bytes == SlowModular::to_bytes(b);
}

template <class F>
void check_field() {
  const uint64_t seed = tests::test_seed(25519);
  INFO("seed ", seed);
  tests::SeededRng rng(seed);
  const auto values = interesting_encodings(rng);
  const auto masked = [](std::vector<uint8_t> bytes) {
    bytes[31] &= 0x7f;
    return kField.reduce(bytes);
  };
  const auto tight = [](const typename F::Loose& a) { return F::mul_small(a, 1); };
  for (const auto& a_bytes : values) {
    const auto a = field25519::decode<F>(a_bytes.data());
    const Integer x = masked(a_bytes);
    CHECK(same<F>(a, x));
    CHECK(same<F>(F::square(a), kField.mul(x, x)));
    CHECK(same<F>(F::mul_small(a, 121665), kField.mul(x, integer(121665))));
    CHECK(same<F>(F::mul(field25519::invert<F>(a), a), integer(x != Integer{})));
    for (const auto& b_bytes : values) {
      const auto b = field25519::decode<F>(b_bytes.data());
      const Integer y = masked(b_bytes);
      const Integer sum = kField.add(x, y), difference = kField.sub(x, y);
      CHECK(same<F>(F::mul(a, b), kField.mul(x, y)));
      const auto loose_sum = F::add(a, b), loose_difference = F::sub(a, b);
      CHECK(same<F>(tight(loose_sum), sum));
      CHECK(same<F>(tight(loose_difference), difference));
      CHECK(same<F>(F::mul(loose_sum, loose_difference), kField.mul(sum, difference)));
      CHECK(same<F>(F::square(loose_difference), kField.mul(difference, difference)));
      CHECK(same<F>(F::mul_small(loose_difference, 121665), kField.mul(difference, integer(121665))));
      CHECK(same<F>(tight(F::sub_wide(loose_sum, loose_difference)), kField.add(y, y)));
      CHECK(same<F>(tight(F::sub_wide(loose_difference, loose_sum)), kField.sub({}, kField.add(y, y))));
      CHECK(same<F>(tight(F::select(~uint64_t{0}, loose_sum, loose_difference)), sum));
      CHECK(same<F>(tight(F::select(0, loose_sum, loose_difference)), difference));
      CHECK((field25519::mask_equal<F>(a, b) != 0) == (x == y));
    }
  }
}

/// a^(p-2), which a field's own inversion must equal.
template <class F>
typename F::Tight inverse_by_power(const typename F::Tight& a) {
  const field25519::PowerChain<F> chain(a);
  return F::mul(field25519::square_times<F>(chain.all_ones_250, 5), chain.eleventh);
}

template <class Scalars>
void check_scalars() {
  const uint64_t seed = tests::test_seed(8032);
  INFO("seed ", seed);
  tests::SeededRng rng(seed);
  auto values = interesting_encodings(rng);
  for (const char* hex : {"ecd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010",
                          "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010",
                          "eed3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010"}) {
    values.push_back(tests::from_hex(hex));
  }
  for (const auto& a : values) {
    for (const auto& b : values) {
      std::vector<uint8_t> wide = a, out(32);
      wide.insert(wide.end(), b.begin(), b.end());
      Scalars::reduce(out.data(), wide.data());
      CHECK(out == SlowModular::to_bytes(kScalars.reduce(wide)));
      const auto c = rng.bytes(32);
      Scalars::multiply_add(out.data(), a.data(), b.data(), c.data());
      const Integer product = kScalars.mul(kScalars.reduce(a), kScalars.reduce(b));
      CHECK(out == SlowModular::to_bytes(kScalars.add(product, kScalars.reduce(c))));
    }
  }
}

}  // namespace

#ifdef __SIZEOF_INT128__
TEST_CASE("the field with limbs of 51 bits agrees with slow arithmetic") { check_field<Field51>(); }

TEST_CASE("inversion by division steps agrees with Fermat's power") {
  tests::SeededRng rng(tests::test_seed(1));
  for (int i = 0; i < 3000; i++) {
    auto bytes = rng.bytes(32);
    if (i < 512) {  // single bits, and single zeros
      bytes.assign(32, i % 2 ? 0xff : 0);
      bytes[static_cast<size_t>(i / 16)] ^= static_cast<uint8_t>(1 << i / 2 % 8);
    }
    const auto a = field25519::decode<Field51>(bytes.data());
    CHECK(field25519::mask_equal<Field51>(field25519::invert<Field51>(a), inverse_by_power<Field51>(a)));
  }
}

TEST_CASE("scalars with limbs of 64 bits agree with slow arithmetic") { check_scalars<ScalarArithmetic64>(); }
#endif

TEST_CASE("the field with limbs of 25.5 bits agrees with slow arithmetic") { check_field<Field25>(); }

TEST_CASE("scalars with limbs of 32 bits agree with slow arithmetic") { check_scalars<ScalarArithmetic32>(); }

#ifdef __x86_64__
TEST_CASE("the field with mulx, adcx and adox agrees with slow arithmetic") {
  constexpr cpu::Features kNeeds = cpu::kBmi2 | cpu::kAdx;
  if ((cpu::features() & kNeeds) != kNeeds || cpu::cap() < cpu::Tier::avx2) return;
  check_field<FieldAdx>();
}

namespace {

/// Four elements in lanes, and what they are modulo p.
struct FourElements {
  Field51::Tight lane[4];
  Integer value[4];
};

/// Limbs that are zero, the highest below the bound, 51 ones, one bit, or random; or all the highest.
FourElements extreme_elements(tests::SeededRng& rng, uint64_t bound, bool all_high) {
  FourElements r;
  for (int i = 0; i < 4; i++) {
    r.value[i] = {};
    for (int j = 5; j-- > 0;) {
      const uint64_t choices[] = {0, bound - 1, (uint64_t{1} << 51) - 1, uint64_t{1} << 51, rng.next_u64() % bound};
      const uint64_t limb = choices[all_high || rng.below(2) ? 1 : rng.below(5)];
      r.lane[i].limb[j] = limb;
      uint8_t bytes[8];
      store_le(bytes, limb);
      for (int k = 0; k < 51; k++) r.value[i] = kField.twice_plus(r.value[i], 0);
      r.value[i] = kField.add(r.value[i], kField.reduce(bytes));
    }
  }
  return r;
}

void check_lanes(const Field51::Tight results[4], const Integer expected[4]) {
  for (int i = 0; i < 4; i++) {
    for (const uint64_t limb : results[i].limb) CHECK(limb < (uint64_t{1} << 51) + (uint64_t{1} << 11));
    CHECK(same<Field51>(results[i], expected[i]));
  }
}

[[QUOLL_IFMA_TARGET]] void four_products(const FourElements& a, const FourElements& b, const FourElements& c,
                                         Field51::Tight out[4]) {
  const auto x = FieldIfma::pack(a.lane[0], a.lane[1], a.lane[2], a.lane[3]);
  const auto y = FieldIfma::pack(b.lane[0], b.lane[1], b.lane[2], b.lane[3]);
  const auto z = FieldIfma::pack(c.lane[0], c.lane[1], c.lane[2], c.lane[3]);
  FieldIfma::unpack(FieldIfma::mul_add(x, y, z), out);
}

[[QUOLL_IFMA_TARGET]] void four_sums(const FourElements& a, Field51::Tight out[4]) {
  const auto x = FieldIfma::pack(a.lane[0], a.lane[1], a.lane[2], a.lane[3]);
  FieldIfma::unpack(FieldIfma::sums_and_differences(x), out);
}

}  // namespace

TEST_CASE("four elements at a time stay below their bounds and agree with slow arithmetic, whatever their limbs") {
  if (!kX25519Ifma.runs_on(cpu::features(), cpu::cap())) return;
  tests::SeededRng rng(tests::test_seed(52));
  for (int i = 0; i < 60; i++) {
    const bool all_high = i == 0;
    // Products take all of 52 bits, sums what products give.
    const auto a = extreme_elements(rng, uint64_t{1} << 52, all_high);
    const auto b = extreme_elements(rng, uint64_t{1} << 52, all_high);
    const auto c = extreme_elements(rng, uint64_t{1} << 52, all_high);
    Field51::Tight results[4];
    Integer expected[4];
    four_products(a, b, c, results);
    for (int k = 0; k < 4; k++) expected[k] = kField.add(kField.mul(a.value[k], b.value[k]), c.value[k]);
    check_lanes(results, expected);
    const auto d = extreme_elements(rng, (uint64_t{1} << 51) + (uint64_t{1} << 11), all_high);
    four_sums(d, results);
    for (int k = 0; k < 4; k += 2) {
      expected[k] = kField.add(d.value[k], d.value[k + 1]);
      expected[k + 1] = kField.sub(d.value[k], d.value[k + 1]);
    }
    check_lanes(results, expected);
  }
}

#endif

TEST_CASE("a scalar is reduced exactly when it is below the order") {
  auto order = tests::from_hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
  CHECK(!is_reduced_scalar25519(order.data()));
  order[0]--;
  CHECK(is_reduced_scalar25519(order.data()));
  order[16] = 1;
  CHECK(!is_reduced_scalar25519(order.data()));
  CHECK(is_reduced_scalar25519(std::vector<uint8_t>(32).data()));
  CHECK(!is_reduced_scalar25519(std::vector<uint8_t>(32, 0xff).data()));
}

TEST_CASE("recoded digits add up to the scalar and keep their bounds") {
  tests::SeededRng rng(tests::test_seed(2));
  const auto signed_digit = [](int digit) {
    const Integer size = integer(static_cast<uint32_t>(std::abs(digit)));
    return digit < 0 ? kField.sub({}, size) : size;
  };
  for (int i = 0; i < 150; i++) {
    auto scalar = rng.bytes(32);
    if (i < 32) scalar.assign(32, 0);
    if (i < 32) scalar[static_cast<size_t>(i)] = 0xff;
    if (i == 32) scalar.assign(32, 0xff);
    scalar[31] &= 0x7f;
    Integer sum{};
    const Radix32Digits digits = radix32_digits(scalar.data());
    for (size_t j = digits.size(); j-- > 0;) {
      for (int k = 0; k < 5; k++) sum = kField.twice_plus(sum, 0);
      CHECK(std::abs(digits[j]) <= 16);
      sum = kField.add(sum, signed_digit(digits[j]));
    }
    CHECK(sum == kField.reduce(scalar));
    scalar[31] &= 0x1f;
    for (const int width : {5, 8}) {
      sum = {};
      const NonAdjacentForm form = non_adjacent_form(scalar.data(), width);
      int since_last = width;
      for (size_t j = form.size(); j-- > 0;) {
        sum = kField.add(kField.twice_plus(sum, 0), signed_digit(form[j]));
        since_last++;
        if (form[j] == 0) continue;
        CHECK(since_last >= width);
        since_last = 0;
        CHECK(form[j] % 2 != 0);
        CHECK(std::abs(form[j]) < 1 << (width - 1));
      }
      CHECK(sum == kField.reduce(scalar));
    }
  }
}

namespace {

const Integer kD =
    SlowModular::from_bytes(tests::from_hex("a3785913ca4deb75abd841414d0a700098e879777940c78c73fe6f2bee6c0352").data());

struct AffinePoint {
  Integer x, y;
  friend bool operator==(const AffinePoint&, const AffinePoint&) = default;
};

/// The point of an entry of the table, after a check that it lies on the curve: y^2 - x^2 = 1 + d x^2 y^2.
AffinePoint affine(const Edwards25519Entry& entry) {
  uint8_t bytes[96];
  for (int i = 0; i < 12; i++) store_le(bytes + 8 * i, entry.words[i]);
  const Integer a = SlowModular::from_bytes(bytes), b = SlowModular::from_bytes(bytes + 32);
  const AffinePoint point{kField.sub(a, b), kField.add(a, b)};
  const Integer xy = kField.mul(point.x, point.y), dxy = kField.mul(kD, xy);
  CHECK(SlowModular::from_bytes(bytes + 64) == dxy);
  const Integer xx = kField.mul(point.x, point.x), yy = kField.mul(point.y, point.y);
  CHECK(kField.sub(yy, xx) == kField.add(integer(1), kField.mul(dxy, xy)));
  return point;
}

/// Whether r = a + b (RFC 8032 §5.1.4), with the denominators multiplied out.
bool is_sum(const AffinePoint& r, const AffinePoint& a, const AffinePoint& b) {
  const Integer xy = kField.mul(a.x, b.y), yx = kField.mul(a.y, b.x);
  const Integer dxy = kField.mul(kD, kField.mul(xy, yx));
  return kField.add(r.x, kField.mul(r.x, dxy)) == kField.add(xy, yx) &&
         kField.sub(r.y, kField.mul(r.y, dxy)) == kField.add(kField.mul(a.y, b.y), kField.mul(a.x, b.x));
}

}  // namespace

TEST_CASE("the table of the base point holds the multiples that it promises") {
  const AffinePoint base = affine(kEdwards25519BaseTable[0][0]);
  CHECK(SlowModular::to_bytes(base.y) ==
        tests::from_hex("5866666666666666666666666666666666666666666666666666666666666666"));
  CHECK((base.x[0] & 1) == 0);
  for (int i = 0; i < kEdwards25519Positions; i++) {
    const AffinePoint start = affine(kEdwards25519BaseTable[i][0]);
    AffinePoint last = start;
    for (int j = 1; j < kEdwards25519Multiples; j++) {
      const AffinePoint next = affine(kEdwards25519BaseTable[i][j]);
      CHECK(is_sum(next, last, start));
      last = next;
    }
    // The next row starts with 2^(10 (i + 1)) times the base point, which the other table and doublings give as well.
    if (i + 1 == kEdwards25519Positions) break;
    using Edwards = Edwards25519<tests::NarrowField>;
    uint8_t scalar[32] = {}, zero[32] = {}, encoding[32];
    scalar[10 * (i + 1) / 8] = static_cast<uint8_t>(1 << 10 * (i + 1) % 8);
    Edwards::encode(encoding, Edwards::multiply_public(zero, Edwards::identity(), scalar));
    AffinePoint row = affine(kEdwards25519BaseTable[i + 1][0]);
    row.y[15] |= (row.x[0] & 1) << 15;
    CHECK(SlowModular::from_bytes(encoding) == row.y);
  }
  const AffinePoint twice = affine(kEdwards25519BaseTable[0][1]);
  AffinePoint last = affine(kEdwards25519OddMultiples[0]);
  CHECK(last == base);
  for (int i = 1; i < kEdwards25519OddMultipleCount; i++) {
    const AffinePoint next = affine(kEdwards25519OddMultiples[i]);
    CHECK(is_sum(next, last, twice));
    last = next;
  }
}
