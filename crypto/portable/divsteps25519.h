// Inversion modulo p = 2^255 - 19 by division steps, for hosts with 128-bit products: half the time of a^(p-2).
//
// The algorithm is "safegcd" (Bernstein and Yang, "Fast constant-time gcd computation and modular inversion", 2019)
// with the starting value delta = 1/2, for which 590 steps suffice for moduli and inputs below 2^256. Ten batches of 60
// steps are run. A batch looks only at the low 60 bits of f and g, in three blocks of 20 steps, and gives a matrix;
// then f, g and the cofactors d, e (f = d x and g = e x modulo p, up to the powers of two) are multiplied by it.
// Numbers have five signed limbs of 60 bits: the lower four in [0, 2^60), the last one with the sign.
//
// Constant-time: the number of steps is fixed, and a step selects by masks.
#pragma once

#include <cstdint>

#include "crypto/ct.h"

#ifdef __SIZEOF_INT128__

namespace quoll::crypto {

class Divsteps25519 {
 public:
  /// out = 1 / in modulo p, and 0 for 0; in is in [0, p), and so is out.
  static void invert(uint64_t out[4], const uint64_t in[4]) {
    Number f{{kMask - 18, kMask, kMask, kMask, kMask >> 45}};  // p
    Number g = from_words(in);
    Number d{}, e{{1, 0, 0, 0, 0}};
    int64_t delta = -1;  // -(delta + 1/2), from delta = 1/2
    for (int batch = 0; batch < 10; batch++) {
      const auto low_f = f.limb[0] | static_cast<int64_t>(static_cast<uint64_t>(f.limb[1]) << 60);
      const auto low_g = g.limb[0] | static_cast<int64_t>(static_cast<uint64_t>(g.limb[1]) << 60);
      const Matrix m = batch_of_60(delta, low_f, low_g);
      update_cofactors(d, e, m);
      update(f, g, m);
    }
    // Now g is 0 and f is 1 or -1 (p, with d = 0, for the input 0); d is in (-2p, p).
    add_p_if(d, d.limb[4] >> 63);
    const int64_t negative = ct::barrier(f.limb[4] >> 63);
    for (int64_t& limb : d.limb) limb = (limb ^ negative) - negative;
    carry(d);
    add_p_if(d, d.limb[4] >> 63);
    to_words(out, d);
    ct::wipe(f);
    ct::wipe(g);
    ct::wipe(d);
    ct::wipe(e);
  }

 private:
  __extension__ using Wide = __int128;

  static constexpr int64_t kMask = (int64_t{1} << 60) - 1;

  struct Number {
    int64_t limb[5];
  };

  /// (f, g) becomes (u f + v g, q f + r g) / 2^steps; |u| + |v| and |q| + |r| are at most 2^steps.
  struct Matrix {
    int64_t u, v, q, r;
  };

  static Matrix batch_of_60(int64_t& delta, int64_t f, int64_t g) {
    const Matrix first = block_of_20(delta, f, g);
    advance(f, g, first);
    const Matrix second = block_of_20(delta, f, g);
    advance(f, g, second);
    const Matrix third = block_of_20(delta, f, g);
    return times(third, times(second, first));
  }

  /// Twenty steps on the low 20 bits of f and g, which share a word with the row of the matrix that belongs to them.
  /// Starting from f - 2^41 and g - 2^62, after n steps the words are f_n - 2^(41-n) u - 2^(62-n) v and g_n - 2^(41-n)
  /// q - 2^(62-n) r. v and r never overflow: r is odd and v even, so |v| + |r| < 2^(n+1) for n > 0, and |u| + |q| <=
  /// 2^(n+1) is far below.
  static Matrix block_of_20(int64_t& delta, int64_t low_f, int64_t low_g) {
    constexpr int64_t kLow20 = (1 << 20) - 1;
    int64_t f = (low_f & kLow20) - (int64_t{1} << 41), g = (low_g & kLow20) - (int64_t{1} << 62);
    int64_t z = delta;
    for (int i = 0; i < 20; i++) {
      // Odd g: add f, or (delta > 0, that is z < 0) subtract f, after which f takes g's old value.
      const int64_t odd = ct::barrier(-(g & 1));
      int64_t swap = z >> 63;
      g += ((f ^ swap) - swap) & odd;
      swap = ct::barrier(swap & odd);
      z = (z ^ swap) - 1;
      f += g & swap;
      g >>= 1;
    }
    delta = z;
    Matrix m;
    unpack(f, m.u, m.v);
    unpack(g, m.q, m.r);
    return m;
  }

  /// word = x - 2^21 a - 2^42 b with |x| < 2^20 and a in (-2^20, 2^20].
  static void unpack(int64_t word, int64_t& a, int64_t& b) {
    const int64_t both = (word + (1 << 20)) >> 21;  // -(a + 2^21 b)
    const int64_t minus_a = static_cast<int64_t>(static_cast<uint64_t>(both) << 43) >> 43;
    a = -minus_a;
    b = -((both - minus_a) >> 21);
  }

