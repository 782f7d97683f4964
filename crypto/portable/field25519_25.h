// Arithmetic modulo p = 2^255 - 19 for 32-bit hosts: ten limbs of alternately 26 and 25 bits.
//
// An element is the sum of limb[i] * 2^ceil(25.5 i), any representative of its class. Two types carry the bounds, so
// that the compiler refuses a sum of sums that would overflow a product; with B = 2^26 for even and 2^25 for odd limbs:
//   Tight   every limb below 1.1 B: what a product, a square or a decoding gives
//   Loose   every limb below 3.3 B: what one addition or subtraction of Tight elements gives; a Tight is a Loose
// Only 32x32->64-bit products are used. Nothing branches on, or indexes with, an element: every function is
// constant-time.
#pragma once

#include <cstdint>

#include "crypto/ct.h"

namespace quoll::crypto {

struct Field25 {
  struct Loose {
    uint32_t limb[10];
  };
  struct Tight : Loose {};

  static constexpr Tight small(uint32_t value) { return {{{value, 0, 0, 0, 0, 0, 0, 0, 0, 0}}}; }

  /// The integer below 2^255 in four little-endian words; bit 255 is ignored.
  static constexpr Tight from_words(const uint64_t* w) {
    Tight r{};
    for (int i = 0; i < 10; i++) {
      const int at = position(i) / 64, shift = position(i) % 64;
      uint64_t bits = w[at] >> shift;
      if (shift + width(i) > 64) bits |= w[at + 1] << (64 - shift);
      r.limb[i] = static_cast<uint32_t>(bits & mask(i));
    }
    return r;
  }

  /// The representative in [0, p).
  static void to_words(uint64_t* w, const Tight& a) {
    // a < 1.2 * 2^255 < 2p, so a >= p exactly when a + 19 reaches 2^255; the quotient is 0 or 1.
    uint32_t quotient = (a.limb[0] + 19) >> 26;
    for (int i = 1; i < 10; i++) quotient = (a.limb[i] + quotient) >> width(i);
    uint32_t carry = 19 * quotient;
    w[0] = w[1] = w[2] = w[3] = 0;
    for (int i = 0; i < 10; i++) {
      const uint32_t sum = a.limb[i] + carry;
      carry = sum >> width(i);
      const uint64_t limb = sum & mask(i);
      const int at = position(i) / 64, shift = position(i) % 64;
      w[at] |= limb << shift;
      if (shift + width(i) > 64) w[at + 1] |= limb >> (64 - shift);
    }
  }

  /// Limbs below 2.2 B.
  static Loose add(const Tight& a, const Tight& b) {
    Loose r;
    for (int i = 0; i < 10; i++) r.limb[i] = a.limb[i] + b.limb[i];
    return r;
  }

  /// a + 2p - b. The limbs of 2p are about 2 B, above those of b, so none borrows; the result is below 3.1 B.
  static Loose sub(const Tight& a, const Tight& b) {
    Loose r;
    for (int i = 0; i < 10; i++) r.limb[i] = a.limb[i] + 2 * p(i) - b.limb[i];
    return r;
  }

  /// a + 4p - b, carried. The limbs of 4p are about 4 B, above those of b; the sum is below 7.3 B < 2^29.
  static Tight sub_wide(const Loose& a, const Loose& b) {
    Tight r;
    uint32_t carry = 0;
    for (int i = 0; i < 10; i++) {
      const uint32_t sum = a.limb[i] + 4 * p(i) - b.limb[i] + carry;
      carry = sum >> width(i);
      r.limb[i] = sum & mask(i);
    }
    r.limb[0] += 19 * carry;  // carry < 2^4
    return r;
  }

  static Tight mul(const Loose& a, const Loose& b) {
    // 19 b < 19 * 3.3 * 2^26 < 2^32. Two odd limbs meet half a bit above their column, hence the factor 2. The largest
    // column, the first, is below 3.3^2 * 2^52 * (1 + 19 * (4 + 5/2)) < 2^63.
    uint64_t column[10] = {};
    for (int i = 0; i < 10; i++) {
      for (int j = 0; j < 10; j++) {
        const uint32_t twice = i % 2 == 1 && j % 2 == 1 ? 2 : 1;
        const uint32_t wrap = i + j >= 10 ? 19 : 1;
        column[(i + j) % 10] += uint64_t{twice * a.limb[i]} * (wrap * b.limb[j]);
      }
    }
    return carry(column);
  }

  static Tight square(const Loose& a) {
    // As mul(a, a), with the products of two different limbs taken once and doubled: 4 a < 4 * 3.3 * 2^26 < 2^30.
    uint64_t column[10] = {};
    for (int i = 0; i < 10; i++) {
      for (int j = i; j < 10; j++) {
        const uint32_t times = (i % 2 == 1 && j % 2 == 1 ? 2u : 1u) * (i == j ? 1u : 2u);
        const uint32_t wrap = i + j >= 10 ? 19 : 1;
        column[(i + j) % 10] += uint64_t{times * a.limb[i]} * (wrap * a.limb[j]);
      }
    }
    return carry(column);
  }

  /// factor < 2^32.
  static Tight mul_small(const Loose& a, uint32_t factor) {
    uint64_t column[10];
    for (int i = 0; i < 10; i++) column[i] = uint64_t{a.limb[i]} * factor;
    return carry(column);
  }

  /// mask all ones: a, else b.
  static Loose select(uint64_t mask, const Loose& a, const Loose& b) {
    const auto narrow = ct::barrier(static_cast<uint32_t>(mask));
    Loose r;
    for (int i = 0; i < 10; i++) r.limb[i] = b.limb[i] ^ (narrow & (a.limb[i] ^ b.limb[i]));
    return r;
  }

 private:
  static constexpr int width(int i) { return 26 - i % 2; }
  static constexpr int position(int i) { return (51 * i + 1) / 2; }
  static constexpr uint32_t mask(int i) { return (uint32_t{1} << width(i)) - 1; }
  static constexpr uint32_t p(int i) { return i == 0 ? mask(0) - 18 : mask(i); }

  /// Columns below 2^63, the last one (which has no factor 19) below 2^58.
  static Tight carry(const uint64_t* column) {
    Tight r;
    uint64_t carry = 0;
    for (int i = 0; i < 10; i++) {
      const uint64_t sum = column[i] + carry;
      carry = sum >> width(i);
      r.limb[i] = static_cast<uint32_t>(sum) & mask(i);
    }
    // The last carry is below 2^34 (2^33 + 2^32 for mul_small), so 19 of it below 2^39; limb 1 grows by less than 2^13.
    const uint64_t first = r.limb[0] + 19 * carry;
    r.limb[0] = static_cast<uint32_t>(first) & mask(0);
    r.limb[1] += static_cast<uint32_t>(first >> 26);
    return r;
  }
};

}  // namespace quoll::crypto
