#include "tls/x509/public_key.h"

#include <algorithm>
#include <bit>

#include "crypto/failure.h"
#include "tls/x509/der_values.h"
#include "tls/x509/failure.h"
#include "tls/x509/oids.h"
#include "tls/x509/pss_parameters.h"

namespace quoll::x509 {
namespace {

using crypto::DerReader;
using crypto::DerTag;

constexpr uint8_t kUncompressed = 0x04;  // SEC 1 §2.3.3
constexpr size_t kFieldBitsEd25519 = 256;

/// A SubjectPublicKeyInfo taken apart.
struct KeyInfo {
  AlgorithmIdentifier algorithm;
  Bytes key;  // the bits
};

std::optional<KeyInfo> read_key_info(Bytes spki) {
  DerReader outer(spki);
  DerReader sequence = outer.enter(DerTag::sequence);
  const std::optional<AlgorithmIdentifier> algorithm = read_algorithm_identifier(sequence);
  const std::optional<Bytes> key = sequence.read_bit_string_bytes();
  if (!algorithm || !key || !sequence.finished() || !outer.finished()) return std::nullopt;
  return KeyInfo{.algorithm = *algorithm, .key = *key};
}

/// The errors of crypto in our number space.
std::unexpected<Error> refuse_rsa(const Error& error) {
  const bool malformed = error.code == static_cast<uint64_t>(crypto::Failure::malformed);
  return refuse(malformed ? Failure::malformed : Failure::weak, error.reason);
}

/// RSAPublicKey (RFC 8017 appendix A.1.1).
Result<crypto::RsaPublicKey> parse_rsa(const crypto::Provider& provider, Bytes key) {
  DerReader outer(key);
  DerReader sequence = outer.enter(DerTag::sequence);
  const std::optional<Bytes> modulus = sequence.read_unsigned_integer();
  const std::optional<Bytes> exponent = sequence.read_unsigned_integer();
  if (!modulus || !exponent || !sequence.finished() || !outer.finished()) {
    return refuse(Failure::malformed, "bad RSA public key");
  }
  if (modulus->size() > crypto::kRsaModulusSizeMax) {
    return refuse(Failure::unsupported, "an RSA key above 4096 bits");
  }
  Result<crypto::RsaPublicKey> rsa = crypto::RsaPublicKey::create(*provider.rsa, *modulus, *exponent);
  if (!rsa) return refuse_rsa(rsa.error());
  return rsa;
}

/// What a key of id-RSASSA-PSS is restricted to; nothing when it has no parameters (RFC 4055 §3.3).
Result<std::optional<SignatureAlgorithm>> parse_restriction(const AlgorithmIdentifier& algorithm) {
  if (!algorithm.parameters) return std::nullopt;
  const Result<PssParameters> parameters = parse_pss_parameters(*algorithm.parameters);
  if (!parameters) return std::unexpected(parameters.error());
  // RFC 4055 §3.3: a signature's salt is at least as long as the key says, and our salts are as long as the hash.
  if (parameters->salt_length > parameters->hash_size) {
    return refuse(Failure::unsupported, "an RSA-PSS key that wants a salt longer than the hash");
  }
  return parameters->algorithm;
}

struct Curve {
  Bytes oid;
  KeyType type;
  const crypto::Ecdsa* ecdsa;
};

/// RFC 5480 §2.1.1: namedCurve; the other choices must not be used.
Result<Curve> parse_curve(const crypto::Provider& provider, const AlgorithmIdentifier& algorithm) {
  if (!algorithm.parameters) return refuse(Failure::malformed, "an elliptic-curve key without a curve");
  DerReader reader(*algorithm.parameters);
  if (reader.next_is(DerTag::sequence) || reader.next_is(DerTag::null)) {
    return refuse(Failure::unsupported, "an elliptic-curve key whose curve has no name");
  }
  const std::optional<Bytes> name = read_oid(reader);
  if (!name) return refuse(Failure::malformed, "bad name of an elliptic curve");
  const Curve curves[] = {
      {oid::kP256, KeyType::ecdsa_p256, provider.ecdsa_p256},
      {oid::kP384, KeyType::ecdsa_p384, provider.ecdsa_p384},
  };
  for (const Curve& curve : curves) {
    if (oid::is(*name, curve.oid)) return curve;
  }
  return refuse(Failure::unsupported, "an elliptic curve that is not supported");
}

Result<void> check_point(const crypto::Ecdsa& ecdsa, Bytes point) {
  const size_t field_size = ecdsa.scalar_size;
  if (point.size() == 1 + field_size && (point[0] == 0x02 || point[0] == 0x03)) {
    return refuse(Failure::unsupported, "a compressed point");  // RFC 5480 §2.2: may be supported
  }
  if (point.size() != ecdsa.public_key_size || point[0] != kUncompressed) {
    return refuse(Failure::malformed, "a point of a wrong form");
  }
  if (!ecdsa.is_public_key(point.data())) return refuse(Failure::weak, "a point that is not on the curve");
  return {};
}

bool is_rsa_pss(SignatureAlgorithm algorithm) {
  return algorithm == SignatureAlgorithm::rsa_pss_sha256 || algorithm == SignatureAlgorithm::rsa_pss_sha384 ||
         algorithm == SignatureAlgorithm::rsa_pss_sha512;
}

bool is_rsa_pkcs1(SignatureAlgorithm algorithm) {
  return algorithm == SignatureAlgorithm::rsa_pkcs1_sha256 || algorithm == SignatureAlgorithm::rsa_pkcs1_sha384 ||
         algorithm == SignatureAlgorithm::rsa_pkcs1_sha512;
}

bool is_ecdsa(SignatureAlgorithm algorithm) {
  return algorithm == SignatureAlgorithm::ecdsa_sha256 || algorithm == SignatureAlgorithm::ecdsa_sha384 ||
         algorithm == SignatureAlgorithm::ecdsa_sha512;
}

/// The hash of the message; Ed25519 has one within, and is given the message itself.
const crypto::HashAlgorithm& hash_of(const crypto::Provider& provider, SignatureAlgorithm algorithm) {
  switch (algorithm) {
    case SignatureAlgorithm::rsa_pkcs1_sha256:
    case SignatureAlgorithm::rsa_pss_sha256:
    case SignatureAlgorithm::ecdsa_sha256:
      return *provider.sha256;
    case SignatureAlgorithm::rsa_pkcs1_sha384:
    case SignatureAlgorithm::rsa_pss_sha384:
    case SignatureAlgorithm::ecdsa_sha384:
      return *provider.sha384;
    case SignatureAlgorithm::rsa_pkcs1_sha512:
    case SignatureAlgorithm::rsa_pss_sha512:
    case SignatureAlgorithm::ecdsa_sha512:
    case SignatureAlgorithm::ed25519:
      break;
  }
  return *provider.sha512;
}

}  // namespace

PublicKey::PublicKey(const crypto::Provider& provider, KeyType type, Bytes point)
    : provider_(&provider), type_(type), key_(Point{}) {
  Point& own = std::get<Point>(key_);
  own.size = static_cast<uint8_t>(point.size());
  copy_bytes(own.bytes.data(), point);
}

Result<PublicKey> PublicKey::parse(const crypto::Provider& provider, Bytes spki) {
  const std::optional<KeyInfo> info = read_key_info(spki);
  if (!info) return refuse(Failure::malformed, "bad public key info");
  const AlgorithmIdentifier& algorithm = info->algorithm;
  if (oid::is(algorithm.oid, oid::kRsaEncryption) || oid::is(algorithm.oid, oid::kRsassaPss)) {
    return parse_rsa_key(provider, algorithm, info->key);
  }
  if (oid::is(algorithm.oid, oid::kEcPublicKey)) {
    const Result<Curve> curve = parse_curve(provider, algorithm);
    if (!curve) return std::unexpected(curve.error());
    if (const Result<void> on_curve = check_point(*curve->ecdsa, info->key); !on_curve) {
      return std::unexpected(on_curve.error());
    }
    return PublicKey(provider, curve->type, info->key);
  }
  if (oid::is(algorithm.oid, oid::kEd25519)) {
    if (algorithm.parameters) return refuse(Failure::malformed, "an Ed25519 key with parameters");  // RFC 8410 §3
    if (info->key.size() != crypto::kEd25519PublicKeySize) return refuse(Failure::malformed, "bad Ed25519 key");
    return PublicKey(provider, KeyType::ed25519, info->key);
  }
  return refuse(Failure::unsupported, "a kind of public key that is not supported");
}

Result<PublicKey> PublicKey::parse_rsa_key(const crypto::Provider& provider, const AlgorithmIdentifier& algorithm,
                                           Bytes key) {
  const bool is_pss = oid::is(algorithm.oid, oid::kRsassaPss);
  // RFC 4055 §1.2: of rsaEncryption the parameters must be NULL.
  if (!is_pss && !algorithm.parameters_are_null()) {
    return refuse(Failure::malformed, "an RSA key whose parameters are not NULL");
  }
  Result<std::optional<SignatureAlgorithm>> only = std::nullopt;
  if (is_pss) only = parse_restriction(algorithm);
  if (!only) return std::unexpected(only.error());
  Result<crypto::RsaPublicKey> rsa = parse_rsa(provider, key);
  if (!rsa) return std::unexpected(rsa.error());
  return PublicKey(provider, is_pss ? KeyType::rsa_pss : KeyType::rsa, *only, std::move(*rsa));
}

size_t PublicKey::bits() const {
  switch (type_) {
    case KeyType::rsa:
    case KeyType::rsa_pss:
      return std::get<crypto::RsaPublicKey>(key_).modulus_bits();
    case KeyType::ecdsa_p256:
      return provider_->ecdsa_p256->scalar_size * 8;
    case KeyType::ecdsa_p384:
      return provider_->ecdsa_p384->scalar_size * 8;
    case KeyType::ed25519:
      return kFieldBitsEd25519;
  }
  return 0;
}

bool PublicKey::supports(SignatureAlgorithm algorithm) const {
  switch (type_) {
    case KeyType::rsa:
      return is_rsa_pkcs1(algorithm) || is_rsa_pss(algorithm);
    case KeyType::rsa_pss:
      return is_rsa_pss(algorithm) && (!only_ || *only_ == algorithm);
    case KeyType::ecdsa_p256:
    case KeyType::ecdsa_p384:
      return is_ecdsa(algorithm);
    case KeyType::ed25519:
      return algorithm == SignatureAlgorithm::ed25519;
  }
  return false;
}

Result<void> PublicKey::verify(SignatureAlgorithm algorithm, Bytes message, Bytes signature) const {
  if (!supports(algorithm)) return refuse(Failure::bad_signature, "a signature algorithm that the key does not have");
  if (const Result<void> verified = verify_supported(algorithm, message, signature); !verified) {
    return refuse(Failure::bad_signature, verified.error().reason);
  }
  return {};
}

Result<void> PublicKey::verify_supported(SignatureAlgorithm algorithm, Bytes message, Bytes signature) const {
  const crypto::HashAlgorithm& hash = hash_of(*provider_, algorithm);
  if (type_ == KeyType::ed25519) {
    return crypto::ed25519_verify(*provider_->ed25519, hash, point(), message, signature);
  }
  const crypto::Digest digest = crypto::hash(hash, message);
  if (type_ == KeyType::ecdsa_p256) return crypto::ecdsa_verify(*provider_->ecdsa_p256, point(), digest, signature);
  if (type_ == KeyType::ecdsa_p384) return crypto::ecdsa_verify(*provider_->ecdsa_p384, point(), digest, signature);
  const crypto::RsaPublicKey& rsa = std::get<crypto::RsaPublicKey>(key_);
  return is_rsa_pss(algorithm) ? rsa.verify_pss(hash, digest, signature) : rsa.verify_pkcs1(hash, digest, signature);
}

}  // namespace quoll::x509
