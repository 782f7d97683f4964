// ECDSA over P-256 and P-384 with RFC 6979 nonces.
//
// An Ecdsa is a constant table of one implementation of one curve. Signatures on the wire are DER (ECDSA-Sig-Value,
// RFC 5480 appendix A); only the canonical encoding is accepted.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/hash.h"
#include "crypto/implementation.h"

namespace quoll::crypto {

inline constexpr size_t kEcdsaScalarSizeMax = 48;
inline constexpr size_t kEcdsaSignatureSizeMax = 2 + 2 * (2 + 1 + kEcdsaScalarSizeMax);  // DER

enum class EcdsaId : uint8_t { p256, p384 };

struct Ecdsa : Implementation {
  EcdsaId id;
  std::string_view name;   // "P-256"
  size_t scalar_size;      // bytes of a private key, of r and of s
  size_t public_key_size;  // bytes of an uncompressed point
  Bytes order;             // of the group, scalar_size bytes

  // The raw functions; ecdsa_sign() and ecdsa_verify() below are what callers use. All integers are big-endian.
  bool (*public_key)(const uint8_t* private_key, uint8_t* public_key);
  /// Computes r || s with the nonce k (both of scalar_size). False when k or the private key is out of range, or r or s
  /// is zero: the caller draws the next k. `digest` is the leftmost scalar_size bytes of the hash, zero-extended on the
  /// left.
  bool (*sign)(const uint8_t* private_key, const uint8_t* k, const uint8_t* digest, uint8_t* signature);
  /// `signature` is r || s. False as well for a public key that is not on the curve.
  bool (*verify)(const uint8_t* public_key, const uint8_t* digest, const uint8_t* signature);
  /// Whether the bytes are an uncompressed point of the curve, coordinates below the prime.
  bool (*is_public_key)(const uint8_t* public_key);
};

/// Signs a digest made with `hash` (which also drives RFC 6979). Returns the DER signature's size within `signature`,
/// which has at least kEcdsaSignatureSizeMax bytes. Failure::weak_key for a private key out of range.
[[nodiscard]] Result<size_t> ecdsa_sign(const Ecdsa& ecdsa, const HashAlgorithm& hash, Bytes private_key, Bytes digest,
                                        MutBytes signature);

/// Failure::malformed for a signature that is not canonical DER or out of range, Failure::point for a bad public key,
/// Failure::authentication for a signature that does not verify.
[[nodiscard]] Result<void> ecdsa_verify(const Ecdsa& ecdsa, Bytes public_key, Bytes digest, Bytes signature);

}  // namespace quoll::crypto
