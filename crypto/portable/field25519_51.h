// Arithmetic modulo p = 2^255 - 19 for hosts with 64x64->128-bit multiplication: five limbs of 51 bits.
//
// An element is the sum of limb[i] * 2^(51 i), any representative of its class. Two types carry the bounds, so that the
// compiler refuses a sum of sums that would overflow a product:
//   Tight   every limb below 2^51 + 2^13: what a product, a square or a decoding gives
//   Loose   every limb below 2^53:        what one addition or subtraction of Tight elements gives; a Tight is a Loose
// Nothing branches on, or indexes with, an element: every function is constant-time.
#pragma once

#include <cstdint>

#include "crypto/ct.h"
#include "crypto/portable/divsteps25519.h"

#ifdef __SIZEOF_INT128__

namespace quoll::crypto {

struct Field51 {
  __extension__ using Wide = unsigned __int128;

  struct Loose {
    uint64_t limb[5];
  };
  struct Tight : Loose {};

  static constexpr Tight small(uint64_t value) { return {{{value, 0, 0, 0, 0}}}; }

  /// The integer below 2^255 in four little-endian words; bit 255 is ignored.
  static constexpr Tight from_words(const uint64_t* w) {
    return {{{w[0] & kMask, (w[0] >> 51 | w[1] << 13) & kMask, (w[1] >> 38 | w[2] << 26) & kMask,
              (w[2] >> 25 | w[3] << 39) & kMask, w[3] >> 12 & kMask}}};
  }

  /// The representative in [0, p).
  static void to_words(uint64_t* w, const Tight& a) {
    // a < 2^255 + 2^218 < 2p, so a >= p exactly when a + 19 reaches 2^255; the quotient is 0 or 1.
    uint64_t quotient = (a.limb[0] + 19) >> 51;
    for (int i = 1; i < 5; i++) quotient = (a.limb[i] + quotient) >> 51;
    uint64_t limb[5];
    uint64_t carry = 19 * quotient;
    for (int i = 0; i < 5; i++) {
      limb[i] = a.limb[i] + carry;
      carry = limb[i] >> 51;
      limb[i] &= kMask;
    }
    w[0] = limb[0] | limb[1] << 51;
    w[1] = limb[1] >> 13 | limb[2] << 38;
    w[2] = limb[2] >> 26 | limb[3] << 25;
    w[3] = limb[3] >> 39 | limb[4] << 12;
  }

  /// Limbs below 2 * (2^51 + 2^13) < 2^53.
  static Loose add(const Tight& a, const Tight& b) {
    Loose r;
    for (int i = 0; i < 5; i++) r.limb[i] = a.limb[i] + b.limb[i];
    return r;
  }

  /// a + 2p - b. The limbs of 2p are 2^52 - 38 and 2^52 - 2, above those of b, so none borrows; the result is below
  /// 2^52 + 2^51 + 2^13 < 2^53.
  static Loose sub(const Tight& a, const Tight& b) {
    Loose r;
    for (int i = 0; i < 5; i++) r.limb[i] = a.limb[i] + 2 * kP[i] - b.limb[i];
    return r;
  }

  /// a + 8p - b, carried. The limbs of 8p are at least 2^54 - 152, above those of b; the sum is below 2^55.
  static Tight sub_wide(const Loose& a, const Loose& b) {
    Tight r;
    uint64_t carry = 0;
    for (int i = 0; i < 5; i++) {
      const uint64_t sum = a.limb[i] + 8 * kP[i] - b.limb[i] + carry;
      carry = sum >> 51;
      r.limb[i] = sum & kMask;
    }
    r.limb[0] += 19 * carry;  // carry < 2^4
    return r;
  }

