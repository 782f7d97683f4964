// Scalar multiplication on the curves of crypto/portable/weierstrass.h: constant-time for secrets, and sums of two
// products for signatures that are public.
//
// Constant time: the scalar is made odd (k or n - k, the result negated to match) and written with odd digits only,
//   k = sum of d_i 2^(W i),  d_i = 2 floor(k / 2^(W i + 1)) mod 2^(W + 1) + 1 - 2^W,  the top digit without the last
//   term.
// No digit is zero, so no addition of infinity is ever needed. The partial sums from the top, v_i = v_(i+1) 2^W + d_i,
// are odd and positive; adding d_i P to v_(i+1) 2^W P meets two equal points only if v_(i+1) 2^W - d_i = n, for v_(i+1)
// 2^W > |d_i| and is below n. That makes v_i = n + 2 d_i, which is close to n and so can only be the last one, k
// itself. Hence the last addition is complete and the others need not be. (Equal and opposite points would make k = n,
// which is out of range.)
#pragma once

#include "crypto/portable/weierstrass.h"

namespace quoll::crypto {

/// One digit of the odd-digit form: d = (2 index + 1), negated where the mask `negative` is set.
struct OddDigit {
  uint64_t index;
  uint64_t negative;
};

template <size_t kWindow, size_t N>
struct OddDigits {
  static constexpr size_t kCount = (64 * N + kWindow - 1) / kWindow;
  static constexpr size_t kTableSize = size_t{1} << (kWindow - 1);
  static_assert(64 * N - (kCount - 1) * kWindow <= kWindow);

  /// Digit i of the odd scalar k; i is public. The top digit is positive.
  static OddDigit digit(const Limbs<N>& k, size_t i) {
    if (i == kCount - 1) return {bits_at(k, i * kWindow, kWindow) >> 1, 0};
    const uint64_t bits = bits_at(k, i * kWindow, kWindow + 1) >> 1;  // d = 2 bits + 1 - 2^W
    const uint64_t negative = ct::mask_less(bits, kTableSize);
    return {ct::select(negative, kTableSize - 1 - bits, bits - kTableSize), negative};
  }
};

/// Makes k odd: k, or n - k where the returned mask is set. 0 < k < n, and n is odd.
template <size_t N>
uint64_t make_odd(Limbs<N>& k, const Limbs<N>& order) {
  Limbs<N> negated;
  subtract_limbs(negated, order, k);
  const uint64_t even = ct::mask_zero(k[0] & 1);
  select_limbs(k, even, negated, k);
  ct::wipe(negated);
  return even;
}

/// p, 3 p, 5 p, ... (2 size - 1) p. Finite p; size is far below the order, so no two points added are equal.
template <class F, size_t kSize>
void odd_multiples(std::array<JacobianPoint<F>, kSize>& table, const JacobianPoint<F>& p) {
  const JacobianPoint<F> doubled = double_point(p);
  table[0] = p;
  for (size_t i = 1; i < kSize; i++) table[i] = add_distinct(table[i - 1], doubled);
}

/// table[index] without an index that the cache would see.
template <class Point, size_t kSize>
void select_from_table(Point& out, const std::array<Point, kSize>& table, uint64_t index) {
  constexpr size_t kWords = sizeof(Point) / sizeof(uint64_t);
  using Words = std::array<uint64_t, kWords>;
  static_assert(sizeof(Words) == sizeof(Point));
  Words sum{};
  for (size_t i = 0; i < kSize; i++) {
    const uint64_t mask = ct::mask_equal(i, index);
    Words entry;
    std::memcpy(&entry, &table[i], sizeof entry);
    for (size_t j = 0; j < kWords; j++) sum[j] |= entry[j] & mask;
  }
  std::memcpy(&out, &sum, sizeof out);
  ct::wipe(sum);
}

/// k p for a secret scalar 0 < k < order and a finite point. `Curve` names the field, the order and the table look-up.
template <class Curve>
JacobianPoint<typename Curve::Field> multiply(Limbs<Curve::kLimbs> k, const AffinePoint<typename Curve::Field>& p) {
  using Point = JacobianPoint<typename Curve::Field>;
  constexpr size_t kWindow = 5;
  using Digits = OddDigits<kWindow, Curve::kLimbs>;

  const uint64_t negate = make_odd(k, Curve::Order::kModulus);
  std::array<Point, Digits::kTableSize> table;
  odd_multiples(table, to_jacobian(p));

  Point sum, addend;
  Curve::look_up(sum, table, Digits::digit(k, Digits::kCount - 1).index);
  for (size_t i = Digits::kCount - 1; i-- > 0;) {
    const OddDigit digit = Digits::digit(k, i);
    Curve::look_up(addend, table, digit.index);
    negate_if(addend, digit.negative);
    for (size_t j = 0; j < kWindow; j++) sum = double_point(sum);
    sum = i == 0 ? add_complete(sum, addend) : add_distinct(sum, addend);
  }
  negate_if(sum, negate);
  ct::wipe(table);
  ct::wipe(addend);
  ct::wipe(k);
  return sum;
}

/// k G from a table with a row for each digit: row i holds the odd multiples of 2^(W i) G, so nothing is doubled.
template <class Curve, class Table>
JacobianPoint<typename Curve::Field> multiply_base_by_table(Limbs<Curve::kLimbs> k, const Table& table) {
  using Digits = OddDigits<Curve::kBaseWindow, Curve::kLimbs>;
  const uint64_t negate = make_odd(k, Curve::Order::kModulus);

  AffinePoint<typename Curve::Field> addend;
  Curve::look_up(addend, table[Digits::kCount - 1], Digits::digit(k, Digits::kCount - 1).index);
  auto sum = to_jacobian(addend);
  for (size_t i = Digits::kCount - 1; i-- > 0;) {
    const OddDigit digit = Digits::digit(k, i);
    Curve::look_up(addend, table[i], digit.index);
    negate_if(addend, digit.negative);
    sum = i == 0 ? add_complete(sum, addend) : add_distinct(sum, addend);
  }
  negate_if(sum, negate);
  ct::wipe(addend);
  ct::wipe(k);
  return sum;
}

/// The non-adjacent form of width W of a public scalar: odd digits |d| < 2^(W - 1), at least W - 1 zeros after each.
template <size_t N>
struct SparseDigits {
  std::array<int8_t, 64 * N + 1> digits{};

