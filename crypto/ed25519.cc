#include "crypto/ed25519.h"

#include "base/check.h"
#include "crypto/failure.h"

namespace quoll::crypto {

Result<void> ed25519_public_key(const Ed25519& ed25519, const HashAlgorithm& sha512, Bytes seed, MutBytes public_key) {
  QUOLL_DCHECK(sha512.id == HashId::sha512);
  if (seed.size() != kEd25519SeedSize || public_key.size() != kEd25519PublicKeySize) {
    return refuse(Failure::length, "an Ed25519 key that is not 32 bytes long");
  }
  ed25519.public_key(sha512, seed.data(), public_key.data());
  return {};
}

Result<void> ed25519_sign(const Ed25519& ed25519, const HashAlgorithm& sha512, Bytes seed, Bytes public_key,
                          Bytes message, MutBytes signature) {
  QUOLL_DCHECK(sha512.id == HashId::sha512);
  if (seed.size() != kEd25519SeedSize || public_key.size() != kEd25519PublicKeySize ||
      signature.size() != kEd25519SignatureSize) {
    return refuse(Failure::length, "an Ed25519 key that is not 32 bytes long, or a signature that is not 64");
  }
  ed25519.sign(sha512, seed.data(), public_key.data(), message, signature.data());
  return {};
}

Result<void> ed25519_verify(const Ed25519& ed25519, const HashAlgorithm& sha512, Bytes public_key, Bytes message,
                            Bytes signature) {
  QUOLL_DCHECK(sha512.id == HashId::sha512);
  if (public_key.size() != kEd25519PublicKeySize || signature.size() != kEd25519SignatureSize) {
    return refuse(Failure::length, "an Ed25519 public key that is not 32 bytes long, or a signature that is not 64");
  }
  if (!ed25519.verify(sha512, public_key.data(), message, signature.data())) {
    return refuse(Failure::authentication, "an Ed25519 signature that does not verify");
  }
  return {};
}

}  // namespace quoll::crypto
