// Residues modulo an odd number in Montgomery's form: the value v is held as v * R mod m, R = 2^(64 N).
//
// MontgomeryArithmetic does the work on limbs: coarsely integrated operand scanning, any modulus. A faster arithmetic
// for one modulus derives from it and hides what it does better (crypto/x86/p256_field.h). Residue gives an arithmetic
// the look of a number. Invariant: the limbs of a Residue are always below the modulus, so each value has one
// representation; every operation takes and gives such limbs. Everything is constant-time; only names that say vartime
// are not.
#pragma once

#include "crypto/portable/limbs.h"

namespace quoll::crypto {

/// What Montgomery's form needs of a modulus, computed by the compiler.
template <size_t N>
struct MontgomeryConstants {
  Limbs<N> modulus;
  uint64_t negated_inverse;  // -m^-1 mod 2^64
  Limbs<N> r;                // R mod m, the form of 1
  Limbs<N> r_squared;        // R^2 mod m, which brings a value into the form
  Limbs<N> r_cubed;          // R^3 mod m, which does so with the inverse of a value in the form

  consteval explicit MontgomeryConstants(const Limbs<N>& m)
      : modulus(m), negated_inverse(1), r{1}, r_squared{}, r_cubed{} {
    for (int i = 0; i < 6; i++) negated_inverse *= 2 + m[0] * negated_inverse;  // Newton: doubles the correct bits
    times_r(r);
    r_squared = r;
    times_r(r_squared);
    r_cubed = r_squared;
    times_r(r_cubed);
  }

 private:
  consteval void times_r(Limbs<N>& a) const {
    for (size_t i = 0; i < 64 * N; i++) {
      const uint64_t carry = add_limbs(a, a, a);
      Limbs<N> difference{};
      const uint64_t borrow = subtract_limbs(difference, a, modulus);
      if (carry || !borrow) a = difference;
    }
  }
};

/// `Modulus` has a constant kModulus.
template <class Modulus, class Multiply = DefaultMultiply>
struct MontgomeryArithmetic {
  static constexpr auto kConstants = MontgomeryConstants(Modulus::kModulus);
  static constexpr size_t kLimbs = Modulus::kModulus.size();
  using L = Limbs<kLimbs>;

  /// r = a b / R mod m. Limbs of a and b below m; so the sum before the last subtraction is below 2 m.
  static void multiply(L& r, const L& a, const L& b) {
    constexpr const L& m = kConstants.modulus;
    L t{};
    uint64_t top = 0;  // the limb above t, 0 or 1
    for (size_t i = 0; i < kLimbs; i++) {
      uint64_t carry = 0;
      for (size_t j = 0; j < kLimbs; j++) t[j] = Multiply::multiply_add(a[j], b[i], t[j], carry);
      uint64_t overflow = 0;
      top = add_carry(top, carry, overflow);
      const uint64_t factor = t[0] * kConstants.negated_inverse;
      carry = 0;
      (void)Multiply::multiply_add(factor, m[0], t[0], carry);
      for (size_t j = 1; j < kLimbs; j++) t[j - 1] = Multiply::multiply_add(factor, m[j], t[j], carry);
      uint64_t last = 0;
      t[kLimbs - 1] = add_carry(top, carry, last);
      top = overflow + last;
    }
    reduce_once(r, t, top, m);
    ct::wipe(t);
  }

  static void square(L& r, const L& a) { multiply(r, a, a); }

  static void add(L& r, const L& a, const L& b) {
    L sum;
    const uint64_t carry = add_limbs(sum, a, b);
    reduce_once(r, sum, carry, kConstants.modulus);
  }

  static void subtract(L& r, const L& a, const L& b) {
    L difference, corrected;
    const uint64_t borrow = subtract_limbs(difference, a, b);
    add_limbs(corrected, difference, kConstants.modulus);
    select_limbs(r, ct::mask_nonzero(borrow), corrected, difference);
  }

