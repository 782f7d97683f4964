// The Edwards curve of Ed25519, -x^2 + y^2 = 1 + d x^2 y^2 modulo 2^255 - 19 (RFC 8032 §5.1): points and their
// multiples.
//
// Points are in extended coordinates (RFC 8032 §5.1.4): x = X/Z, y = Y/Z, x y = T/Z. Since -1 is a square and d is
// none, the addition formulas hold for all pairs of points. T costs a product and only additions read it, so every
// operation is told whether its result needs a T; without, T is stale.
//
// multiply_base is constant-time. multiply_public (for verification) takes public data only. A field F of this file is
// one of field25519.h that also has `lookup`, the constant-time choice from a row of the table (PortableLookup is the
// portable one).
#pragma once

#include <cstdint>
#include <cstring>

#include "crypto/portable/edwards25519_table.h"
#include "crypto/portable/field25519.h"
#include "crypto/portable/scalar25519.h"

namespace quoll::crypto {

/// Reads a whole row of the table, whatever the index.
struct PortableLookup {
  /// row[magnitude - 1], and all zeros for magnitude 0; magnitude <= 16.
  static void lookup(uint64_t out[12], const Edwards25519Entry* row, uint64_t magnitude) {
    for (int i = 0; i < 12; i++) out[i] = 0;
    for (uint64_t j = 0; j < kEdwards25519Multiples; j++) {
      const uint64_t mask = ct::mask_equal(j + 1, magnitude);
      for (int i = 0; i < 12; i++) out[i] |= mask & row[j].words[i];
    }
  }
};

template <class F>
struct Edwards25519 {
  using Tight = typename F::Tight;
  using Loose = typename F::Loose;

  struct Point {
    Tight x, y, z, t;
  };

  /// An affine point as ((y + x) / 2, (y - x) / 2, d x y).
  struct Affine {
    Loose sum, difference, product;
  };

  /// A point ready to be added: (Y + X, Y - X, 2 d T, 2 Z).
  struct Cached {
    Loose sum, difference, product, twice_z;
  };

  static constexpr Point identity() { return {F::small(0), F::small(1), F::small(1), F::small(0)}; }

  /// scalar * B for a scalar below 2^255. Constant-time. T is stale.
  ///
  /// The scalar has 52 signed digits in radix 32. Those at odd places are summed first and multiplied by 32, so that
  /// one row of the table, the multiples of 2^(10 i) B, serves two digits.
  static Point multiply_base(const uint8_t scalar[32]) {
    Radix32Digits digits = radix32_digits(scalar);
    Affine entry;
    Point sum = identity();
    for (size_t i = 1; i < 52; i += 2) {
      entry = base_multiple(i / 2, digits[i]);
      add_affine(sum, entry, WithT::yes);
    }
    for (int i = 0; i < 4; i++) double_point(sum, WithT::no);
    double_point(sum, WithT::yes);
    for (size_t i = 0; i < 52; i += 2) {
      entry = base_multiple(i / 2, digits[i]);
      add_affine(sum, entry, i < 50 ? WithT::yes : WithT::no);
    }
    ct::wipe(digits);
    ct::wipe(entry);
    return sum;
  }

  /// a * A + b * B for public scalars below 2^255 and a public point A. Variable time. T is stale.
  static Point multiply_public(const uint8_t a[32], const Point& point, const uint8_t b[32]) {
    const NonAdjacentForm digits_a = non_adjacent_form(a, 5), digits_b = non_adjacent_form(b, 8);
    Cached odd_multiples[8];  // 1, 3, ..., 15 times A
    Point multiple = point;
    odd_multiples[0] = cache(multiple);
    double_point(multiple, WithT::yes);
    const Cached twice = cache(multiple);
    multiple = point;
    for (int i = 1; i < 8; i++) {
      add_cached(multiple, twice, WithT::yes);
      odd_multiples[i] = cache(multiple);
    }
    Point sum = identity();
    int i = 255;
    while (i >= 0 && digits_a[static_cast<size_t>(i)] == 0 && digits_b[static_cast<size_t>(i)] == 0) i--;
    for (; i >= 0; i--) {
      const int digit_a = digits_a[static_cast<size_t>(i)], digit_b = digits_b[static_cast<size_t>(i)];
      double_point(sum, digit_a || digit_b ? WithT::yes : WithT::no);
      if (digit_a) {
        const Cached& entry = odd_multiples[(digit_a < 0 ? -digit_a : digit_a) / 2];
        add_cached(sum, entry, digit_b ? WithT::yes : WithT::no, digit_a < 0 ? Sign::minus : Sign::plus);
      }
      if (digit_b) {
        const Affine entry = affine(kEdwards25519OddMultiples[(digit_b < 0 ? -digit_b : digit_b) / 2].words);
        add_affine(sum, entry, WithT::no, digit_b < 0 ? Sign::minus : Sign::plus);
      }
    }
    return sum;
  }

