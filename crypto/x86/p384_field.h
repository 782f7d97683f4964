// Arithmetic modulo the prime of P-384 with mulx, adcx and adox.
//
// p = 2^384 - 2^128 - 2^96 + 2^32 - 1, and -p^-1 mod 2^64 = 2^32 + 1: the factor of a Montgomery step on the lowest
// limb t0 is w = t0 + (t0 << 32) mod 2^64. Adding w p is adding w 2^384 and subtracting w (2^128 + 2^96 - 2^32 + 1);
// the latter's limbs are c0 = 2^64 - 2^32 + 1, c1 = 2^32 - 1 and 1, and the lower half of w c0 is t0 itself, so it
// cancels and need not be computed. Limbs are below p before and after every operation. Constant-time: no branch, no
// index. In an unnamed namespace, so that the constants are addressed without a register.
#pragma once

#include "crypto/portable/montgomery.h"
#include "crypto/portable/nist_curves.h"

namespace quoll::crypto::x86 {
namespace {

struct P384Arithmetic : MontgomeryArithmetic<P384::Prime> {
  static constexpr uint64_t kP0 = P384::Prime::kModulus[0];
  static constexpr uint64_t kP1 = P384::Prime::kModulus[1];
  static constexpr uint64_t kC0 = 0xffffffff00000001;
  static constexpr uint64_t kC1 = 0x00000000ffffffff;

