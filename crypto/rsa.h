// RSA of 2048 to 4096 bits (RFC 8017): PKCS#1 v1.5 verification, PSS signing and verification.
//
// PSS is used as TLS 1.3 uses it (RFC 8446 §4.2.3): MGF1 with the message's hash, salt as long as the hash. The private
// operation is CRT with base blinding, in constant time, and its result is checked before it leaves.
#pragma once

#include <memory>

#include "base/bytes.h"
#include "base/result.h"
#include "base/rng.h"
#include "crypto/hash.h"
#include "crypto/implementation.h"
#include "crypto/montgomery.h"

namespace quoll::crypto {

inline constexpr size_t kRsaModulusBitsMin = 2048;
inline constexpr size_t kRsaModulusBitsMax = 4096;
inline constexpr size_t kRsaModulusSizeMax = kRsaModulusBitsMax / 8;

/// One half of a CRT private operation: result = base^exponent mod modulus. All of modulus->limbs limbs (at most
/// kHalfLimbsMax), in the ordinary form, base and exponent below the modulus.
struct RsaHalf {
  uint64_t* result;
  const uint64_t* base;
  const uint64_t* exponent;
  const MontgomeryModulus* modulus;
};

/// The big-number kernels of one implementation, all in constant time, over little-endian limbs of 64 bits. Numbers
/// have modulus.limbs limbs, R = 2^(64 * limbs).
struct Rsa : Implementation {
  /// r = a * b / R mod modulus, below the modulus, for b below the modulus and any a. r may be a or b.
  void (*montgomery_multiply)(uint64_t* r, const uint64_t* a, const uint64_t* b, const MontgomeryModulus& modulus);

  /// r = a * a / R mod modulus, for a below the modulus. r may be a.
  void (*montgomery_square)(uint64_t* r, const uint64_t* a, const MontgomeryModulus& modulus);

  /// Both halves, whose moduli have the same count of limbs.
  void (*exponentiate)(const RsaHalf (&halves)[2]);
};

/// A public key, checked and prepared. Not a secret.
class RsaPublicKey {
 public:
  /// Big-endian integers without superfluous zeros (one leading zero, as in DER, is accepted). Failure::weak_key for a
  /// modulus outside of 2048–4096 bits or even, or an exponent that is even, below 3 or of more than 33 bits.
  [[nodiscard]] static Result<RsaPublicKey> create(const Rsa& rsa, Bytes modulus, Bytes exponent);

  RsaPublicKey(RsaPublicKey&&) noexcept;
  RsaPublicKey& operator=(RsaPublicKey&&) noexcept;
  ~RsaPublicKey();

  /// Bytes of the modulus, and of every signature.
  size_t modulus_size() const;
  size_t modulus_bits() const;

  /// `digest` made with `hash`. Failure::authentication when the signature does not verify, whatever the reason.
  [[nodiscard]] Result<void> verify_pkcs1(const HashAlgorithm& hash, Bytes digest, Bytes signature) const;
  [[nodiscard]] Result<void> verify_pss(const HashAlgorithm& hash, Bytes digest, Bytes signature) const;

 private:
  friend class RsaPrivateKey;
  struct Parts;
  explicit RsaPublicKey(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

/// A private key, checked and prepared. Wiped on destruction.
class RsaPrivateKey {
 public:
  /// The integers of RSAPrivateKey (RFC 8017 appendix A.1.2), big-endian.
  struct Components {
    Bytes modulus, public_exponent, private_exponent, prime1, prime2, exponent1, exponent2, coefficient;
  };

  /// Failure::weak_key as for the public key, and for components that do not belong together.
  [[nodiscard]] static Result<RsaPrivateKey> create(const Rsa& rsa, const Components& components);

  /// A DER RSAPrivateKey (PKCS#1). Failure::malformed when it is not one.
  [[nodiscard]] static Result<RsaPrivateKey> parse(const Rsa& rsa, Bytes der);

  RsaPrivateKey(RsaPrivateKey&&) noexcept;
  RsaPrivateKey& operator=(RsaPrivateKey&&) noexcept;
  ~RsaPrivateKey();

  const RsaPublicKey& public_key() const;

  /// Writes modulus_size() bytes. `rng` gives the salt and the blinding. Failure::length when `signature` has another
  /// size or the key is too small for the hash.
  [[nodiscard]] Result<void> sign_pss(const HashAlgorithm& hash, Rng& rng, Bytes digest, MutBytes signature) const;

  /// For test vectors and old certificates: deterministic.
  [[nodiscard]] Result<void> sign_pkcs1(const HashAlgorithm& hash, Rng& rng, Bytes digest, MutBytes signature) const;

 private:
  struct Parts;
  explicit RsaPrivateKey(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace quoll::crypto
