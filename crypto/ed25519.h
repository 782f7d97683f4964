// Ed25519 (RFC 8032 §5.1).
//
// Verification is RFC 8032 §5.1.7 in its strict reading, which is what TLS peers do:
//   - s must be below the order (else anyone could make a second signature by adding the order to s);
//   - the public key must be the canonical encoding of a point of the curve (y below p, no negative zero);
//   - the equation is the one without the cofactor, and R is compared as bytes with the encoding of s B - k A. Batch
//     verifiers multiply by the cofactor and accept more; OpenSSL and BoringSSL, our peers, compare as we do.
// Public keys of small order are not refused: §5.1.7 does not ask for it, a certificate binds a key whatever its order,
// and peers that disagreed on them would disagree on certificates.
//
// Signing is deterministic and constant-time in the seed.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/hash.h"
#include "crypto/implementation.h"

namespace quoll::crypto {

inline constexpr size_t kEd25519SeedSize = 32;
inline constexpr size_t kEd25519PublicKeySize = 32;
inline constexpr size_t kEd25519SignatureSize = 64;

struct Ed25519 : Implementation {
  // The raw functions over buffers of the sizes above; the checked ones below are what callers use. `sha512` is the
  // implementation of SHA-512 to use. `public_key` must be the seed's own: a signature under another one would betray
  // the seed.
  void (*public_key)(const HashAlgorithm& sha512, const uint8_t* seed, uint8_t* public_key);
  void (*sign)(const HashAlgorithm& sha512, const uint8_t* seed, const uint8_t* public_key, Bytes message,
               uint8_t* signature);
  bool (*verify)(const HashAlgorithm& sha512, const uint8_t* public_key, Bytes message, const uint8_t* signature);
};

/// The public key of a seed; Failure::length for wrong sizes.
[[nodiscard]] Result<void> ed25519_public_key(const Ed25519& ed25519, const HashAlgorithm& sha512, Bytes seed,
                                              MutBytes public_key);

/// Signs with a seed and the public key that ed25519_public_key() gave for it; Failure::length for wrong sizes.
/// `message` and `signature` do not overlap.
[[nodiscard]] Result<void> ed25519_sign(const Ed25519& ed25519, const HashAlgorithm& sha512, Bytes seed,
                                        Bytes public_key, Bytes message, MutBytes signature);

/// Failure::length for a public key or signature of a wrong size, Failure::authentication for a signature that does not
/// verify.
[[nodiscard]] Result<void> ed25519_verify(const Ed25519& ed25519, const HashAlgorithm& sha512, Bytes public_key,
                                          Bytes message, Bytes signature);

}  // namespace quoll::crypto