  /// RFC 8032 §5.1.2: y, with the lowest bit of x on top.
  static void encode(uint8_t out[32], const Point& point) {
    const Tight inverse = field25519::invert<F>(point.z);
    uint8_t x[32];
    field25519::encode<F>(x, F::mul(point.x, inverse));
    field25519::encode<F>(out, F::mul(point.y, inverse));
    out[31] = static_cast<uint8_t>(out[31] | (x[0] & 1) << 7);
  }

  /// RFC 8032 §5.1.3, for a public encoding: false when it is not the canonical encoding of a point.
  static bool decode(Point& out, const uint8_t in[32]) {
    const Tight zero = F::small(0), one = F::small(1);
    const Tight y = field25519::decode<F>(in);
    const uint8_t sign = in[31] >> 7;
    uint8_t canonical[32];
    field25519::encode<F>(canonical, y);
    canonical[31] = static_cast<uint8_t>(canonical[31] | sign << 7);
    if (std::memcmp(canonical, in, 32) != 0) return false;  // y is p or above
    // x^2 = u / v with u = y^2 - 1, v = d y^2 + 1. The candidate root is x = u v^3 (u v^7)^((p-5)/8).
    const Tight y2 = F::square(y);
    const Loose u = F::sub(y2, one);
    const Loose v = F::add(F::mul(constant_d(), y2), one);
    const Tight uv3 = F::mul(F::mul(F::square(v), v), u);
    const Tight v4 = F::square(F::square(v));
    Tight x = F::mul(uv3, field25519::power_for_root<F>(F::mul(uv3, v4)));
    // Then v x^2 is u, or -u (x wants a factor sqrt(-1)), or u / v is no square.
    const Tight vx2 = F::mul(F::square(x), v);
    if (!field25519::mask_equal<F>(vx2, tighten(u))) {
      if (!field25519::mask_equal<F>(tighten(F::add(vx2, tighten(u))), zero)) return false;
      x = F::mul(x, constant_root_of_minus_one());
    }
    uint8_t x_bytes[32];
    field25519::encode<F>(x_bytes, x);
    if ((x_bytes[0] & 1) != sign) {
      if (field25519::mask_equal<F>(x, zero)) return false;  // there is no -0
      x = tighten(F::sub(zero, x));
    }
    out = {x, y, one, F::mul(x, y)};
    return true;
  }

  /// The negative of a point with a valid T.
  static Point negated(const Point& a) {
    return {tighten(F::sub(F::small(0), a.x)), a.y, a.z, tighten(F::sub(F::small(0), a.t))};
  }

 private:
  enum class WithT : bool { no, yes };
  enum class Sign : bool { plus, minus };

  static Tight tighten(const Loose& a) { return F::mul_small(a, 1); }

  static Tight constant_d() {
    constexpr uint64_t kWords[4] = {0x75eb4dca135978a3, 0x00700a4d4141d8ab, 0x8cc740797779e898, 0x52036cee2b6ffe73};
    return F::from_words(kWords);
  }
  static Tight constant_2d() {
    constexpr uint64_t kWords[4] = {0xebd69b9426b2f159, 0x00e0149a8283b156, 0x198e80f2eef3d130, 0x2406d9dc56dffce7};
    return F::from_words(kWords);
  }
  static Tight constant_root_of_minus_one() {
    constexpr uint64_t kWords[4] = {0xc4ee1b274a0ea0b0, 0x2f431806ad2fe478, 0x2b4d00993dfbd7a7, 0x2b8324804fc1df0b};
    return F::from_words(kWords);
  }

