// Arithmetic modulo p = 2^255 - 19 with mulx, adcx and adox (BMI2 and ADX): four saturated limbs of 64 bits.
//
// An element is any integer of its class below 2^256, little-endian. Two types carry the bounds of field25519.h:
//   Tight   below 2^255 + 2^38: what a product, a square or a decoding gives
//   Loose   below 2^256:        any four words; what a sum or difference gives; a Tight is a Loose
// Reductions rest on 2^256 = 38 and 2^255 = 19 modulo p. The products are inline assembly because compilers do not keep
// two carry chains apart; the rest of this file is what happens between them. Nothing branches on, or indexes with, an
// element: every function is constant-time. The caller must know that the processor has BMI2 and ADX.
#pragma once

#include <cstdint>

#include "crypto/ct.h"
#include "crypto/portable/divsteps25519.h"

namespace quoll::crypto {

struct FieldAdx {
  struct Loose {
    uint64_t limb[4];
  };
  struct Tight : Loose {};

  static constexpr Tight small(uint64_t value) { return {{{value, 0, 0, 0}}}; }

  /// The integer below 2^255 in four little-endian words; bit 255 is ignored.
  static constexpr Tight from_words(const uint64_t* w) { return {{{w[0], w[1], w[2], w[3] & kLow63}}}; }

  /// The representative in [0, p).
  static void to_words(uint64_t* w, const Tight& a) {
    // a < 2p, so a >= p exactly when a + 19 reaches 2^255; then the result is a + 19 - 2^255.
    uint64_t sum[4] = {19, 0, 0, 0};
    uint64_t carry = 0;
    for (int i = 0; i < 4; i++) {
      const uint64_t partial = a.limb[i] + carry;
      const uint64_t first = partial < carry;
      sum[i] += partial;
      carry = first | (sum[i] < partial);
    }
    const uint64_t above = 0 - (carry | sum[3] >> 63);
    sum[3] &= kLow63;
    for (int i = 0; i < 4; i++) w[i] = ct::select(above, sum[i], a.limb[i]);
  }

  /// A carry out leaves less than 2^39, to which 38 is added without a further carry.
  [[gnu::always_inline]] static Loose add(const Tight& a, const Tight& b) {
    uint64_t r0 = a.limb[0], r1 = a.limb[1], r2 = a.limb[2], r3 = a.limb[3], fold;
    __asm__(
        "addq (%[b]), %[r0]\n\t"
        "adcq 8(%[b]), %[r1]\n\t"
        "adcq 16(%[b]), %[r2]\n\t"
        "adcq 24(%[b]), %[r3]\n\t"
        "sbbq %[fold], %[fold]\n\t"
        "andl $38, %k[fold]\n\t"
        "addq %[fold], %[r0]\n\t"
        : [r0] "+&r"(r0), [r1] "+&r"(r1), [r2] "+&r"(r2), [r3] "+&r"(r3), [fold] "=&r"(fold)
        : [b] "r"(b.limb)
        : "cc", "memory");
    return {{r0, r1, r2, r3}};
  }

  /// A borrow leaves at least 2^255 - 2^38, from which 38 is taken without a further borrow.
  [[gnu::always_inline]] static Loose sub(const Tight& a, const Tight& b) {
    uint64_t r0 = a.limb[0], r1 = a.limb[1], r2 = a.limb[2], r3 = a.limb[3], fold;
    __asm__(
        "subq (%[b]), %[r0]\n\t"
        "sbbq 8(%[b]), %[r1]\n\t"
        "sbbq 16(%[b]), %[r2]\n\t"
        "sbbq 24(%[b]), %[r3]\n\t"
        "sbbq %[fold], %[fold]\n\t"
        "andl $38, %k[fold]\n\t"
        "subq %[fold], %[r0]\n\t"
        "sbbq $0, %[r1]\n\t"
        "sbbq $0, %[r2]\n\t"
        "sbbq $0, %[r3]\n\t"
        : [r0] "+&r"(r0), [r1] "+&r"(r1), [r2] "+&r"(r2), [r3] "+&r"(r3), [fold] "=&r"(fold)
        : [b] "r"(b.limb)
        : "cc", "memory");
    return {{r0, r1, r2, r3}};
  }