  /// Operand scanning, a reduction step after each row. Between rows the sum is below 2 p: six limbs and a bit. A row
  /// can carry beyond seven limbs (p is so close to 2^384 that 2^64 p + p is not below 2^448): z holds that bit.
  [[gnu::noinline]] static void multiply(L& r, const L& a, const L& b) {
    uint64_t t0, t1, t2, t3, t4, t5, t6, x, y, z;
    __asm__(
        // t = a b[0].
        "movq 0(%[b]), %%rdx\n\t"
        "mulxq 0(%[a]), %[t0], %[t1]\n\t"
        "mulxq 8(%[a]), %[x], %[t2]\n\t"
        "addq %[x], %[t1]\n\t"
        "mulxq 16(%[a]), %[x], %[t3]\n\t"
        "adcq %[x], %[t2]\n\t"
        "mulxq 24(%[a]), %[x], %[t4]\n\t"
        "adcq %[x], %[t3]\n\t"
        "mulxq 32(%[a]), %[x], %[t5]\n\t"
        "adcq %[x], %[t4]\n\t"
        "mulxq 40(%[a]), %[x], %[t6]\n\t"
        "adcq %[x], %[t5]\n\t"
        "adcq $0, %[t6]\n\t"
        // Reduction by the lowest limb, w in rdx.
        "movq %[t0], %%rdx\n\t"
        "shlq $32, %%rdx\n\t"
        "addq %[t0], %%rdx\n\t"
        "mulxq %[c0], %[x], %[y]\n\t"
        "mulxq %[c1], %[x], %[t0]\n\t"
        "addq %[x], %[y]\n\t"
        "adcq %%rdx, %[t0]\n\t"
        "movl $0, %k[x]\n\t"
        "adcq $0, %[x]\n\t"
        "subq %[y], %[t1]\n\t"
        "sbbq %[t0], %[t2]\n\t"
        "sbbq %[x], %[t3]\n\t"
        "sbbq $0, %[t4]\n\t"
        "sbbq $0, %[t5]\n\t"
        "sbbq $0, %%rdx\n\t"
        "movl $0, %k[t0]\n\t"
        "addq %%rdx, %[t6]\n\t"
        "adcq $0, %[t0]\n\t"
        // t += a b[1].
        "movq 8(%[b]), %%rdx\n\t"
        "xorl %k[x], %k[x]\n\t"
        "mulxq 0(%[a]), %[x], %[y]\n\t"
        "adcxq %[x], %[t1]\n\t"
        "adoxq %[y], %[t2]\n\t"
        "mulxq 8(%[a]), %[x], %[y]\n\t"
        "adcxq %[x], %[t2]\n\t"
        "adoxq %[y], %[t3]\n\t"
        "mulxq 16(%[a]), %[x], %[y]\n\t"
        "adcxq %[x], %[t3]\n\t"
        "adoxq %[y], %[t4]\n\t"
        "mulxq 24(%[a]), %[x], %[y]\n\t"
        "adcxq %[x], %[t4]\n\t"
        "adoxq %[y], %[t5]\n\t"
        "mulxq 32(%[a]), %[x], %[y]\n\t"
        "adcxq %[x], %[t5]\n\t"
        "adoxq %[y], %[t6]\n\t"
        "mulxq 40(%[a]), %[x], %[y]\n\t"
        "adcxq %[x], %[t6]\n\t"
        "adoxq %[y], %[t0]\n\t"
        "movl $0, %k[x]\n\t"
        "movl $0, %k[z]\n\t"
        "adcxq %[x], %[t0]\n\t"
        "adcxq %[x], %[z]\n\t"
        "adoxq %[x], %[z]\n\t"
        // Reduction by the lowest limb, w in rdx.
        "movq %[t1], %%rdx\n\t"
        "shlq $32, %%rdx\n\t"
        "addq %[t1], %%rdx\n\t"
        "mulxq %[c0], %[x], %[y]\n\t"
        "mulxq %[c1], %[x], %[t1]\n\t"
        "addq %[x], %[y]\n\t"
        "adcq %%rdx, %[t1]\n\t"
        "movl $0, %k[x]\n\t"
        "adcq $0, %[x]\n\t"
        "subq %[y], %[t2]\n\t"
        "sbbq %[t1], %[t3]\n\t"
        "sbbq %[x], %[t4]\n\t"
        "sbbq $0, %[t5]\n\t"
        "sbbq $0, %[t6]\n\t"
        "sbbq $0, %%rdx\n\t"
        "movl $0, %k[t1]\n\t"
        "addq %%rdx, %[t0]\n\t"
        "adcq %[z], %[t1]\n\t"
        // t += a b[2].
        "movq 16(%[b]), %%rdx\n\t"
        "xorl %k[x], %k[x]\n\t"
        "mulxq 0(%[a]), %[x], %[y]\n\t"
        "adcxq %[x], %[t2]\n\t"
        "adoxq %[y], %[t3]\n\t"
        "mulxq 8(%[a]), %[x], %[y]\n\t"
        "adcxq %[x], %[t3]\n\t"
        "adoxq %[y], %[t4]\n\t"
        "mulxq 16(%[a]), %[x], %[y]\n\t"
        "adcxq %[x], %[t4]\n\t"
        "adoxq %[y], %[t5]\n\t"
        "mulxq 24(%[a]), %[x], %[y]\n\t"
        "adcxq %[x], %[t5]\n\t"
        "adoxq %[y], %[t6]\n\t"
        "mulxq 32(%[a]), %[x], %[y]\n\t"
        "adcxq %[x], %[t6]\n\t"
        "adoxq %[y], %[t0]\n\t"
        "mulxq 40(%[a]), %[x], %[y]\n\t"
        "adcxq %[x], %[t0]\n\t"
        "adoxq %[y], %[t1]\n\t"
        "movl $0, %k[x]\n\t"
        "movl $0, %k[z]\n\t"
        "adcxq %[x], %[t1]\n\t"
        "adcxq %[x], %[z]\n\t"
        "adoxq %[x], %[z]\n\t"
        // Reduction by the lowest limb, w in rdx.
        "movq %[t2], %%rdx\n\t"
        "shlq $32, %%rdx\n\t"
        "addq %[t2], %%rdx\n\t"
        "mulxq %[c0], %[x], %[y]\n\t"
        "mulxq %[c1], %[x], %[t2]\n\t"
        "addq %[x], %[y]\n\t"
        "adcq %%rdx, %[t2]\n\t"
        "movl $0, %k[x]\n\t"
        "adcq $0, %[x]\n\t"
        "subq %[y], %[t3]\n\t"
        "sbbq %[t2], %[t4]\n\t"
        "sbbq %[x], %[t5]\n\t"
        "sbbq $0, %[t6]\n\t"
        "sbbq $0, %[t0]\n\t"
        "sbbq $0, %%rdx\n\t"
        "movl $0, %k[t2]\n\t"
        "addq %%rdx, %[t1]\n\t"
        "adcq %[z], %[t2]\n\t"
        // t += a b[3].
        "movq 24(%[b]), %%rdx\n\t"
        "xorl %k[x], %k[x]\n\t"
        "mulxq 0(%[a]), %[x], %[y]\n\t"
        "adcxq %[x], %[t3]\n\t"
        "adoxq %[y], %[t4]\n\t"
        "mulxq 8(%[a]), %[x], %[y]\n\t"
        "adcxq %[x], %[t4]\n\t"
        "adoxq %[y], %[t5]\n\t"
        "mulxq 16(%[a]), %[x], %[y]\n\t"
        "adcxq %[x], %[t5]\n\t"
        "adoxq %[y], %[t6]\n\t"
        "mulxq 24(%[a]), %[x], %[y]\n\t"
        "adcxq %[x], %[t6]\n\t"
        "adoxq %[y], %[t0]\n\t"
        "mulxq 32(%[a]), %[x], %[y]\n\t"
        "adcxq %[x], %[t0]\n\t"
        "adoxq %[y], %[t1]\n\t"
        "mulxq 40(%[a]), %[x], %[y]\n\t"
        "adcxq %[x], %[t1]\n\t"
        "adoxq %[y], %[t2]\n\t"
        "movl $0, %k[x]\n\t"
        "movl $0, %k[z]\n\t"
        "adcxq %[x], %[t2]\n\t"
        "adcxq %[x], %[z]\n\t"
        "adoxq %[x], %[z]\n\t"
        // Reduction by the lowest limb, w in rdx.
        "movq %[t3], %%rdx\n\t"
        "shlq $32, %%rdx\n\t"
        "addq %[t3], %%rdx\n\t"
        "mulxq %[c0], %[x], %[y]\n\t"
        "mulxq %[c1], %[x], %[t3]\n\t"
        "addq %[x], %[y]\n\t"
        "adcq %%rdx, %[t3]\n\t"
        "movl $0, %k[x]\n\t"
        "adcq $0, %[x]\n\t"
        "subq %[y], %[t4]\n\t"
        "sbbq %[t3], %[t5]\n\t"
        "sbbq %[x], %[t6]\n\t"
        "sbbq $0, %[t0]\n\t"
        "sbbq $0, %[t1]\n\t"
        "sbbq $0, %%rdx\n\t"
        "movl $0, %k[t3]\n\t"
        "addq %%rdx, %[t2]\n\t"
        "adcq %[z], %[t3]\n\t"
        // t += a b[4].
        "movq 32(%[b]), %%rdx\n\t"
        "xorl %k[x], %k[x]\n\t"
        "mulxq 0(%[a]), %[x], %[y]\n\t"
        "adcxq %[x], %[t4]\n\t"
        "adoxq %[y], %[t5]\n\t"
        "mulxq 8(%[a]), %[x], %[y]\n\t"
        "adcxq %[x], %[t5]\n\t"
        "adoxq %[y], %[t6]\n\t"
        "mulxq 16(%[a]), %[x], %[y]\n\t"
        "adcxq %[x], %[t6]\n\t"
        "adoxq %[y], %[t0]\n\t"
        "mulxq 24(%[a]), %[x], %[y]\n\t"
        "adcxq %[x], %[t0]\n\t"
        "adoxq %[y], %[t1]\n\t"
        "mulxq 32(%[a]), %[x], %[y]\n\t"
        "adcxq %[x], %[t1]\n\t"
        "adoxq %[y], %[t2]\n\t"
        "mulxq 40(%[a]), %[x], %[y]\n\t"
        "adcxq %[x], %[t2]\n\t"
        "adoxq %[y], %[t3]\n\t"
        "movl $0, %k[x]\n\t"
        "movl $0, %k[z]\n\t"
        "adcxq %[x], %[t3]\n\t"
        "adcxq %[x], %[z]\n\t"
        "adoxq %[x], %[z]\n\t"
        // Reduction by the lowest limb, w in rdx.
        "movq %[t4], %%rdx\n\t"
        "shlq $32, %%rdx\n\t"
        "addq %[t4], %%rdx\n\t"
        "mulxq %[c0], %[x], %[y]\n\t"
        "mulxq %[c1], %[x], %[t4]\n\t"
        "addq %[x], %[y]\n\t"
        "adcq %%rdx, %[t4]\n\t"
        "movl $0, %k[x]\n\t"
        "adcq $0, %[x]\n\t"
        "subq %[y], %[t5]\n\t"
        "sbbq %[t4], %[t6]\n\t"
        "sbbq %[x], %[t0]\n\t"
        "sbbq $0, %[t1]\n\t"
        "sbbq $0, %[t2]\n\t"
        "sbbq $0, %%rdx\n\t"
        "movl $0, %k[t4]\n\t"
        "addq %%rdx, %[t3]\n\t"
        "adcq %[z], %[t4]\n\t"
        // t += a b[5].
        "movq 40(%[b]), %%rdx\n\t"
        "xorl %k[x], %k[x]\n\t"
        "mulxq 0(%[a]), %[x], %[y]\n\t"
        "adcxq %[x], %[t5]\n\t"
        "adoxq %[y], %[t6]\n\t"
        "mulxq 8(%[a]), %[x], %[y]\n\t"
        "adcxq %[x], %[t6]\n\t"
        "adoxq %[y], %[t0]\n\t"
        "mulxq 16(%[a]), %[x], %[y]\n\t"
        "adcxq %[x], %[t0]\n\t"
        "adoxq %[y], %[t1]\n\t"
        "mulxq 24(%[a]), %[x], %[y]\n\t"
        "adcxq %[x], %[t1]\n\t"
        "adoxq %[y], %[t2]\n\t"
        "mulxq 32(%[a]), %[x], %[y]\n\t"
        "adcxq %[x], %[t2]\n\t"
        "adoxq %[y], %[t3]\n\t"
        "mulxq 40(%[a]), %[x], %[y]\n\t"
        "adcxq %[x], %[t3]\n\t"
        "adoxq %[y], %[t4]\n\t"
        "movl $0, %k[x]\n\t"
        "movl $0, %k[z]\n\t"
        "adcxq %[x], %[t4]\n\t"
        "adcxq %[x], %[z]\n\t"
        "adoxq %[x], %[z]\n\t"
        // Reduction by the lowest limb, w in rdx.
        "movq %[t5], %%rdx\n\t"
        "shlq $32, %%rdx\n\t"
        "addq %[t5], %%rdx\n\t"
        "mulxq %[c0], %[x], %[y]\n\t"
        "mulxq %[c1], %[x], %[t5]\n\t"
        "addq %[x], %[y]\n\t"
        "adcq %%rdx, %[t5]\n\t"
        "movl $0, %k[x]\n\t"
        "adcq $0, %[x]\n\t"
        "subq %[y], %[t6]\n\t"
        "sbbq %[t5], %[t0]\n\t"
        "sbbq %[x], %[t1]\n\t"
        "sbbq $0, %[t2]\n\t"
        "sbbq $0, %[t3]\n\t"
        "sbbq $0, %%rdx\n\t"
        "movl $0, %k[t5]\n\t"
        "addq %%rdx, %[t4]\n\t"
        "adcq %[z], %[t5]\n\t"
        // The result is below 2 p, its highest bit in t5: subtract p, and add it back where that borrowed.
        "subq %[p0], %[t6]\n\t"
        "sbbq %[p1], %[t0]\n\t"
        "sbbq $-2, %[t1]\n\t"
        "sbbq $-1, %[t2]\n\t"
        "sbbq $-1, %[t3]\n\t"
        "sbbq $-1, %[t4]\n\t"
        "sbbq $0, %[t5]\n\t"
        "movl %k[t5], %k[x]\n\t"
        "movq %[t5], %[y]\n\t"
        "shlq $32, %[y]\n\t"
        "addq %[x], %[t6]\n\t"
        "adcq %[y], %[t0]\n\t"
        "leaq (%[t5],%[t5]), %[x]\n\t"
        "adcq %[x], %[t1]\n\t"
        "adcq %[t5], %[t2]\n\t"
        "adcq %[t5], %[t3]\n\t"
        "adcq %[t5], %[t4]\n\t"
        : [t0] "=&r"(t0), [t1] "=&r"(t1), [t2] "=&r"(t2), [t3] "=&r"(t3), [t4] "=&r"(t4), [t5] "=&r"(t5),
          [t6] "=&r"(t6), [x] "=&r"(x), [y] "=&r"(y), [z] "=&r"(z)
        : [a] "r"(a.data()), [b] "r"(b.data()), [p0] "m"(kP0), [p1] "m"(kP1), [c0] "m"(kC0), [c1] "m"(kC1)
        : "rdx", "cc", "memory");
    r = {t6, t0, t1, t2, t3, t4};
  }