  static Affine affine(const uint64_t words[12]) {
    return {F::from_words(words), F::from_words(words + 4), F::from_words(words + 8)};
  }

  /// digit * 2^(10 position) * B, |digit| <= 16. Constant-time.
  static Affine base_multiple(size_t position, int8_t digit) {
    const auto extended = static_cast<uint64_t>(static_cast<int64_t>(digit));
    const uint64_t negative = ct::barrier(0 - (extended >> 63));
    const uint64_t magnitude = (extended ^ negative) - negative;
    uint64_t words[12];
    F::lookup(words, kEdwards25519BaseTable[position], magnitude);
    // The look-up gives zeros for magnitude 0, where the identity wants 1/2 in the first two places.
    const uint64_t none = ct::mask_zero(magnitude);
    for (int i = 0; i < 4; i++) {
      words[i] |= none & kHalf[i];
      words[4 + i] |= none & kHalf[i];
      const uint64_t difference = negative & (words[i] ^ words[4 + i]);
      words[i] ^= difference;
      words[4 + i] ^= difference;
    }
    const Tight product = F::from_words(words + 8);
    Affine entry{F::from_words(words), F::from_words(words + 4),
                 F::select(negative, F::sub(F::small(0), product), product)};
    ct::wipe(words);
    return entry;
  }

  static Cached cache(const Point& a) {
    return {F::add(a.y, a.x), F::sub(a.y, a.x), F::mul(a.t, constant_2d()), F::add(a.z, a.z)};
  }

  /// a = 2 a; T is not read. RFC 8032 §5.1.4 with F and G, E and H negated.
  [[gnu::noinline]] static void double_point(Point& a, WithT with_t) {
    const Tight xx = F::square(a.x), yy = F::square(a.y), zz = F::square(a.z);
    const Tight cross = F::square(F::add(a.x, a.y));
    const Loose h = F::add(yy, xx);
    const Loose g = F::sub(yy, xx);
    const Loose e = F::sub_wide(cross, h);
    const Loose f = F::sub_wide(F::add(zz, zz), g);
    finish(a, {e, f, g, h}, with_t);
  }

  /// a = a + b, or a - b.
  [[gnu::noinline]] static void add_affine(Point& a, const Affine& b, WithT with_t, Sign sign = Sign::plus) {
    add(a, b, a.z, with_t, sign);
  }
  [[gnu::noinline]] static void add_cached(Point& a, const Cached& b, WithT with_t, Sign sign = Sign::plus) {
    add(a, b, F::mul(a.z, b.twice_z), with_t, sign);
  }

  /// RFC 8032 §5.1.4, all four products halved for an affine b. The negative of (x, y) is (-x, y).
  template <class Addend>
  [[gnu::always_inline]] static void add(Point& a, const Addend& b, const Tight& z, WithT with_t, Sign sign) {
    const bool plus = sign == Sign::plus;
    const Tight differences = F::mul(F::sub(a.y, a.x), plus ? b.difference : b.sum);
    const Tight sums = F::mul(F::add(a.y, a.x), plus ? b.sum : b.difference);
    const Tight product = F::mul(a.t, b.product);
    const Loose less = F::sub(z, product), more = F::add(z, product);
    finish(a, {F::sub(sums, differences), plus ? less : more, plus ? more : less, F::add(sums, differences)}, with_t);
  }

  /// The names of RFC 8032 §5.1.4: X3 = E F, Y3 = G H, Z3 = F G, T3 = E H.
  struct Factors {
    Loose e, f, g, h;
  };
  [[gnu::always_inline]] static void finish(Point& out, const Factors& in, WithT with_t) {
    out.x = F::mul(in.e, in.f);
    out.y = F::mul(in.g, in.h);
    out.z = F::mul(in.f, in.g);
    if (with_t == WithT::yes) out.t = F::mul(in.e, in.h);
  }

  static constexpr uint64_t kHalf[4] = {0xfffffffffffffff7, ~uint64_t{0}, ~uint64_t{0}, 0x3fffffffffffffff};
};

}  // namespace quoll::crypto