  static Tight mul(const Loose& a, const Loose& b) {
    const uint64_t* x = a.limb;
    const uint64_t* y = b.limb;
    // 19 y < 2^58. A column is at most 1 + 4 * 19 = 77 products below 2^106: below 2^113.
    const uint64_t y1 = 19 * y[1], y2 = 19 * y[2], y3 = 19 * y[3], y4 = 19 * y[4];
    return carry({Wide{x[0]} * y[0] + Wide{x[1]} * y4 + Wide{x[2]} * y3 + Wide{x[3]} * y2 + Wide{x[4]} * y1,
                  Wide{x[0]} * y[1] + Wide{x[1]} * y[0] + Wide{x[2]} * y4 + Wide{x[3]} * y3 + Wide{x[4]} * y2,
                  Wide{x[0]} * y[2] + Wide{x[1]} * y[1] + Wide{x[2]} * y[0] + Wide{x[3]} * y4 + Wide{x[4]} * y3,
                  Wide{x[0]} * y[3] + Wide{x[1]} * y[2] + Wide{x[2]} * y[1] + Wide{x[3]} * y[0] + Wide{x[4]} * y4,
                  Wide{x[0]} * y[4] + Wide{x[1]} * y[3] + Wide{x[2]} * y[2] + Wide{x[3]} * y[1] + Wide{x[4]} * y[0]});
  }

  static Tight square(const Loose& a) {
    const uint64_t* x = a.limb;
    const uint64_t d0 = 2 * x[0], d1 = 2 * x[1], d2 = 2 * x[2];
    const uint64_t x3 = 19 * x[3], x4 = 19 * x[4];
    return carry({Wide{x[0]} * x[0] + Wide{d1} * x4 + Wide{d2} * x3, Wide{d0} * x[1] + Wide{d2} * x4 + Wide{x[3]} * x3,
                  Wide{d0} * x[2] + Wide{x[1]} * x[1] + Wide{2 * x[3]} * x4,
                  Wide{d0} * x[3] + Wide{d1} * x[2] + Wide{x[4]} * x4,
                  Wide{d0} * x[4] + Wide{d1} * x[3] + Wide{x[2]} * x[2]});
  }

  /// factor < 2^32.
  static Tight mul_small(const Loose& a, uint32_t factor) {
    Columns r;
    for (int i = 0; i < 5; i++) r.column[i] = Wide{a.limb[i]} * factor;
    return carry(r);
  }

  /// 1 / a, and 0 for 0.
  static Tight invert(const Tight& a) {
    uint64_t words[4];
    to_words(words, a);
    Divsteps25519::invert(words, words);
    const Tight inverse = from_words(words);
    ct::wipe(words);
    return inverse;
  }

  /// mask all ones: a, else b.
  static Loose select(uint64_t mask, const Loose& a, const Loose& b) {
    Loose r;
    for (int i = 0; i < 5; i++) r.limb[i] = ct::select(mask, a.limb[i], b.limb[i]);
    return r;
  }

 private:
  static constexpr uint64_t kMask = (uint64_t{1} << 51) - 1;
  static constexpr uint64_t kP[5] = {kMask - 18, kMask, kMask, kMask, kMask};

  struct Columns {
    Wide column[5];
  };

  /// Columns below 2^114, the last one (which has no factor 19) below 2^110.
  static Tight carry(const Columns& c) {
    Tight r;
    Wide sum = c.column[0];
    r.limb[0] = static_cast<uint64_t>(sum) & kMask;
    for (int i = 1; i < 5; i++) {
      sum = c.column[i] + static_cast<uint64_t>(sum >> 51);  // the carry is below 2^63
      r.limb[i] = static_cast<uint64_t>(sum) & kMask;
    }
    // The last carry is below 2^59 + 1, so 19 of it below 2^63.3; what goes on to limb 1 is below 2^13.
    r.limb[0] += 19 * static_cast<uint64_t>(sum >> 51);
    r.limb[1] += r.limb[0] >> 51;
    r.limb[0] &= kMask;
    return r;
  }
};

}  // namespace quoll::crypto

#endif
