// ML-KEM-768 (FIPS 203), the post-quantum half of X25519MLKEM768.
//
// A Kem is a constant table of one implementation. All checks of FIPS 203 §7 on what comes from outside are made here.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "base/rng.h"
#include "crypto/implementation.h"

namespace quoll::crypto {

inline constexpr size_t kMlKem768EncapsulationKeySize = 1184;
inline constexpr size_t kMlKem768DecapsulationKeySize = 2400;
inline constexpr size_t kMlKem768CiphertextSize = 1088;
inline constexpr size_t kMlKem768SeedSize = 64;  // d || z
inline constexpr size_t kMlKemSharedSecretSize = 32;

struct MlKem768 : Implementation {
  // The raw, deterministic functions (FIPS 203 §6); the functions below are what callers use.
  void (*keygen)(const uint8_t* seed, uint8_t* encapsulation_key, uint8_t* decapsulation_key);
  /// False when the encapsulation key fails the modulus check of §7.2.
  bool (*encapsulate)(const uint8_t* encapsulation_key, const uint8_t* message, uint8_t* ciphertext, uint8_t* secret);
  /// False when the decapsulation key fails the hash check of §7.3.
  bool (*decapsulate)(const uint8_t* decapsulation_key, const uint8_t* ciphertext, uint8_t* secret);
};

/// Spans have exactly the sizes above, else Failure::length. The decapsulation key is a secret.
[[nodiscard]] Result<void> mlkem768_keygen(const MlKem768& kem, Rng& rng, MutBytes encapsulation_key,
                                           MutBytes decapsulation_key);

/// Failure::malformed for an encapsulation key with a coefficient that is not reduced.
[[nodiscard]] Result<void> mlkem768_encapsulate(const MlKem768& kem, Rng& rng, Bytes encapsulation_key,
                                                MutBytes ciphertext, MutBytes secret);

/// Implicit rejection: a wrong ciphertext yields an unpredictable secret, not an error. Failure::malformed for a
/// decapsulation key whose stored hash is wrong.
[[nodiscard]] Result<void> mlkem768_decapsulate(const MlKem768& kem, Bytes decapsulation_key, Bytes ciphertext,
                                                MutBytes secret);

}  // namespace quoll::crypto