  /// Any two words' worth: the second fold meets a value above 2^256 - 38, so it takes 38 without a further borrow.
  [[gnu::always_inline]] static Loose sub_wide(const Loose& a, const Loose& b) {
    uint64_t r0 = a.limb[0], r1 = a.limb[1], r2 = a.limb[2], r3 = a.limb[3], fold;
    __asm__(
        "subq (%[b]), %[r0]\n\t"
        "sbbq 8(%[b]), %[r1]\n\t"
        "sbbq 16(%[b]), %[r2]\n\t"
        "sbbq 24(%[b]), %[r3]\n\t"
        "sbbq %[fold], %[fold]\n\t"
        "andl $38, %k[fold]\n\t"
        "subq %[fold], %[r0]\n\t"
        "sbbq $0, %[r1]\n\t"
        "sbbq $0, %[r2]\n\t"
        "sbbq $0, %[r3]\n\t"
        "sbbq %[fold], %[fold]\n\t"
        "andl $38, %k[fold]\n\t"
        "subq %[fold], %[r0]\n\t"
        : [r0] "+&r"(r0), [r1] "+&r"(r1), [r2] "+&r"(r2), [r3] "+&r"(r3), [fold] "=&r"(fold)
        : [b] "r"(b.limb)
        : "cc", "memory");
    return {{r0, r1, r2, r3}};
  }

  /// Row by row: the low halves of a row go along the carry chain of CF, the high halves along that of OF.
  [[gnu::always_inline]] static Tight mul(const Loose& a, const Loose& b) {
    Product p;
    uint64_t t0, t1;
    __asm__(
        "movq (%[b]), %%rdx\n\t"
        "mulxq (%[a]), %[p0], %[p1]\n\t"
        "mulxq 8(%[a]), %[t0], %[p2]\n\t"
        "addq %[t0], %[p1]\n\t"
        "mulxq 16(%[a]), %[t0], %[p3]\n\t"
        "adcq %[t0], %[p2]\n\t"
        "mulxq 24(%[a]), %[t0], %[p4]\n\t"
        "adcq %[t0], %[p3]\n\t"
        "adcq $0, %[p4]\n\t"

        "movq 8(%[b]), %%rdx\n\t"
        "xorl %k[t0], %k[t0]\n\t"
        "mulxq (%[a]), %[t0], %[t1]\n\t"
        "adcxq %[t0], %[p1]\n\t"
        "adoxq %[t1], %[p2]\n\t"
        "mulxq 8(%[a]), %[t0], %[t1]\n\t"
        "adcxq %[t0], %[p2]\n\t"
        "adoxq %[t1], %[p3]\n\t"
        "mulxq 16(%[a]), %[t0], %[t1]\n\t"
        "adcxq %[t0], %[p3]\n\t"
        "adoxq %[t1], %[p4]\n\t"
        "mulxq 24(%[a]), %[t0], %[p5]\n\t"
        "adcxq %[t0], %[p4]\n\t"
        "movl $0, %k[t0]\n\t"
        "adoxq %[t0], %[p5]\n\t"
        "adcxq %[t0], %[p5]\n\t"

        "movq 16(%[b]), %%rdx\n\t"
        "xorl %k[t0], %k[t0]\n\t"
        "mulxq (%[a]), %[t0], %[t1]\n\t"
        "adcxq %[t0], %[p2]\n\t"
        "adoxq %[t1], %[p3]\n\t"
        "mulxq 8(%[a]), %[t0], %[t1]\n\t"
        "adcxq %[t0], %[p3]\n\t"
        "adoxq %[t1], %[p4]\n\t"
        "mulxq 16(%[a]), %[t0], %[t1]\n\t"
        "adcxq %[t0], %[p4]\n\t"
        "adoxq %[t1], %[p5]\n\t"
        "mulxq 24(%[a]), %[t0], %[p6]\n\t"
        "adcxq %[t0], %[p5]\n\t"
        "movl $0, %k[t0]\n\t"
        "adoxq %[t0], %[p6]\n\t"
        "adcxq %[t0], %[p6]\n\t"

        "movq 24(%[b]), %%rdx\n\t"
        "xorl %k[t0], %k[t0]\n\t"
        "mulxq (%[a]), %[t0], %[t1]\n\t"
        "adcxq %[t0], %[p3]\n\t"
        "adoxq %[t1], %[p4]\n\t"
        "mulxq 8(%[a]), %[t0], %[t1]\n\t"
        "adcxq %[t0], %[p4]\n\t"
        "adoxq %[t1], %[p5]\n\t"
        "mulxq 16(%[a]), %[t0], %[t1]\n\t"
        "adcxq %[t0], %[p5]\n\t"
        "adoxq %[t1], %[p6]\n\t"
        "mulxq 24(%[a]), %[t0], %[p7]\n\t"
        "adcxq %[t0], %[p6]\n\t"
        "movl $0, %k[t0]\n\t"
        "adoxq %[t0], %[p7]\n\t"
        "adcxq %[t0], %[p7]\n\t"
        : [p0] "=&r"(p.word[0]), [p1] "=&r"(p.word[1]), [p2] "=&r"(p.word[2]), [p3] "=&r"(p.word[3]),
          [p4] "=&r"(p.word[4]), [p5] "=&r"(p.word[5]), [p6] "=&r"(p.word[6]), [p7] "=&r"(p.word[7]), [t0] "=&r"(t0),
          [t1] "=&r"(t1)
        : [a] "r"(a.limb), [b] "r"(b.limb)
        : "rdx", "cc", "memory");
    return reduce(p);
  }