  /// f and g after a block, as far as their low bits are known; what is above wraps.
  static void advance(int64_t& f, int64_t& g, const Matrix& m) {
    const uint64_t low_f = static_cast<uint64_t>(f), low_g = static_cast<uint64_t>(g);
    f = static_cast<int64_t>(static_cast<uint64_t>(m.u) * low_f + static_cast<uint64_t>(m.v) * low_g) >> 20;
    g = static_cast<int64_t>(static_cast<uint64_t>(m.q) * low_f + static_cast<uint64_t>(m.r) * low_g) >> 20;
  }

  static Matrix times(const Matrix& a, const Matrix& b) {
    return {a.u * b.u + a.v * b.q, a.u * b.v + a.v * b.r, a.q * b.u + a.r * b.q, a.q * b.v + a.r * b.r};
  }

  /// (f, g) = m (f, g) / 2^60, which is exact.
  static void update(Number& f, Number& g, const Matrix& m) {
    Wide sum_f = 0, sum_g = 0;
    for (int i = 0; i < 5; i++) {
      sum_f += Wide{m.u} * f.limb[i] + Wide{m.v} * g.limb[i];
      sum_g += Wide{m.q} * f.limb[i] + Wide{m.r} * g.limb[i];
      if (i > 0) {
        f.limb[i - 1] = static_cast<int64_t>(sum_f) & kMask;
        g.limb[i - 1] = static_cast<int64_t>(sum_g) & kMask;
      }
      sum_f >>= 60;
      sum_g >>= 60;
    }
    f.limb[4] = static_cast<int64_t>(sum_f);
    g.limb[4] = static_cast<int64_t>(sum_g);
  }

  /// (d, e) = m (d, e) / 2^60 modulo p, for d and e in (-2p, p), and again in that range: a negative one is first
  /// raised by p, then a multiple of p in (-2^60 p, 0] makes the sum divisible. p is 2^15 in the last limb and -19 in
  /// the first.
  static void update_cofactors(Number& d, Number& e, const Matrix& m) {
    const int64_t negative_d = ct::barrier(d.limb[4] >> 63), negative_e = ct::barrier(e.limb[4] >> 63);
    Wide sum_d = Wide{m.u} * d.limb[0] + Wide{m.v} * e.limb[0];
    Wide sum_e = Wide{m.q} * d.limb[0] + Wide{m.r} * e.limb[0];
    const int64_t times_d = multiple((m.u & negative_d) + (m.v & negative_e), sum_d);
    const int64_t times_e = multiple((m.q & negative_d) + (m.r & negative_e), sum_e);
    sum_d = (sum_d - Wide{times_d} * 19) >> 60;
    sum_e = (sum_e - Wide{times_e} * 19) >> 60;
    for (int i = 1; i < 5; i++) {
      sum_d += Wide{m.u} * d.limb[i] + Wide{m.v} * e.limb[i];
      sum_e += Wide{m.q} * d.limb[i] + Wide{m.r} * e.limb[i];
      if (i == 4) {
        sum_d += Wide{times_d} << 15;
        sum_e += Wide{times_e} << 15;
      }
      d.limb[i - 1] = static_cast<int64_t>(sum_d) & kMask;
      e.limb[i - 1] = static_cast<int64_t>(sum_e) & kMask;
      sum_d >>= 60;
      sum_e >>= 60;
    }
    d.limb[4] = static_cast<int64_t>(sum_d);
    e.limb[4] = static_cast<int64_t>(sum_e);
  }

  /// The multiple t of p in (start - 2^60, start] for which low + t p is divisible by 2^60.
  static int64_t multiple(int64_t start, Wide low) {
    const auto wanted = kInverse * static_cast<uint64_t>(low) + static_cast<uint64_t>(start);
    return start - static_cast<int64_t>(wanted & static_cast<uint64_t>(kMask));
  }

  /// 1 / p = -1 / 19 modulo 2^64.
  static constexpr uint64_t kInverse = 0x79435e50d79435e5;
  static_assert(kInverse * (uint64_t{0} - 19) == 1);

  static void add_p_if(Number& a, int64_t mask) {
    mask = ct::barrier(mask);
    a.limb[0] -= 19 & mask;
    a.limb[4] += (1 << 15) & mask;
    carry(a);
  }

  static void carry(Number& a) {
    for (int i = 0; i < 4; i++) {
      a.limb[i + 1] += a.limb[i] >> 60;
      a.limb[i] &= kMask;
    }
  }

  static Number from_words(const uint64_t* w) {
    const auto limb = [](uint64_t bits) { return static_cast<int64_t>(bits & static_cast<uint64_t>(kMask)); };
    return {{limb(w[0]), limb(w[0] >> 60 | w[1] << 4), limb(w[1] >> 56 | w[2] << 8), limb(w[2] >> 52 | w[3] << 12),
             static_cast<int64_t>(w[3] >> 48)}};
  }

  static void to_words(uint64_t* w, const Number& a) {
    uint64_t limb[5];
    for (int i = 0; i < 5; i++) limb[i] = static_cast<uint64_t>(a.limb[i]);
    w[0] = limb[0] | limb[1] << 60;
    w[1] = limb[1] >> 4 | limb[2] << 56;
    w[2] = limb[2] >> 8 | limb[3] << 52;
    w[3] = limb[3] >> 12 | limb[4] << 48;
  }
};

}  // namespace quoll::crypto

#endif
