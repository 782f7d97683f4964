// Arithmetic modulo the prime of P-256 with mulx, adcx and adox.
//
// p = 2^256 - 2^224 + 2^192 + 2^96 - 1 has the limbs 2^64 - 1, 2^32 - 1, 0 and 2^64 - 2^32 + 1, so -p^-1 mod 2^64 is 1:
// the factor m of a Montgomery step is the lowest limb t0 itself, and t0 + m p[0] is m 2^64. With the m 2^64 carried
// into m p[1] the step is: t1 += m << 32, t2 += m >> 32, (t4, t3) += m p[3]: two shifts and one multiplication. The
// lower half of a product is reduced in this way beside the additions that still build the upper half, which shortens
// the critical path. Limbs are below p before and after every operation. Constant-time: no branch, no index. In an
// unnamed namespace, so that the constants are addressed without a register.
#pragma once

#include "crypto/portable/montgomery.h"
#include "crypto/portable/nist_curves.h"

namespace quoll::crypto::x86 {
namespace {

struct P256Arithmetic : MontgomeryArithmetic<P256::Prime> {
  static constexpr uint64_t kP1 = P256::Prime::kModulus[1];
  static constexpr uint64_t kP3 = P256::Prime::kModulus[3];

  [[gnu::always_inline]] static inline void multiply(L& r, const L& a, const L& b) {
    uint64_t t0, t1, t2, t3, t4, t5, t6, t7, x, y;
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
        "adcq $0, %[t4]\n\t"
        // t += a b[1].
        "movq 8(%[b]), %%rdx\n\t"
        "xorl %k[t5], %k[t5]\n\t"
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
        "movl $0, %k[x]\n\t"
        "adcxq %[x], %[t5]\n\t"
        // t += a b[2].
        "movq 16(%[b]), %%rdx\n\t"
        "xorl %k[t6], %k[t6]\n\t"
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
        "movl $0, %k[x]\n\t"
        "adcxq %[x], %[t6]\n\t"
        // t += a b[3].
        "movq 24(%[b]), %%rdx\n\t"
        "xorl %k[t7], %k[t7]\n\t"
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
        "adoxq %[y], %[t7]\n\t"
        "movl $0, %k[x]\n\t"
        "adcxq %[x], %[t7]\n\t"
        // m = t0; add m p, whose upper half takes the place of t0.
        "movq %[t0], %%rdx\n\t"
        "movq %[t0], %[y]\n\t"
        "shlq $32, %[t0]\n\t"
        "shrq $32, %[y]\n\t"
        "addq %[t0], %[t1]\n\t"
        "adcq %[y], %[t2]\n\t"
        "mulxq %[p3], %[x], %[t0]\n\t"
        "adcq %[x], %[t3]\n\t"
        "adcq $0, %[t0]\n\t"
        // m = t1.
        "movq %[t1], %%rdx\n\t"
        "movq %[t1], %[y]\n\t"
        "shlq $32, %[t1]\n\t"
        "shrq $32, %[y]\n\t"
        "addq %[t1], %[t2]\n\t"
        "adcq %[y], %[t3]\n\t"
        "mulxq %[p3], %[x], %[t1]\n\t"
        "adcq %[x], %[t0]\n\t"
        "adcq $0, %[t1]\n\t"
        // m = t2.
        "movq %[t2], %%rdx\n\t"
        "movq %[t2], %[y]\n\t"
        "shlq $32, %[t2]\n\t"
        "shrq $32, %[y]\n\t"
        "addq %[t2], %[t3]\n\t"
        "adcq %[y], %[t0]\n\t"
        "mulxq %[p3], %[x], %[t2]\n\t"
        "adcq %[x], %[t1]\n\t"
        "adcq $0, %[t2]\n\t"
        // m = t3.
        "movq %[t3], %%rdx\n\t"
        "movq %[t3], %[y]\n\t"
        "shlq $32, %[t3]\n\t"
        "shrq $32, %[y]\n\t"
        "addq %[t3], %[t0]\n\t"
        "adcq %[y], %[t1]\n\t"
        "mulxq %[p3], %[x], %[t3]\n\t"
        "adcq %[x], %[t2]\n\t"
        "adcq $0, %[t3]\n\t"
        // The upper half of the product; the sum is below 2 p.
        "xorl %k[x], %k[x]\n\t"
        "addq %[t4], %[t0]\n\t"
        "adcq %[t5], %[t1]\n\t"
        "adcq %[t6], %[t2]\n\t"
        "adcq %[t7], %[t3]\n\t"
        "adcq $0, %[x]\n\t"
        // Subtract p unless that borrows.
        "movq %[t0], %[t4]\n\t"
        "movq %[t1], %[t5]\n\t"
        "movq %[t2], %[t6]\n\t"
        "movq %[t3], %[t7]\n\t"
        "subq $-1, %[t4]\n\t"
        "sbbq %[p1], %[t5]\n\t"
        "sbbq $0, %[t6]\n\t"
        "sbbq %[p3], %[t7]\n\t"
        "sbbq $0, %[x]\n\t"
        "cmovcq %[t0], %[t4]\n\t"
        "cmovcq %[t1], %[t5]\n\t"
        "cmovcq %[t2], %[t6]\n\t"
        "cmovcq %[t3], %[t7]\n\t"
        : [t0] "=&r"(t0), [t1] "=&r"(t1), [t2] "=&r"(t2), [t3] "=&r"(t3), [t4] "=&r"(t4), [t5] "=&r"(t5),
          [t6] "=&r"(t6), [t7] "=&r"(t7), [x] "=&r"(x), [y] "=&r"(y)
        : [a] "r"(a.data()), [b] "r"(b.data()), [p1] "m"(kP1), [p3] "m"(kP3)
        : "rdx", "cc", "memory");
    r = {t4, t5, t6, t7};
  }