  SparseDigits(const Limbs<N>& k, size_t width) {
    uint64_t carry = 0;
    for (size_t i = 0; i < digits.size();) {
      const uint64_t bit = i < 64 * N ? bits_at(k, i, 1) : 0;
      if (bit == carry) {  // bit + carry is even: the digit is zero
        i++;
        continue;
      }
      const uint64_t bits = (i < 64 * N ? bits_at(k, i, width) : 0) + carry;
      carry = bits >> (width - 1);
      digits[i] = static_cast<int8_t>(static_cast<int64_t>(bits) - static_cast<int64_t>(carry << width));
      i += width;
    }
  }
};

/// The width of the digits that a table of `size` odd multiples serves; a power of two.
constexpr size_t width_of(size_t size) { return static_cast<size_t>(std::bit_width(size)) + 1; }

/// sum += digit * (the point whose odd multiples the table holds); public data.
template <class F, class Table>
void add_digit_vartime(JacobianPoint<F>& sum, int digit, const Table& odd_multiples_of_point) {
  if (digit == 0) return;
  auto addend = odd_multiples_of_point[static_cast<size_t>(digit < 0 ? -digit : digit) / 2];
  if (digit < 0) addend.y = -addend.y;
  sum = add_vartime(sum, addend);
}

/// u G + v p for public scalars below the order and a finite point, the doublings shared. Curve::base_multiples() holds
/// the odd multiples of G, a power of two of them.
template <class Curve>
JacobianPoint<typename Curve::Field> multiply_two_vartime(const Limbs<Curve::kLimbs>& u, const Limbs<Curve::kLimbs>& v,
                                                          const AffinePoint<typename Curve::Field>& p) {
  using F = typename Curve::Field;
  const auto base_multiples = Curve::base_multiples();
  std::array<JacobianPoint<F>, 8> multiples;
  odd_multiples(multiples, to_jacobian(p));
  const SparseDigits<Curve::kLimbs> u_digits(u, width_of(base_multiples.size())),
      v_digits(v, width_of(multiples.size()));

  JacobianPoint<F> sum = infinity<F>();
  for (size_t i = u_digits.digits.size(); i-- > 0;) {
    if (!is_infinity_vartime(sum)) sum = double_point(sum);
    add_digit_vartime(sum, v_digits.digits[i], multiples);
    add_digit_vartime(sum, u_digits.digits[i], base_multiples);
  }
  return sum;
}

}  // namespace quoll::crypto
