// Diffie-Hellman groups: X25519 (RFC 7748), P-256 and P-384 (RFC 8446 §4.2.8.2, RFC 5480).
//
// A Group is a constant table of one implementation. Private keys are secrets of private_key_size bytes: little-endian
// for X25519, big-endian scalars for the NIST curves. Public keys and shared secrets are encoded as in a TLS key_share
// (the NIST curves: an uncompressed point, and its x coordinate).
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "base/rng.h"
#include "crypto/implementation.h"

namespace quoll::crypto {

inline constexpr size_t kPrivateKeySizeMax = 48;
inline constexpr size_t kPublicKeySizeMax = 97;
inline constexpr size_t kSharedSecretSizeMax = 48;

enum class GroupId : uint8_t { x25519, p256, p384 };

struct Group : Implementation {
  GroupId id;
  std::string_view name;  // "X25519"
  size_t private_key_size;
  size_t public_key_size;
  size_t shared_secret_size;

  // The raw functions; generate() and agree() below are what callers use. False: a private key out of range (zero, or
  // not below the order), a public key that is not on the curve, or an all-zero X25519 result (RFC 7748 §6.1).
  bool (*public_key)(const uint8_t* private_key, uint8_t* public_key);
  bool (*agree)(const uint8_t* private_key, const uint8_t* peer_public_key, uint8_t* shared_secret);
};

/// Draws a private key and computes its public key; the spans have exactly the group's sizes, else Failure::length.
[[nodiscard]] Result<void> generate(const Group& group, Rng& rng, MutBytes private_key, MutBytes public_key);

/// The public key of a private key; Failure::weak_key when that is out of range.
[[nodiscard]] Result<void> derive_public(const Group& group, Bytes private_key, MutBytes public_key);

/// The shared secret. Failure::length for wrong sizes (the peer's key included), Failure::point for a peer's key that
/// is not a point of the curve in uncompressed form, or a result that is all zero.
[[nodiscard]] Result<void> agree(const Group& group, Bytes private_key, Bytes peer_public_key, MutBytes shared_secret);

}  // namespace quoll::crypto
