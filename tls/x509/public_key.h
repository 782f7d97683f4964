// Public keys as certificates carry them (SubjectPublicKeyInfo, RFC 5280 §4.1.2.7), and the verification of signatures
// with them: RSA (RFC 3279, RFC 4055), RSA-PSS keys, ECDSA over P-256 and P-384 (RFC 5480), Ed25519 (RFC 8410).
#pragma once

#include <array>
#include <optional>
#include <variant>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/provider.h"

namespace quoll::x509 {

struct AlgorithmIdentifier;

/// rsa_pss: a key whose algorithm is id-RSASSA-PSS, which may make PSS signatures only.
enum class KeyType : uint8_t { rsa, rsa_pss, ecdsa_p256, ecdsa_p384, ed25519 };

/// A signature algorithm with its hash. PSS means MGF1 with the same hash and a salt as long as the hash; no other
/// parameters are accepted. ECDSA names no curve: the key does.
enum class SignatureAlgorithm : uint8_t {
  rsa_pkcs1_sha256,
  rsa_pkcs1_sha384,
  rsa_pkcs1_sha512,
  rsa_pss_sha256,
  rsa_pss_sha384,
  rsa_pss_sha512,
  ecdsa_sha256,
  ecdsa_sha384,
  ecdsa_sha512,
  ed25519,
};

class PublicKey {
 public:
  /// `spki` is a whole SubjectPublicKeyInfo. Failure::malformed, Failure::unsupported (another algorithm or curve, a
  /// compressed point, RSA above 4096 bits), Failure::weak (RSA below 2048 bits, a bad exponent, a point that is not on
  /// the curve). The key keeps no reference to `spki`; the provider must outlive it.
  [[nodiscard]] static Result<PublicKey> parse(const crypto::Provider& provider, Bytes spki);

  PublicKey(PublicKey&&) noexcept = default;
  PublicKey& operator=(PublicKey&&) noexcept = default;

  KeyType type() const { return type_; }
  /// Of the modulus or of the field: 2048, 256, ...
  size_t bits() const;

  /// Whether this key can make signatures of this algorithm (an ECDSA hash may be any of the three). An RSA-PSS key may
  /// be restricted to one hash (RFC 4055 §3.3).
  bool supports(SignatureAlgorithm algorithm) const;

  /// Failure::bad_signature when the signature of `message` does not verify or the key does not support the algorithm.
  [[nodiscard]] Result<void> verify(SignatureAlgorithm algorithm, Bytes message, Bytes signature) const;

 private:
  struct Point {  // an uncompressed point (NIST curves), or the 32 bytes of an Ed25519 key
    std::array<uint8_t, crypto::kPublicKeySizeMax> bytes{};
    uint8_t size = 0;
  };
  PublicKey(const crypto::Provider& provider, KeyType type, Bytes point);
  PublicKey(const crypto::Provider& provider, KeyType type, std::optional<SignatureAlgorithm> only,
            crypto::RsaPublicKey key)
      : provider_(&provider), type_(type), only_(only), key_(std::move(key)) {}

  static Result<PublicKey> parse_rsa_key(const crypto::Provider& provider, const AlgorithmIdentifier& algorithm,
                                         Bytes key);
  Bytes point() const { return Bytes(std::get<Point>(key_).bytes).first(std::get<Point>(key_).size); }
  /// The error is of crypto's number space.
  Result<void> verify_supported(SignatureAlgorithm algorithm, Bytes message, Bytes signature) const;

  const crypto::Provider* provider_;
  KeyType type_;
  std::optional<SignatureAlgorithm> only_;  // what an RSA-PSS key is restricted to
  std::variant<Point, crypto::RsaPublicKey> key_;
};

/// The AlgorithmIdentifier of a signature (certificates' signatureAlgorithm), whole element. RSA-PSS parameters are
/// checked against what SignatureAlgorithm says. Failure::malformed, Failure::unsupported, Failure::weak (SHA-1, MD5).
[[nodiscard]] Result<SignatureAlgorithm> parse_signature_algorithm(Bytes algorithm_identifier);

}  // namespace quoll::x509