  /// r = 1 / a, and 0 for 0, both in Montgomery's form: a^(m - 2), Fermat; the modulus is prime. Four bits at a time.
  static void invert(L& r, const L& a) {
    L powers[16];
    powers[0] = kConstants.r;
    for (size_t i = 1; i < 16; i++) multiply(powers[i], powers[i - 1], a);
    constexpr L exponent = [] {
      L e = kConstants.modulus;
      e[0] -= 2;  // no borrow: the low limbs of the moduli are far above 2
      return e;
    }();
    L result = kConstants.r;
    for (size_t position = 64 * kLimbs; position > 0; position -= 4) {
      for (int i = 0; i < 4; i++) square(result, result);
      multiply(result, result, powers[bits_at(exponent, position - 4, 4)]);  // the exponent is public
    }
    r = result;
    ct::wipe(result);
    ct::wipe(powers);
  }

  static void invert_vartime(L& r, const L& a) { invert(r, a); }
};

/// A number modulo Arithmetic's modulus.
template <class Arithmetic>
class Residue {
 public:
  static constexpr size_t kLimbs = Arithmetic::kLimbs;
  static constexpr size_t kBytes = 8 * kLimbs;
  using L = Limbs<kLimbs>;

  Residue() = default;

  static constexpr const L& modulus() { return Arithmetic::kConstants.modulus; }
  static constexpr Residue zero() { return Residue(L{}); }
  static constexpr Residue one() { return Residue(Arithmetic::kConstants.r); }

  /// `value` is below the modulus.
  static Residue from_limbs(const L& value) {
    Residue result;
    Arithmetic::multiply(result.limbs_, value, Arithmetic::kConstants.r_squared);
    return result;
  }

  /// Limbs that are in Montgomery's form already, below the modulus.
  static constexpr Residue from_montgomery(const L& limbs) { return Residue(limbs); }
  constexpr const L& montgomery_limbs() const { return limbs_; }

  /// The number itself, below the modulus.
  L to_limbs() const {
    constexpr L one_limb = {1};
    L value;
    Arithmetic::multiply(value, limbs_, one_limb);
    return value;
  }

  friend Residue operator*(const Residue& a, const Residue& b) {
    Residue result;
    Arithmetic::multiply(result.limbs_, a.limbs_, b.limbs_);
    return result;
  }
  friend Residue operator+(const Residue& a, const Residue& b) {
    Residue result;
    Arithmetic::add(result.limbs_, a.limbs_, b.limbs_);
    return result;
  }
  friend Residue operator-(const Residue& a, const Residue& b) {
    Residue result;
    Arithmetic::subtract(result.limbs_, a.limbs_, b.limbs_);
    return result;
  }
  friend Residue operator-(const Residue& a) { return zero() - a; }
  friend Residue square(const Residue& a) {
    Residue result;
    Arithmetic::square(result.limbs_, a.limbs_);
    return result;
  }
  friend Residue twice(const Residue& a) { return a + a; }

  /// 1 / a, and 0 for 0.
  friend Residue inverse(const Residue& a) {
    Residue result;
    Arithmetic::invert(result.limbs_, a.limbs_);
    return result;
  }
  friend Residue inverse_vartime(const Residue& a) {
    Residue result;
    Arithmetic::invert_vartime(result.limbs_, a.limbs_);
    return result;
  }

  friend uint64_t mask_zero(const Residue& a) { return mask_zero_limbs(a.limbs_); }
  friend uint64_t mask_equal(const Residue& a, const Residue& b) {
    uint64_t difference = 0;
    for (size_t i = 0; i < kLimbs; i++) difference |= a.limbs_[i] ^ b.limbs_[i];
    return ct::mask_zero(difference);
  }
  friend Residue select(uint64_t mask, const Residue& a, const Residue& b) {
    Residue result;
    select_limbs(result.limbs_, mask, a.limbs_, b.limbs_);
    return result;
  }

 private:
  constexpr explicit Residue(const L& limbs) : limbs_(limbs) {}

  L limbs_;
};

}  // namespace quoll::crypto