  static void square(L& r, const L& a) { multiply(r, a, a); }

  [[gnu::always_inline]] static inline void add(L& r, const L& a, const L& b) {
    uint64_t t0 = a[0], t1 = a[1], t2 = a[2], t3 = a[3], t4 = a[4], t5 = a[5], top, x, y;
    __asm__(
        "xorl %k[top], %k[top]\n\t"
        "addq 0(%[b]), %[t0]\n\t"
        "adcq 8(%[b]), %[t1]\n\t"
        "adcq 16(%[b]), %[t2]\n\t"
        "adcq 24(%[b]), %[t3]\n\t"
        "adcq 32(%[b]), %[t4]\n\t"
        "adcq 40(%[b]), %[t5]\n\t"
        "adcq $0, %[top]\n\t"
        // Subtract p, and add it back where that borrowed.
        "subq %[p0], %[t0]\n\t"
        "sbbq %[p1], %[t1]\n\t"
        "sbbq $-2, %[t2]\n\t"
        "sbbq $-1, %[t3]\n\t"
        "sbbq $-1, %[t4]\n\t"
        "sbbq $-1, %[t5]\n\t"
        "sbbq $0, %[top]\n\t"
        "movl %k[top], %k[x]\n\t"
        "movq %[top], %[y]\n\t"
        "shlq $32, %[y]\n\t"
        "addq %[x], %[t0]\n\t"
        "adcq %[y], %[t1]\n\t"
        "leaq (%[top],%[top]), %[x]\n\t"
        "adcq %[x], %[t2]\n\t"
        "adcq %[top], %[t3]\n\t"
        "adcq %[top], %[t4]\n\t"
        "adcq %[top], %[t5]\n\t"
        : [t0] "+&r"(t0), [t1] "+&r"(t1), [t2] "+&r"(t2), [t3] "+&r"(t3), [t4] "+&r"(t4), [t5] "+&r"(t5),
          [top] "=&r"(top), [x] "=&r"(x), [y] "=&r"(y)
        : [b] "r"(b.data()), [p0] "m"(kP0), [p1] "m"(kP1)
        : "cc", "memory");
    r = {t0, t1, t2, t3, t4, t5};
  }

