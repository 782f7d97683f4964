// Inverses modulo an odd number by Bernstein and Yang's division steps ("Fast constant-time gcd computation and modular
// inversion", 2019), in the
// variant that starts at delta = 1/2.
//
// A division step works on (delta, f, g), f odd: it swaps f and g when delta > 0 and g is odd, then makes g even with f
// and halves it. Kept alongside are d and e with f = d a and g = e a modulo m; when g has become 0, f is +-1 and d is
// +-1/a. Sixty steps depend only on delta and the lowest sixty bits of f and g: they are done on single words, giving a
// matrix of integers that then transforms f, g, d and e at once. (45907 bits + 26313) / 19929 steps suffice: 591 for
// 256 bits, 885 for 384 bits, so 10 and 15 batches of sixty.
//
// Numbers are held as signed limbs of 60 bits: limbs in [0, 2^60) but for the highest, which carries the sign. f and g
// stay in
// (-2^bits, 2^bits), d and e in (-2 m, m). invert() is constant-time; invert_vartime() is for public numbers.
#pragma once

#include <bit>

#include "crypto/portable/montgomery.h"

namespace quoll::crypto::x86::safegcd {

__extension__ using i128 = __int128;

inline constexpr int kBatch = 60;
inline constexpr int kPacked = 20;
inline constexpr int64_t kLimbMask = (int64_t{1} << kBatch) - 1;

template <size_t N>
inline constexpr size_t kSignedLimbs = (64 * N + 2 + kBatch - 1) / kBatch;  // room for (-2 m, 2 m)

template <size_t N>
using SignedLimbs = std::array<int64_t, kSignedLimbs<N>>;

template <size_t N>
inline constexpr int kBatches = ((45907 * 64 * static_cast<int>(N) + 26313) / 19929 + kBatch) / kBatch;

template <size_t N>
constexpr SignedLimbs<N> to_signed(const Limbs<N>& a) {
  SignedLimbs<N> result{};
  for (size_t i = 0; i < result.size(); i++) {
    const size_t limb = i * kBatch / 64, shift = i * kBatch % 64;
    uint64_t bits = limb < N ? a[limb] >> shift : 0;
    if (shift > 64 - kBatch && limb + 1 < N) bits |= a[limb + 1] << (64 - shift);
    result[i] = static_cast<int64_t>(bits) & kLimbMask;
  }
  return result;
}

/// From limbs of a value in [0, 2^(64 N)).
template <size_t N>
Limbs<N> from_signed(const SignedLimbs<N>& a) {
  Limbs<N> result{};
  for (size_t i = 0; i < a.size(); i++) {
    const size_t limb = i * kBatch / 64, shift = i * kBatch % 64;
    if (limb < N) result[limb] |= static_cast<uint64_t>(a[i]) << shift;
    if (shift > 64 - kBatch && limb + 1 < N) result[limb + 1] |= static_cast<uint64_t>(a[i]) >> (64 - shift);
  }
  return result;
}

/// 2^60 times the transformation of sixty steps: f' = (u f + v g) / 2^60, g' = (q f + r g) / 2^60; |u| + |v| and |q| +
/// |r| are at most 2^60.
struct Matrix {
  int64_t u, v, q, r;
};

/// Twenty steps on words that hold everything at once. F = f + 2^41 u + 2^62 v, where f stands for its lowest twenty
/// bits and (u, v) for the row of the matrix, which starts as (-1, 0); G likewise with (0, -1). Steps are linear, so
/// one addition of the words adds all three parts, and one shift halves them; after twenty the rows have shrunk to
/// multiples of 2^21 and 2^42. Starting at -1 keeps u in [-2^20, 2^20), where it can be told from v; the matrix is
/// negated in the end. A row's |u| + |v| is at most 1 and two rows are never equal, so the words do not overflow.
inline int64_t divide_twenty_steps(int64_t eta, uint64_t f, uint64_t g, Matrix& matrix) {
  constexpr uint64_t kLow = (uint64_t{1} << kPacked) - 1;
  uint64_t packed_f = (f & kLow) - (uint64_t{1} << 41);
  uint64_t packed_g = (g & kLow) - (uint64_t{1} << 62);
  for (int i = 0; i < kPacked; i++) {
    // Where g is odd: g += f, or g -= f when that swaps (delta > 0, eta < 0), and the new f is the old g.
    const uint64_t negative = ct::barrier(static_cast<uint64_t>(eta >> 63));
    const uint64_t odd = ct::barrier(0 - (packed_g & 1));
    const uint64_t swap = negative & odd;
    packed_g += ((packed_f ^ negative) - negative) & odd;
    packed_f += packed_g & swap;
    packed_g = static_cast<uint64_t>(static_cast<int64_t>(packed_g) >> 1);
    eta = static_cast<int64_t>(static_cast<uint64_t>(eta) ^ swap) - 1;
  }
  const auto first = [](uint64_t word) { return -(static_cast<int64_t>((word + (uint64_t{1} << 20)) << 22) >> 43); };
  const auto second = [](uint64_t word) {
    return -(static_cast<int64_t>(word + (uint64_t{1} << 20) + (uint64_t{1} << 41)) >> 42);
  };
  matrix = {first(packed_f), second(packed_f), first(packed_g), second(packed_g)};
  return eta;
}

/// The product a b of two matrices.
inline Matrix product(const Matrix& a, const Matrix& b) {
  return {a.u * b.u + a.v * b.q, a.u * b.v + a.v * b.r, a.q * b.u + a.r * b.q, a.q * b.v + a.r * b.r};
}

/// Sixty steps from the lowest 64 bits of f and g, of which 44 and then 24 are still right after the first twenties.
/// `eta` is
/// -(delta + 1/2), an integer.
inline int64_t divide_steps(int64_t eta, uint64_t f, uint64_t g, Matrix& matrix) {
  Matrix step;
  eta = divide_twenty_steps(eta, f, g, matrix);
  step = matrix;
  for (int done = kPacked; done < kBatch; done += kPacked) {
    const uint64_t old_f = f;
    f = (static_cast<uint64_t>(step.u) * f + static_cast<uint64_t>(step.v) * g) >> kPacked;
    g = (static_cast<uint64_t>(step.q) * old_f + static_cast<uint64_t>(step.r) * g) >> kPacked;
    eta = divide_twenty_steps(eta, f, g, step);
    matrix = product(step, matrix);
  }
  return eta;
}

/// The same for public numbers: runs of even g are skipped, and several bits of g are cancelled at a time.
inline int64_t divide_steps_vartime(int64_t eta, uint64_t f, uint64_t g, Matrix& matrix) {
  uint64_t u = 1, v = 0, q = 0, r = 1;
  int left = kBatch;
  for (;;) {
    const int zeros = std::countr_zero(g | (~uint64_t{0} << left));
    g >>= zeros;
    u <<= zeros;
    v <<= zeros;
    eta -= zeros;
    left -= zeros;
    if (left == 0) break;
    if (eta < 0) {
      eta = -eta;
      const uint64_t old_f = f, old_u = u, old_v = v;
      f = g, u = q, v = r;
      g = 0 - old_f, q = 0 - old_u, r = 0 - old_v;
    }
    // No swap is due for eta + 1 steps: choose w with g + w f = 0 modulo 2^min(eta + 1, left, 6).
    const int bits = eta + 1 < left ? static_cast<int>(eta + 1) : left;
    const uint64_t mask = (~uint64_t{0} >> (64 - bits)) & 63;
    const uint64_t w = (f * g * (f * f - 2)) & mask;  // -1/f = f (f^2 - 2) modulo 64, for odd f
    g += f * w;
    q += u * w;
    r += v * w;
  }
  matrix = {static_cast<int64_t>(u), static_cast<int64_t>(v), static_cast<int64_t>(q), static_cast<int64_t>(r)};
  return eta;
}

/// The lowest 64 bits.
template <size_t K>
uint64_t low_word(const std::array<int64_t, K>& a) {
  return static_cast<uint64_t>(a[0]) | static_cast<uint64_t>(a[1]) << kBatch;
}

/// (f, g) = matrix (f, g) / 2^60, which is exact.
template <size_t K>
void update_fg(std::array<int64_t, K>& f, std::array<int64_t, K>& g, const Matrix& t) {
  i128 cf = static_cast<i128>(t.u) * f[0] + static_cast<i128>(t.v) * g[0];
  i128 cg = static_cast<i128>(t.q) * f[0] + static_cast<i128>(t.r) * g[0];
  cf >>= kBatch;
  cg >>= kBatch;
  for (size_t i = 1; i < K; i++) {
    cf += static_cast<i128>(t.u) * f[i] + static_cast<i128>(t.v) * g[i];
    cg += static_cast<i128>(t.q) * f[i] + static_cast<i128>(t.r) * g[i];
    f[i - 1] = static_cast<int64_t>(cf) & kLimbMask;
    g[i - 1] = static_cast<int64_t>(cg) & kLimbMask;
    cf >>= kBatch;
    cg >>= kBatch;
  }
  f[K - 1] = static_cast<int64_t>(cf);
  g[K - 1] = static_cast<int64_t>(cg);
}

/// (d, e) = matrix (d, e) / 2^60 modulo m; both stay in (-2 m, m).
template <size_t K>
void update_de(std::array<int64_t, K>& d, std::array<int64_t, K>& e, const Matrix& t, const std::array<int64_t, K>& m,
               uint64_t m_inverse) {
  // Add m where d or e is negative, so that the sums are in (-2 m, 2 m) * 2^60; then the multiple of m that makes the
  // lowest limb zero, taken in [-2^60, 0].
  const int64_t d_sign = d[K - 1] >> 63, e_sign = e[K - 1] >> 63;
  int64_t md = (t.u & d_sign) + (t.v & e_sign);
  int64_t me = (t.q & d_sign) + (t.r & e_sign);
  i128 cd = static_cast<i128>(t.u) * d[0] + static_cast<i128>(t.v) * e[0];
  i128 ce = static_cast<i128>(t.q) * d[0] + static_cast<i128>(t.r) * e[0];
  md -= static_cast<int64_t>((m_inverse * static_cast<uint64_t>(cd) + static_cast<uint64_t>(md)) & kLimbMask);
  me -= static_cast<int64_t>((m_inverse * static_cast<uint64_t>(ce) + static_cast<uint64_t>(me)) & kLimbMask);
  cd += static_cast<i128>(m[0]) * md;
  ce += static_cast<i128>(m[0]) * me;
  cd >>= kBatch;
  ce >>= kBatch;
  for (size_t i = 1; i < K; i++) {
    cd += static_cast<i128>(t.u) * d[i] + static_cast<i128>(t.v) * e[i] + static_cast<i128>(m[i]) * md;
    ce += static_cast<i128>(t.q) * d[i] + static_cast<i128>(t.r) * e[i] + static_cast<i128>(m[i]) * me;
    d[i - 1] = static_cast<int64_t>(cd) & kLimbMask;
    e[i - 1] = static_cast<int64_t>(ce) & kLimbMask;
    cd >>= kBatch;
    ce >>= kBatch;
  }
  d[K - 1] = static_cast<int64_t>(cd);
  e[K - 1] = static_cast<int64_t>(ce);
}

template <size_t K>
void carry(std::array<int64_t, K>& a) {
  for (size_t i = 0; i + 1 < K; i++) {
    a[i + 1] += a[i] >> kBatch;
    a[i] &= kLimbMask;
  }
}

/// sign * d modulo m, in [0, m), for d in (-2 m, m); `sign` negative or not.
template <size_t K>
void normalise(std::array<int64_t, K>& d, int64_t sign, const std::array<int64_t, K>& m) {
  const int64_t negate = sign >> 63;
  const int64_t below = d[K - 1] >> 63;
  for (size_t i = 0; i < K; i++) d[i] = ((d[i] + (m[i] & below)) ^ negate) - negate;  // now in (-m, m)
  carry(d);
  const int64_t still_below = d[K - 1] >> 63;
  for (size_t i = 0; i < K; i++) d[i] += m[i] & still_below;
  carry(d);
}

/// m^-1 modulo 2^60.
constexpr uint64_t inverse_of_limb(uint64_t m) {
  uint64_t inverse = 1;
  for (int i = 0; i < 6; i++) inverse *= 2 - m * inverse;
  return inverse & static_cast<uint64_t>(kLimbMask);
}

template <class Modulus>
inline constexpr auto kModulus = to_signed(Modulus::kModulus);

template <class Modulus>
inline constexpr uint64_t kModulusInverse = inverse_of_limb(Modulus::kModulus[0]);

/// r = 1 / a modulo the prime, 0 for 0; plain numbers below the modulus.
template <class Modulus, size_t N>
void invert_plain(Limbs<N>& r, const Limbs<N>& a) {
  constexpr auto& m = kModulus<Modulus>;
  SignedLimbs<N> f = m, g = to_signed(a), d{}, e{1};
  int64_t eta = -1;
  Matrix matrix;
  for (int i = 0; i < kBatches<N>; i++) {
    eta = divide_steps(eta, low_word(f), low_word(g), matrix);
    update_de(d, e, matrix, m, kModulusInverse<Modulus>);
    update_fg(f, g, matrix);
  }
  normalise(d, f.back(), m);
  r = from_signed<N>(d);
  ct::wipe(f);
  ct::wipe(g);
  ct::wipe(d);
  ct::wipe(e);
  ct::wipe(matrix);
}

template <class Modulus, size_t N>
void invert_plain_vartime(Limbs<N>& r, const Limbs<N>& a) {
  constexpr auto& m = kModulus<Modulus>;
  SignedLimbs<N> f = m, g = to_signed(a), d{}, e{1};
  int64_t eta = -1;  // here -delta: this variant starts at delta = 1, with steps to spare
  Matrix matrix;
  const auto is_zero = [](const SignedLimbs<N>& x) {
    int64_t bits = 0;
    for (const int64_t limb : x) bits |= limb;
    return bits == 0;
  };
  while (!is_zero(g)) {
    eta = divide_steps_vartime(eta, low_word(f), low_word(g), matrix);
    update_de(d, e, matrix, m, kModulusInverse<Modulus>);
    update_fg(f, g, matrix);
  }
  normalise(d, f.back(), m);
  r = from_signed<N>(d);
}

}  // namespace quoll::crypto::x86::safegcd

namespace quoll::crypto::x86 {

/// An arithmetic of crypto/portable/montgomery.h with its inversions replaced by these.
template <class Arithmetic, class Modulus>
struct WithSafegcd : Arithmetic {
  using L = typename Arithmetic::L;

  // (v R)^-1 times R^3 in Montgomery's way is v^-1 R, the form of the inverse.
  static void invert(L& r, const L& a) {
    L plain;
    safegcd::invert_plain<Modulus>(plain, a);
    Arithmetic::multiply(r, plain, Arithmetic::kConstants.r_cubed);
    ct::wipe(plain);
  }
  static void invert_vartime(L& r, const L& a) {
    L plain;
    safegcd::invert_plain_vartime<Modulus>(plain, a);
    Arithmetic::multiply(r, plain, Arithmetic::kConstants.r_cubed);
  }
};

}  // namespace quoll::crypto::x86
