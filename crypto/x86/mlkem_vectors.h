// The arithmetic of ML-KEM on vectors of 16 coefficients, for the files of this folder that include it (AVX2).
//
// Bounds are those of crypto/portable/mlkem.cc: Montgomery's product of any a with |b| <= q/2 is below q in absolute
// value, at most |a|/40 + q/2. Constant time.
#pragma once

#include <immintrin.h>

#include "crypto/mlkem_field.h"

namespace quoll::crypto {
namespace {

using Vector = __m256i;

inline constexpr size_t kPerVector = 16;
inline constexpr size_t kVectors = mlkem::kN / kPerVector;

[[gnu::always_inline, gnu::target("avx2")]] inline Vector load(const mlkem::Poly& poly, size_t i) {
  return _mm256_load_si256(reinterpret_cast<const Vector*>(poly.coefficients.data() + kPerVector * i));
}

[[gnu::always_inline, gnu::target("avx2")]] inline void store(mlkem::Poly& poly, size_t i, Vector a) {
  _mm256_store_si256(reinterpret_cast<Vector*>(poly.coefficients.data() + kPerVector * i), a);
}

/// A constant factor and its product with q^-1 modulo 2^16, which saves a multiplication.
struct Factor {
  Vector value;
  Vector with_inverse;
};

constexpr int16_t times_q_inverse(int16_t value) {
  return static_cast<int16_t>(static_cast<uint16_t>(static_cast<uint16_t>(value) * uint32_t{mlkem::kQInverse}));
}

[[gnu::always_inline, gnu::target("avx2")]] inline Factor factor(int16_t value) {
  return {_mm256_set1_epi16(value), _mm256_set1_epi16(times_q_inverse(value))};
}

[[gnu::always_inline, gnu::target("avx2")]] inline Vector multiply(Vector a, Factor b) {
  const Vector quotient = _mm256_mullo_epi16(a, b.with_inverse);
  return _mm256_sub_epi16(_mm256_mulhi_epi16(a, b.value), _mm256_mulhi_epi16(quotient, _mm256_set1_epi16(mlkem::kQ)));
}

/// The representative in [-q/2, q/2] of any a.
[[gnu::always_inline, gnu::target("avx2")]] inline Vector barrett_reduce(Vector a) {
  constexpr int16_t kReciprocal = ((1 << 26) + mlkem::kQ / 2) / mlkem::kQ;
  const Vector high = _mm256_mulhi_epi16(a, _mm256_set1_epi16(kReciprocal));
  const Vector quotient = _mm256_mulhrs_epi16(high, _mm256_set1_epi16(1 << 5));  // high / 2^10, rounded
  return _mm256_sub_epi16(a, _mm256_mullo_epi16(quotient, _mm256_set1_epi16(mlkem::kQ)));
}

/// The representative in [0, q) of any a.
[[gnu::always_inline, gnu::target("avx2")]] inline Vector canonical(Vector a) {
  const Vector reduced = barrett_reduce(a);
  return _mm256_add_epi16(reduced, _mm256_and_si256(_mm256_srai_epi16(reduced, 15), _mm256_set1_epi16(mlkem::kQ)));
}

}  // namespace
}  // namespace quoll::crypto