  [[gnu::always_inline]] static inline void square(L& r, const L& a) {
    uint64_t t0, t1, t2, t3, t4, t5, t6, t7, x, y;
    __asm__(
        // The products of different limbs, in t1..t6.
        "movq 0(%[a]), %%rdx\n\t"
        "mulxq 8(%[a]), %[t1], %[t2]\n\t"
        "mulxq 16(%[a]), %[x], %[t3]\n\t"
        "addq %[x], %[t2]\n\t"
        "mulxq 24(%[a]), %[x], %[t4]\n\t"
        "adcq %[x], %[t3]\n\t"
        "adcq $0, %[t4]\n\t"
        "movq 8(%[a]), %%rdx\n\t"
        "xorl %k[t5], %k[t5]\n\t"
        "mulxq 16(%[a]), %[x], %[y]\n\t"
        "adcxq %[x], %[t3]\n\t"
        "adoxq %[y], %[t4]\n\t"
        "mulxq 24(%[a]), %[x], %[y]\n\t"
        "adcxq %[x], %[t4]\n\t"
        "adoxq %[y], %[t5]\n\t"
        "movl $0, %k[x]\n\t"
        "adcxq %[x], %[t5]\n\t"
        "movq 16(%[a]), %%rdx\n\t"
        "mulxq 24(%[a]), %[x], %[t6]\n\t"
        "addq %[x], %[t5]\n\t"
        "adcq $0, %[t6]\n\t"
        // Twice that, and the squares.
        "movq 0(%[a]), %%rdx\n\t"
        "xorl %k[t7], %k[t7]\n\t"
        "mulxq %%rdx, %[t0], %[x]\n\t"
        "adcxq %[t1], %[t1]\n\t"
        "adoxq %[x], %[t1]\n\t"
        "movq 8(%[a]), %%rdx\n\t"
        "mulxq %%rdx, %[x], %[y]\n\t"
        "adcxq %[t2], %[t2]\n\t"
        "adoxq %[x], %[t2]\n\t"
        "adcxq %[t3], %[t3]\n\t"
        "adoxq %[y], %[t3]\n\t"
        "movq 16(%[a]), %%rdx\n\t"
        "mulxq %%rdx, %[x], %[y]\n\t"
        "adcxq %[t4], %[t4]\n\t"
        "adoxq %[x], %[t4]\n\t"
        "adcxq %[t5], %[t5]\n\t"
        "adoxq %[y], %[t5]\n\t"
        "movq 24(%[a]), %%rdx\n\t"
        "mulxq %%rdx, %[x], %[y]\n\t"
        "adcxq %[t6], %[t6]\n\t"
        "adoxq %[x], %[t6]\n\t"
        "adcxq %[t7], %[t7]\n\t"
        "adoxq %[y], %[t7]\n\t"
        // m = t0; add m p, whose upper half takes the place of t0.
        "movq %[t0], %%rdx\n\t"
        "movq %[t0], %[y]\n\t"
        "shlq $32, %[t0]\n\t"
        "shrq $32, %[y]\n\t"
        "addq %[t0], %[t1]\n\t"
        "adcq %[y], %[t2]\n\t"
        "mulxq %[p3], %[x], %[t0]\n\t"
        "adcq %[x], %[t3]\n\t"
        "adcq $0, %[t0]\n\t"
        // m = t1.
        "movq %[t1], %%rdx\n\t"
        "movq %[t1], %[y]\n\t"
        "shlq $32, %[t1]\n\t"
        "shrq $32, %[y]\n\t"
        "addq %[t1], %[t2]\n\t"
        "adcq %[y], %[t3]\n\t"
        "mulxq %[p3], %[x], %[t1]\n\t"
        "adcq %[x], %[t0]\n\t"
        "adcq $0, %[t1]\n\t"
        // m = t2.
        "movq %[t2], %%rdx\n\t"
        "movq %[t2], %[y]\n\t"
        "shlq $32, %[t2]\n\t"
        "shrq $32, %[y]\n\t"
        "addq %[t2], %[t3]\n\t"
        "adcq %[y], %[t0]\n\t"
        "mulxq %[p3], %[x], %[t2]\n\t"
        "adcq %[x], %[t1]\n\t"
        "adcq $0, %[t2]\n\t"
        // m = t3.
        "movq %[t3], %%rdx\n\t"
        "movq %[t3], %[y]\n\t"
        "shlq $32, %[t3]\n\t"
        "shrq $32, %[y]\n\t"
        "addq %[t3], %[t0]\n\t"
        "adcq %[y], %[t1]\n\t"
        "mulxq %[p3], %[x], %[t3]\n\t"
        "adcq %[x], %[t2]\n\t"
        "adcq $0, %[t3]\n\t"
        // The upper half of the product; the sum is below 2 p.
        "xorl %k[x], %k[x]\n\t"
        "addq %[t4], %[t0]\n\t"
        "adcq %[t5], %[t1]\n\t"
        "adcq %[t6], %[t2]\n\t"
        "adcq %[t7], %[t3]\n\t"
        "adcq $0, %[x]\n\t"
        // Subtract p unless that borrows.
        "movq %[t0], %[t4]\n\t"
        "movq %[t1], %[t5]\n\t"
        "movq %[t2], %[t6]\n\t"
        "movq %[t3], %[t7]\n\t"
        "subq $-1, %[t4]\n\t"
        "sbbq %[p1], %[t5]\n\t"
        "sbbq $0, %[t6]\n\t"
        "sbbq %[p3], %[t7]\n\t"
        "sbbq $0, %[x]\n\t"
        "cmovcq %[t0], %[t4]\n\t"
        "cmovcq %[t1], %[t5]\n\t"
        "cmovcq %[t2], %[t6]\n\t"
        "cmovcq %[t3], %[t7]\n\t"
        : [t0] "=&r"(t0), [t1] "=&r"(t1), [t2] "=&r"(t2), [t3] "=&r"(t3), [t4] "=&r"(t4), [t5] "=&r"(t5),
          [t6] "=&r"(t6), [t7] "=&r"(t7), [x] "=&r"(x), [y] "=&r"(y)
        : [a] "r"(a.data()), [p1] "m"(kP1), [p3] "m"(kP3)
        : "rdx", "cc", "memory");
    r = {t4, t5, t6, t7};
  }

