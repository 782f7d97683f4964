// Private keys: from PKCS#8 (RFC 5208, RFC 5958), SEC 1 (RFC 5915) and PKCS#1 (RFC 8017), signing, generating.
//
// What is taken belongs together: a scalar is in its range, a public key that comes along is the private key's own.
// Wiped on destruction. An encrypted key is refused with a reason that says so. Errors of parsing: Failure::malformed,
// Failure::unsupported (another algorithm, curve or version), Failure::weak (a scalar of zero or not below the order,
// RSA outside of 2048 to 4096 bits, components that do not fit each other).
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "tls/x509/public_key.h"

namespace quoll::x509 {

inline constexpr size_t kSignatureSizeMax = crypto::kRsaModulusSizeMax;

class PrivateKey {
 public:
  /// Any of the three DER forms. The provider must outlive the key.
  [[nodiscard]] static Result<PrivateKey> parse_der(const crypto::Provider& provider, Bytes der);
  /// The first private key of a PEM text ("PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY"); other blocks are skipped.
  /// Failure::malformed when there is none.
  [[nodiscard]] static Result<PrivateKey> parse_pem(const crypto::Provider& provider, std::string_view pem);
  /// A new key; not for RSA (Failure::unsupported).
  [[nodiscard]] static Result<PrivateKey> generate(const crypto::Provider& provider, KeyType type, Rng& rng);

  PrivateKey(PrivateKey&&) noexcept;
  PrivateKey& operator=(PrivateKey&&) noexcept;
  ~PrivateKey();

  const crypto::Provider& provider() const;
  KeyType type() const;
  /// The SubjectPublicKeyInfo of the public half, DER.
  Bytes public_key_info() const;
  /// Whether the key can make signatures of this algorithm. ECDSA takes any of the three hashes; a PSS key whose
  /// parameters name a hash takes that one alone (RFC 4055 §3.3).
  bool supports(SignatureAlgorithm algorithm) const;
  /// The algorithm for signatures that nobody negotiates, such as a certificate's: the hash is as strong as the key,
  /// RSA keys sign by PKCS#1 v1.5.
  SignatureAlgorithm preferred_algorithm() const;
  /// Bytes that a signature takes at most.
  size_t signature_size_max() const;

  /// Signs `message` (hashing it as the algorithm says) into `signature` of at least signature_size_max() bytes;
  /// returns the signature's size. Failure::unsupported when the key does not support the algorithm. `rng` gives RSA's
  /// salt and blinding; the other algorithms are deterministic.
  [[nodiscard]] Result<size_t> sign(SignatureAlgorithm algorithm, Rng& rng, Bytes message, MutBytes signature) const;

  /// PKCS#8 of version 1 in DER, which all read; the caller wipes it.
  std::vector<uint8_t> to_pkcs8() const;

 private:
  struct Parts;
  explicit PrivateKey(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace quoll::x509
