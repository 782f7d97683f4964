// ML-KEM-768's engines for x86-64: polynomials in AVX2 vectors of 16 coefficients; Keccak on four states at once.
#pragma once

#include "crypto/mlkem.h"
#include "crypto/mlkem_field.h"

namespace quoll::crypto {

/// What each function takes and gives is said at PortableMlKemEngine. Needs kAvx2 and kBmi2.
struct Avx2MlKemEngine {
  using Poly = mlkem::Poly;
  using Prepared = mlkem::Prepared;

  static constexpr size_t kStates = 4;
  static void permute(uint64_t* words);
  static void permute_one(uint64_t* words);
  static void squeeze(uint8_t (*out)[mlkem::kSqueezedSize], const uint64_t* words);

  static void ntt(Poly& poly);
  static void inverse_ntt(Poly& poly);
  static void prepare(Prepared& out, const Poly& b);
  static void dot(Poly& out, const Poly* a, const Prepared* b);
  static void to_montgomery(Poly& poly);
  static void add(Poly& to, const Poly& a);
  static void subtract(Poly& to, const Poly& a);

  static size_t sample(Poly& out, size_t filled, const uint8_t* block);
  static void noise(Poly& out, const uint8_t* bytes);

  static void encode12(uint8_t* out, const Poly& poly);
  static uint64_t decode12(Poly& out, const uint8_t* bytes);
  static void encode10(uint8_t* out, const Poly& poly);
  static void decode10(Poly& out, const uint8_t* bytes);
  static void encode4(uint8_t* out, const Poly& poly);
  static void decode4(Poly& out, const uint8_t* bytes);
  static void encode1(uint8_t* out, const Poly& poly);
  static void decode1(Poly& out, const uint8_t* bytes);
  static uint64_t difference(const uint8_t* a, const uint8_t* b);
};

/// The same polynomials; Keccak with AVX-512's rotation and logic. Needs kAvx512 and kBmi2.
struct Avx512MlKemEngine : Avx2MlKemEngine {
  static void permute(uint64_t* words);
};

extern const MlKem768 kMlKem768Avx2;
extern const MlKem768 kMlKem768Avx512;

}  // namespace quoll::crypto