  [[gnu::always_inline]] static inline void subtract(L& r, const L& a, const L& b) {
    uint64_t t0 = a[0], t1 = a[1], t2 = a[2], t3 = a[3], t4 = a[4], t5 = a[5], top, x, y;
    __asm__(
        "subq 0(%[b]), %[t0]\n\t"
        "sbbq 8(%[b]), %[t1]\n\t"
        "sbbq 16(%[b]), %[t2]\n\t"
        "sbbq 24(%[b]), %[t3]\n\t"
        "sbbq 32(%[b]), %[t4]\n\t"
        "sbbq 40(%[b]), %[t5]\n\t"
        // Add p where that borrowed.
        "sbbq %[top], %[top]\n\t"
        "movl %k[top], %k[x]\n\t"
        "movq %[top], %[y]\n\t"
        "shlq $32, %[y]\n\t"
        "addq %[x], %[t0]\n\t"
        "adcq %[y], %[t1]\n\t"
        "leaq (%[top],%[top]), %[x]\n\t"
        "adcq %[x], %[t2]\n\t"
        "adcq %[top], %[t3]\n\t"
        "adcq %[top], %[t4]\n\t"
        "adcq %[top], %[t5]\n\t"
        : [t0] "+&r"(t0), [t1] "+&r"(t1), [t2] "+&r"(t2), [t3] "+&r"(t3), [t4] "+&r"(t4), [t5] "+&r"(t5),
          [top] "=&r"(top), [x] "=&r"(x), [y] "=&r"(y)
        : [b] "r"(b.data())
        : "cc", "memory");
    r = {t0, t1, t2, t3, t4, t5};
  }

