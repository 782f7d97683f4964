// The portable big-number kernels of RSA, as templates over the multiplier, so that tests reach the one of 32-bit hosts
// too.
//
// Multiplication is word by word with both passes in one loop (FIOS: Koç, Acar, Kaliski, "Analyzing and comparing
// Montgomery multiplication algorithms", 1996). Squaring is multiplication. Constant-time.
#pragma once

#include <algorithm>

#include "crypto/bignum.h"
#include "crypto/ct.h"
#include "crypto/fixed_window.h"
#include "crypto/rsa.h"

namespace quoll::crypto {

template <class Multiplier>
struct PortableRsaKernel {
  struct Scratch {
    uint64_t sum[kModulusLimbsMax + 1];
  };

  static void multiply(uint64_t* r, const uint64_t* a, const uint64_t* b, const MontgomeryModulus& modulus,
                       Scratch& scratch) {
    const size_t limbs = modulus.limbs;
    const uint64_t* const m = modulus.value;
    uint64_t* const t = scratch.sum;
    std::fill_n(t, limbs + 1, 0);
    // Before and after each turn t < a + m < 2 R, so t[limbs] is 0 or 1.
    for (size_t i = 0; i < limbs; i++) {
      bignum::Wide product = Multiplier::multiply_add(a[0], b[i], t[0], 0);
      const uint64_t quotient = product.low * modulus.n0;
      bignum::Wide reduced = Multiplier::multiply_add(quotient, m[0], product.low, 0);  // low half 0
      for (size_t j = 1; j < limbs; j++) {
        product = Multiplier::multiply_add(a[j], b[i], t[j], product.high);
        reduced = Multiplier::multiply_add(quotient, m[j], product.low, reduced.high);
        t[j - 1] = reduced.low;
      }
      uint64_t carry = 0;
      const uint64_t top = bignum::add_with_carry(product.high, reduced.high, carry);
      uint64_t carry_in = 0;
      t[limbs - 1] = bignum::add_with_carry(top, t[limbs], carry_in);
      t[limbs] = carry + carry_in;
    }
    // t < 2 m, as b < m: subtract m when t is at least m.
    const uint64_t borrow = bignum::subtract(r, t, m, limbs);
    const uint64_t keep = ct::mask_less(t[limbs], borrow);
    for (size_t i = 0; i < limbs; i++) r[i] = ct::select(keep, t[i], r[i]);
  }

  static void square(uint64_t* r, const uint64_t* a, const MontgomeryModulus& modulus, Scratch& scratch) {
    multiply(r, a, a, modulus, scratch);
  }

  static void gather(uint64_t* r, const uint64_t* table, size_t stride, size_t limbs, uint64_t index) {
    std::fill_n(r, limbs, 0);
    for (size_t i = 0; i < kWindowEntries; i++) {
      const uint64_t mask = ct::mask_equal(index, i);
      for (size_t j = 0; j < limbs; j++) r[j] |= table[i * stride + j] & mask;
    }
  }

  // The entries of the table.

  static void montgomery_multiply(uint64_t* r, const uint64_t* a, const uint64_t* b, const MontgomeryModulus& modulus) {
    Scratch scratch;
    multiply(r, a, b, modulus, scratch);
    ct::wipe(scratch);
  }

  static void montgomery_square(uint64_t* r, const uint64_t* a, const MontgomeryModulus& modulus) {
    montgomery_multiply(r, a, a, modulus);
  }

  static void exponentiate(const RsaHalf (&halves)[2]) {
    LimbEngine<PortableRsaKernel> engine(halves);
    fixed_window_exponentiate(engine, halves);
  }
};

/// With the multiplier that suits this host.
extern const Rsa kRsaPortable;

}  // namespace quoll::crypto