  [[gnu::always_inline]] static inline void add(L& r, const L& a, const L& b) {
    uint64_t t0 = a[0], t1 = a[1], t2 = a[2], t3 = a[3], d0, d1, d2, d3, carry;
    __asm__(
        "xorl %k[carry], %k[carry]\n\t"
        "addq 0(%[b]), %[t0]\n\t"
        "adcq 8(%[b]), %[t1]\n\t"
        "adcq 16(%[b]), %[t2]\n\t"
        "adcq 24(%[b]), %[t3]\n\t"
        "adcq $0, %[carry]\n\t"
        "movq %[t0], %[d0]\n\t"
        "movq %[t1], %[d1]\n\t"
        "movq %[t2], %[d2]\n\t"
        "movq %[t3], %[d3]\n\t"
        "subq $-1, %[d0]\n\t"
        "sbbq %[p1], %[d1]\n\t"
        "sbbq $0, %[d2]\n\t"
        "sbbq %[p3], %[d3]\n\t"
        "sbbq $0, %[carry]\n\t"
        "cmovcq %[t0], %[d0]\n\t"
        "cmovcq %[t1], %[d1]\n\t"
        "cmovcq %[t2], %[d2]\n\t"
        "cmovcq %[t3], %[d3]\n\t"
        : [t0] "+&r"(t0), [t1] "+&r"(t1), [t2] "+&r"(t2), [t3] "+&r"(t3), [d0] "=&r"(d0), [d1] "=&r"(d1),
          [d2] "=&r"(d2), [d3] "=&r"(d3), [carry] "=&r"(carry)
        : [b] "r"(b.data()), [p1] "m"(kP1), [p3] "m"(kP3)
        : "cc", "memory");
    r = {d0, d1, d2, d3};
  }