  [[gnu::always_inline]] static inline void halve(L& r, const L& a) {
    uint64_t t0 = a[0], t1 = a[1], t2 = a[2], t3 = a[3], t4 = a[4], t5 = a[5], top, x, y;
    __asm__(
        // Add p where a is odd, and shift the carry in.
        "movl %k[t0], %k[top]\n\t"
        "andl $1, %k[top]\n\t"
        "negq %[top]\n\t"
        "movl %k[top], %k[x]\n\t"
        "movq %[top], %[y]\n\t"
        "shlq $32, %[y]\n\t"
        "addq %[x], %[t0]\n\t"
        "adcq %[y], %[t1]\n\t"
        "leaq (%[top],%[top]), %[x]\n\t"
        "adcq %[x], %[t2]\n\t"
        "adcq %[top], %[t3]\n\t"
        "adcq %[top], %[t4]\n\t"
        "adcq %[top], %[t5]\n\t"
        "rcrq $1, %[t5]\n\t"
        "rcrq $1, %[t4]\n\t"
        "rcrq $1, %[t3]\n\t"
        "rcrq $1, %[t2]\n\t"
        "rcrq $1, %[t1]\n\t"
        "rcrq $1, %[t0]\n\t"
        : [t0] "+&r"(t0), [t1] "+&r"(t1), [t2] "+&r"(t2), [t3] "+&r"(t3), [t4] "+&r"(t4), [t5] "+&r"(t5),
          [top] "=&r"(top), [x] "=&r"(x), [y] "=&r"(y)
        :
        : "cc");
    r = {t0, t1, t2, t3, t4, t5};
  }
};

}  // namespace
}  // namespace quoll::crypto::x86