  /// The six products of different limbs, then doubled along the chain of OF while the squares come in along that of
  /// CF.
  [[gnu::always_inline]] static Tight square(const Loose& a) {
    Product p;
    uint64_t t0, t1;
    __asm__(
        "movq (%[a]), %%rdx\n\t"
        "xorl %k[t0], %k[t0]\n\t"
        "mulxq 8(%[a]), %[p1], %[p2]\n\t"
        "mulxq 16(%[a]), %[t0], %[p3]\n\t"
        "adcxq %[t0], %[p2]\n\t"
        "mulxq 24(%[a]), %[t0], %[p4]\n\t"
        "adcxq %[t0], %[p3]\n\t"
        "movq 8(%[a]), %%rdx\n\t"
        "mulxq 16(%[a]), %[t0], %[t1]\n\t"
        "adoxq %[t0], %[p3]\n\t"
        "adoxq %[t1], %[p4]\n\t"
        "mulxq 24(%[a]), %[t0], %[p5]\n\t"
        "adcxq %[t0], %[p4]\n\t"
        "movq 16(%[a]), %%rdx\n\t"
        "mulxq 24(%[a]), %[t0], %[p6]\n\t"
        "adcxq %[t0], %[p5]\n\t"
        "movl $0, %k[t0]\n\t"
        "adoxq %[t0], %[p5]\n\t"
        "adcxq %[t0], %[p6]\n\t"
        "adoxq %[t0], %[p6]\n\t"

        "xorl %k[t0], %k[t0]\n\t"
        "movq (%[a]), %%rdx\n\t"
        "mulxq %%rdx, %[p0], %[t1]\n\t"
        "adoxq %[p1], %[p1]\n\t"
        "adcxq %[t1], %[p1]\n\t"
        "movq 8(%[a]), %%rdx\n\t"
        "mulxq %%rdx, %[t0], %[t1]\n\t"
        "adoxq %[p2], %[p2]\n\t"
        "adcxq %[t0], %[p2]\n\t"
        "adoxq %[p3], %[p3]\n\t"
        "adcxq %[t1], %[p3]\n\t"
        "movq 16(%[a]), %%rdx\n\t"
        "mulxq %%rdx, %[t0], %[t1]\n\t"
        "adoxq %[p4], %[p4]\n\t"
        "adcxq %[t0], %[p4]\n\t"
        "adoxq %[p5], %[p5]\n\t"
        "adcxq %[t1], %[p5]\n\t"
        "movq 24(%[a]), %%rdx\n\t"
        "mulxq %%rdx, %[t0], %[p7]\n\t"
        "adoxq %[p6], %[p6]\n\t"
        "adcxq %[t0], %[p6]\n\t"
        "movl $0, %k[t0]\n\t"
        "adoxq %[t0], %[p7]\n\t"
        "adcxq %[t0], %[p7]\n\t"
        : [p0] "=&r"(p.word[0]), [p1] "=&r"(p.word[1]), [p2] "=&r"(p.word[2]), [p3] "=&r"(p.word[3]),
          [p4] "=&r"(p.word[4]), [p5] "=&r"(p.word[5]), [p6] "=&r"(p.word[6]), [p7] "=&r"(p.word[7]), [t0] "=&r"(t0),
          [t1] "=&r"(t1)
        : [a] "r"(a.limb)
        : "rdx", "cc", "memory");
    return reduce(p);
  }