  [[gnu::always_inline]] static inline void subtract(L& r, const L& a, const L& b) {
    uint64_t t0 = a[0], t1 = a[1], t2 = a[2], t3 = a[3], mask, low, high;
    __asm__(
        "subq 0(%[b]), %[t0]\n\t"
        "sbbq 8(%[b]), %[t1]\n\t"
        "sbbq 16(%[b]), %[t2]\n\t"
        "sbbq 24(%[b]), %[t3]\n\t"
        // p where that borrowed, else 0: its limbs are mask, mask >> 32, 0 and mask & p[3].
        "sbbq %[mask], %[mask]\n\t"
        "movl %k[mask], %k[low]\n\t"
        "movq %[p3], %[high]\n\t"
        "andq %[mask], %[high]\n\t"
        "addq %[mask], %[t0]\n\t"
        "adcq %[low], %[t1]\n\t"
        "adcq $0, %[t2]\n\t"
        "adcq %[high], %[t3]\n\t"
        : [t0] "+&r"(t0), [t1] "+&r"(t1), [t2] "+&r"(t2), [t3] "+&r"(t3), [mask] "=&r"(mask), [low] "=&r"(low),
          [high] "=&r"(high)
        : [b] "r"(b.data()), [p3] "m"(kP3)
        : "cc", "memory");
    r = {t0, t1, t2, t3};
  }

  [[gnu::always_inline]] static inline void halve(L& r, const L& a) {
    uint64_t t0 = a[0], t1 = a[1], t2 = a[2], t3 = a[3], mask, low, high;
    __asm__(
        // p where a is odd, else 0.
        "movl %k[t0], %k[mask]\n\t"
        "andl $1, %k[mask]\n\t"
        "negq %[mask]\n\t"
        "movl %k[mask], %k[low]\n\t"
        "movq %[p3], %[high]\n\t"
        "andq %[mask], %[high]\n\t"
        "addq %[mask], %[t0]\n\t"
        "adcq %[low], %[t1]\n\t"
        "adcq $0, %[t2]\n\t"
        "adcq %[high], %[t3]\n\t"
        "rcrq $1, %[t3]\n\t"
        "rcrq $1, %[t2]\n\t"
        "rcrq $1, %[t1]\n\t"
        "rcrq $1, %[t0]\n\t"
        : [t0] "+&r"(t0), [t1] "+&r"(t1), [t2] "+&r"(t2), [t3] "+&r"(t3), [mask] "=&r"(mask), [low] "=&r"(low),
          [high] "=&r"(high)
        : [p3] "m"(kP3)
        : "cc");
    r = {t0, t1, t2, t3};
  }
};

}  // namespace
}  // namespace quoll::crypto::x86
