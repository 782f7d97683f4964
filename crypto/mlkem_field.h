// What every implementation of ML-KEM-768 shares: sizes, a polynomial, and the constants of arithmetic modulo 3329.
//
// FIPS 203 §2.4, §4.2.1, §4.3. A Poly has 256 coefficients as signed 16-bit numbers that stand for their residue modulo
// q; each function says which range it takes and gives. "Montgomery's product" of a and b is a·b / 2^16 modulo q. The
// powers of the 256th root of unity 17 are kept times 2^16, so that the product with one of them is the plain product.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace quoll::crypto::mlkem {

inline constexpr int kN = 256;                              // coefficients of a polynomial
inline constexpr int32_t kQ = 3329;                         // the modulus
inline constexpr size_t kRank = 3;                          // k of ML-KEM-768; both eta_1 and eta_2 are 2
inline constexpr size_t kPoly12Size = 384;                  // ByteEncode_12
inline constexpr size_t kPoly10Size = 320;                  // d_u = 10
inline constexpr size_t kPoly4Size = 128;                   // d_v = 4
inline constexpr size_t kVectorSize = kRank * kPoly12Size;  // the encoded vector of a key
inline constexpr size_t kNoiseSize = 128;     // bytes of the pseudo-random function for one polynomial, 64·eta
inline constexpr size_t kXofBlockSize = 168;  // SHAKE128's rate; a multiple of 3, so samples never straddle two blocks

struct alignas(64) Poly {
  std::array<int16_t, kN> coefficients;
};

/// A right factor made ready for dot(): the multiplication modulo X^2 - γ of a0 + a1·X by b0 + b1·X is the pair of
/// inner products (a0, a1)·(b0, γ·b1) and (a0, a1)·(b1, b0).
struct Prepared {
  Poly straight;  // b0, γ·b1, for each pair
  Poly crossed;   // b1, b0
};

/// The representative of `value` in (-q/2, q/2).
constexpr int16_t centered(int64_t value) {
  int64_t r = value % kQ;
  if (r > kQ / 2) r -= kQ;
  if (r < -(kQ / 2)) r += kQ;
  return static_cast<int16_t>(r);
}

constexpr int64_t power_mod_q(int64_t base, int exponent) {
  int64_t result = 1;
  for (int i = 0; i < exponent; i++) result = result * base % kQ;
  return result;
}

inline constexpr int64_t kMontgomery = 65536 % kQ;
inline constexpr uint16_t kQInverse = 62209;  // q^-1 modulo 2^16
static_assert(static_cast<uint16_t>(kQInverse * static_cast<uint32_t>(kQ)) == 1);

/// 2^32 modulo q: Montgomery's product with it multiplies by 2^16.
inline constexpr int16_t kMontgomerySquared = centered(kMontgomery * kMontgomery);

/// 2^32 / 128 modulo q: undoes the factor of the inverse transform and one factor 2^-16.
inline constexpr int16_t kInverseScale = centered(kMontgomery * kMontgomery % kQ * power_mod_q(128, kQ - 2));

/// 17^BitRev7(i) times 2^16 (FIPS 203 §4.3, appendix A).
inline constexpr std::array<int16_t, 128> kZetas = [] {
  std::array<int16_t, 128> zetas{};
  for (int i = 0; i < 128; i++) {
    int reversed = 0;
    for (int bit = 0; bit < 7; bit++) reversed |= ((i >> bit) & 1) << (6 - bit);
    zetas[static_cast<size_t>(i)] = centered(power_mod_q(17, reversed) * kMontgomery);
  }
  return zetas;
}();

/// Compress_d(x) = round(2^d·x/q) modulo 2^d (§4.2.1) for x in [0, q) is
///   (x·kCompressFactor + 2^(28-d) - kCompressBias) >> (29-d), modulo 2^d.
/// Exact for d = 1, 4 and 10 and without a division; everything stays below 2^30. A test goes through every x.
inline constexpr uint32_t kCompressFactor = 161271;  // 2^29/q, rounded up
inline constexpr uint32_t kCompressBias = 64;

constexpr uint32_t compress(uint32_t x, int d) {
  return ((x * kCompressFactor + (1u << (28 - d)) - kCompressBias) >> (29 - d)) & ((1u << d) - 1);
}

/// Decompress_d(y) = round(q·y/2^d) for y below 2^d.
constexpr int16_t decompress(uint32_t y, int d) {
  return static_cast<int16_t>((y * static_cast<uint32_t>(kQ) + (1u << (d - 1))) >> d);
}

}  // namespace quoll::crypto::mlkem
