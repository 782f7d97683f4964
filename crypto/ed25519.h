// Ed25519 (RFC 8032 §5.1). Verification is strict: canonical point encodings, s below the order, cofactorless equation.
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
  // The raw functions; `sha512` is the implementation of SHA-512 to use.
  void (*public_key)(const HashAlgorithm& sha512, const uint8_t* seed, uint8_t* public_key);
  void (*sign)(const HashAlgorithm& sha512, const uint8_t* seed, const uint8_t* public_key, Bytes message,
               uint8_t* signature);
  bool (*verify)(const HashAlgorithm& sha512, const uint8_t* public_key, Bytes message, const uint8_t* signature);
};

}  // namespace quoll::crypto