  /// factor < 2^32.
  [[gnu::always_inline]] static Tight mul_small(const Loose& a, uint32_t factor) {
    uint64_t r0, r1, r2, r3, top, t0;
    __asm__(
        "mulxq (%[a]), %[r0], %[r1]\n\t"
        "mulxq 8(%[a]), %[t0], %[r2]\n\t"
        "addq %[t0], %[r1]\n\t"
        "mulxq 16(%[a]), %[t0], %[r3]\n\t"
        "adcq %[t0], %[r2]\n\t"
        "mulxq 24(%[a]), %[t0], %[top]\n\t"
        "adcq %[t0], %[r3]\n\t"
        "adcq $0, %[top]\n\t"
        : [r0] "=&r"(r0), [r1] "=&r"(r1), [r2] "=&r"(r2), [r3] "=&r"(r3), [top] "=&r"(top), [t0] "=&r"(t0)
        : [a] "r"(a.limb), "d"(uint64_t{factor})
        : "cc", "memory");
    return fold_top(r0, r1, r2, r3, top);
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
    for (int i = 0; i < 4; i++) r.limb[i] = ct::select(mask, a.limb[i], b.limb[i]);
    return r;
  }

 private:
  static constexpr uint64_t kLow63 = ~uint64_t{0} >> 1;

  struct Product {
    uint64_t word[8];
  };

  /// low + 38 high, below 2^256 * 39, then the top.
  [[gnu::always_inline]] static Tight reduce(const Product& p) {
    uint64_t r0 = p.word[0], r1 = p.word[1], r2 = p.word[2], r3 = p.word[3], top, t0, t1;
    __asm__(
        "xorl %k[t0], %k[t0]\n\t"
        "mulxq %[p4], %[t0], %[t1]\n\t"
        "adcxq %[t0], %[r0]\n\t"
        "adoxq %[t1], %[r1]\n\t"
        "mulxq %[p5], %[t0], %[t1]\n\t"
        "adcxq %[t0], %[r1]\n\t"
        "adoxq %[t1], %[r2]\n\t"
        "mulxq %[p6], %[t0], %[t1]\n\t"
        "adcxq %[t0], %[r2]\n\t"
        "adoxq %[t1], %[r3]\n\t"
        "mulxq %[p7], %[t0], %[top]\n\t"
        "adcxq %[t0], %[r3]\n\t"
        "movl $0, %k[t0]\n\t"
        "adoxq %[t0], %[top]\n\t"
        "adcxq %[t0], %[top]\n\t"
        :
        [r0] "+&r"(r0), [r1] "+&r"(r1), [r2] "+&r"(r2), [r3] "+&r"(r3), [top] "=&r"(top), [t0] "=&r"(t0), [t1] "=&r"(t1)
        : [p4] "r"(p.word[4]), [p5] "r"(p.word[5]), [p6] "r"(p.word[6]), [p7] "r"(p.word[7]), "d"(uint64_t{38})
        : "cc");
    return fold_top(r0, r1, r2, r3, top);
  }

  /// The bits from 255 on, times 19, added to the rest. From reduce(), top is at most 38, so the sum is below
  /// 2^255 + 19 * 78; from mul_small(), top is below its factor and so below 2^32: the excess is below 19 * 2^33 <
  /// 2^38.
  [[gnu::always_inline]] static Tight fold_top(uint64_t r0, uint64_t r1, uint64_t r2, uint64_t r3, uint64_t top) {
    uint64_t excess = (top << 1 | r3 >> 63) * 19;
    r3 &= kLow63;
    __asm__(
        "addq %[excess], %[r0]\n\t"
        "adcq $0, %[r1]\n\t"
        "adcq $0, %[r2]\n\t"
        "adcq $0, %[r3]\n\t"
        : [r0] "+&r"(r0), [r1] "+&r"(r1), [r2] "+&r"(r2), [r3] "+&r"(r3)
        : [excess] "r"(excess)
        : "cc");
    return {{{r0, r1, r2, r3}}};
  }
};

}  // namespace quoll::crypto
