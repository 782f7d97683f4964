// An odd modulus prepared for Montgomery arithmetic (P. Montgomery, Math. Comp. 44, 1985): residues x stand as x R mod
// m with R = 2^(64 * limbs).
//
// The count of limbs is a multiple of kLimbsStep, so that kernels work in whole blocks; a modulus of another size has
// leading zero limbs. A prime of an RSA key is such a modulus too, and then the whole object is a secret (its sizes are
// not): who holds it wipes it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace quoll::crypto {

struct Rsa;

inline constexpr size_t kLimbsStep = 8;
inline constexpr size_t kModulusLimbsMax = 64;  // 4096 bits
inline constexpr size_t kHalfLimbsMax = 32;     // a prime of a 4096-bit key

struct MontgomeryModulus {
  size_t limbs = 0;
  size_t bits = 0;  // without leading zeros
  uint64_t n0 = 0;  // -1 / value mod 2^64
  uint64_t value[kModulusLimbsMax] = {};
  uint64_t one[kModulusLimbsMax] = {};     // R mod value
  uint64_t square[kModulusLimbsMax] = {};  // R^2 mod value

  /// Fills in all but `limbs` and `value`, which is odd and above 1.
  void prepare(const Rsa& rsa);
};

}  // namespace quoll::crypto
