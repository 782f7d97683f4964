#include "tls/x509/private_key.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "crypto/ct.h"
#include "crypto/der.h"
#include "crypto/failure.h"
#include "crypto/group.h"
#include "tls/x509/algorithm_identifier.h"
#include "tls/x509/build_der.h"
#include "tls/x509/failure.h"
#include "tls/x509/pem.h"
#include "tls/x509/private_key_forms.h"

namespace quoll::x509 {
namespace {

namespace ct = crypto::ct;
using crypto::DerReader;
using crypto::DerTag;
using crypto::DerWriter;

/// The curve of an ECDSA key.
const crypto::Group& group_of(const crypto::Provider& provider, KeyType type) {
  return type == KeyType::ecdsa_p256 ? *provider.p256 : *provider.p384;
}
const crypto::Ecdsa& ecdsa_of(const crypto::Provider& provider, KeyType type) {
  return type == KeyType::ecdsa_p256 ? *provider.ecdsa_p256 : *provider.ecdsa_p384;
}

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
      return *provider.sha512;
  }
  return *provider.sha256;
}

enum class Family : uint8_t { rsa_pkcs1, rsa_pss, ecdsa, ed25519 };

Family family_of(SignatureAlgorithm algorithm) {
  switch (algorithm) {
    case SignatureAlgorithm::rsa_pkcs1_sha256:
    case SignatureAlgorithm::rsa_pkcs1_sha384:
    case SignatureAlgorithm::rsa_pkcs1_sha512:
      return Family::rsa_pkcs1;
    case SignatureAlgorithm::rsa_pss_sha256:
    case SignatureAlgorithm::rsa_pss_sha384:
    case SignatureAlgorithm::rsa_pss_sha512:
      return Family::rsa_pss;
    case SignatureAlgorithm::ecdsa_sha256:
    case SignatureAlgorithm::ecdsa_sha384:
    case SignatureAlgorithm::ecdsa_sha512:
      return Family::ecdsa;
    case SignatureAlgorithm::ed25519:
      return Family::ed25519;
  }
  return Family::ed25519;
}

/// What crypto says of a key, in the words of this module.
std::unexpected<Error> refuse_key(const Error& error) {
  const bool malformed = error.code == static_cast<uint64_t>(crypto::Failure::malformed);
  return refuse(malformed ? Failure::malformed : Failure::weak, error.reason);
}

/// Whether `point`, compressed or not (RFC 5480 §2.2), is the one that `uncompressed` encodes.
bool same_point(Bytes point, Bytes uncompressed) {
  if (point.empty() || point[0] == uncompressed[0]) return std::ranges::equal(point, uncompressed);
  const size_t x_size = (uncompressed.size() - 1) / 2;
  const auto compressed_form = static_cast<uint8_t>(2 | (uncompressed.back() & 1));
  return point[0] == compressed_form && std::ranges::equal(point.subspan(1), uncompressed.subspan(1, x_size));
}

}  // namespace

struct PrivateKey::Parts {
  Parts(const crypto::Provider& key_provider, KeyType key_type) : provider(key_provider), type(key_type) {}
  ~Parts() { ct::wipe(rsa_der.data(), rsa_der.size()); }
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;

  static Result<std::unique_ptr<Parts>> from_curve(const crypto::Provider& provider, const CurveForm& form);
  static Result<std::unique_ptr<Parts>> from_rsa(const crypto::Provider& provider, const RsaForm& form);

  bool is_rsa() const { return type == KeyType::rsa || type == KeyType::rsa_pss; }
  /// Of an ECDSA scalar or an Ed25519 seed.
  size_t scalar_size() const {
    return type == KeyType::ed25519 ? crypto::kEd25519SeedSize : group_of(provider, type).private_key_size;
  }
  Bytes scalar_bytes() const { return scalar.bytes().first(scalar_size()); }
  MutBytes scalar_bytes() { return MutBytes(scalar).first(scalar_size()); }

  /// Computes the public half of `scalar`, and the SubjectPublicKeyInfo.
  Result<void> derive();
  void write_info(Bytes algorithm);

  void write_private_key(DerWriter& writer) const;

  const crypto::Provider& provider;
  KeyType type;
  crypto::Secret<crypto::kPrivateKeySizeMax> scalar;
  std::optional<crypto::RsaPrivateKey> rsa;
  std::vector<uint8_t> rsa_der;                // RSAPrivateKey
  std::optional<SignatureAlgorithm> pss_only;  // what the parameters of a PSS key restrict it to
  std::vector<uint8_t> public_key;             // contents of the BIT STRING
  std::vector<uint8_t> info;                   // SubjectPublicKeyInfo
};

Result<void> PrivateKey::Parts::derive() {
  Result<void> derived;
  if (type == KeyType::ed25519) {
    public_key.resize(crypto::kEd25519PublicKeySize);
    derived = crypto::ed25519_public_key(*provider.ed25519, *provider.sha512, scalar_bytes(), public_key);
  } else {
    const crypto::Group& group = group_of(provider, type);
    public_key.resize(group.public_key_size);
    derived = crypto::derive_public(group, scalar_bytes(), public_key);
  }
  if (!derived) return refuse_key(derived.error());
  write_info(key_algorithm_identifier(type));
  return {};
}

void PrivateKey::Parts::write_info(Bytes algorithm) {
  info = build_der([&](DerWriter& writer) {
    const size_t sequence = writer.open(DerTag::sequence);
    writer.write_element(algorithm);
    writer.write_bit_string_bytes(public_key);
    writer.close(sequence);
  });
}

Result<std::unique_ptr<PrivateKey::Parts>> PrivateKey::Parts::from_curve(const crypto::Provider& provider,
                                                                         const CurveForm& form) {
  auto parts = std::make_unique<Parts>(provider, form.type);
  const MutBytes scalar = parts->scalar_bytes();
  if (form.scalar.empty() || form.scalar.size() > scalar.size() ||
      (form.type == KeyType::ed25519 && form.scalar.size() != scalar.size())) {
    return refuse(Failure::malformed, "a private key of another size than its curve's");
  }
  // RFC 5915 §3 wants as many octets as the order has; old writers left zeros at the start away.
  copy_bytes(scalar.data() + (scalar.size() - form.scalar.size()), form.scalar);
  if (auto derived = parts->derive(); !derived) return std::unexpected(derived.error());
  for (const std::optional<Bytes>& claimed : form.public_keys) {
    if (claimed && !same_point(*claimed, parts->public_key)) {
      return refuse(Failure::malformed, "a private key with the public key of another one");
    }
  }
  return parts;
}

Result<std::unique_ptr<PrivateKey::Parts>> PrivateKey::Parts::from_rsa(const crypto::Provider& provider,
                                                                       const RsaForm& form) {
  auto rsa = crypto::RsaPrivateKey::parse(*provider.rsa, form.private_key);
  if (!rsa) return refuse_key(rsa.error());
  auto parts = std::make_unique<Parts>(provider, form.type);
  parts->rsa = std::move(*rsa);
  parts->rsa_der.assign(form.private_key.begin(), form.private_key.end());
  parts->pss_only = form.pss_only;

  DerReader reader(form.private_key);
  DerReader sequence = reader.enter(DerTag::sequence);
  (void)sequence.read_unsigned_integer();  // the version
  const std::optional<Bytes> modulus = sequence.read_unsigned_integer();
  const std::optional<Bytes> exponent = sequence.read_unsigned_integer();
  parts->public_key = build_der([&](DerWriter& writer) {  // RSAPublicKey, RFC 8017 appendix A.1.1
    const size_t opened = writer.open(DerTag::sequence);
    writer.write_unsigned_integer(modulus.value_or(Bytes()));
    writer.write_unsigned_integer(exponent.value_or(Bytes()));
    writer.close(opened);
  });
  parts->write_info(form.algorithm);
  if (form.public_key && !std::ranges::equal(*form.public_key, parts->public_key)) {
    return refuse(Failure::malformed, "a private key with the public key of another one");
  }
  return parts;
}

Result<PrivateKey> PrivateKey::parse_der(const crypto::Provider& provider, Bytes der) {
  const Result<PrivateKeyForm> form = parse_private_key_form(der);
  if (!form) return std::unexpected(form.error());
  const CurveForm* const curve = std::get_if<CurveForm>(&*form);
  auto parts = curve ? Parts::from_curve(provider, *curve) : Parts::from_rsa(provider, std::get<RsaForm>(*form));
  if (!parts) return std::unexpected(parts.error());
  return PrivateKey(std::move(*parts));
}

Result<PrivateKey> PrivateKey::parse_pem(const crypto::Provider& provider, std::string_view pem) {
  const auto blocks = x509::parse_pem(pem);
  if (!blocks) return std::unexpected(blocks.error());
  for (const PemBlock& block : *blocks) {
    if (block.label == "ENCRYPTED PRIVATE KEY") {
      return refuse(Failure::unsupported, "the private key is encrypted: decrypt it first");
    }
    if (block.label == "PRIVATE KEY" || block.label == "EC PRIVATE KEY" || block.label == "RSA PRIVATE KEY") {
      return parse_der(provider, block.contents);
    }
  }
  return refuse(Failure::malformed, "no private key in the PEM text");
}

Result<PrivateKey> PrivateKey::generate(const crypto::Provider& provider, KeyType type, Rng& rng) {
  auto parts = std::make_unique<Parts>(provider, type);
  if (parts->is_rsa()) return refuse(Failure::unsupported, "RSA keys are used, but not generated");
  const MutBytes scalar = parts->scalar_bytes();
  if (type == KeyType::ed25519) {
    rng.fill(scalar);
  } else {
    const crypto::Group& group = group_of(provider, type);
    std::vector<uint8_t> public_key(group.public_key_size);
    if (auto made = crypto::generate(group, rng, scalar, public_key); !made) return std::unexpected(made.error());
  }
  if (auto derived = parts->derive(); !derived) return std::unexpected(derived.error());
  return PrivateKey(std::move(parts));
}

PrivateKey::PrivateKey(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
PrivateKey::PrivateKey(PrivateKey&&) noexcept = default;
PrivateKey& PrivateKey::operator=(PrivateKey&&) noexcept = default;
PrivateKey::~PrivateKey() = default;

const crypto::Provider& PrivateKey::provider() const { return parts_->provider; }
KeyType PrivateKey::type() const { return parts_->type; }
Bytes PrivateKey::public_key_info() const { return parts_->info; }

bool PrivateKey::supports(SignatureAlgorithm algorithm) const {
  switch (family_of(algorithm)) {
    case Family::rsa_pkcs1:
      return type() == KeyType::rsa;
    case Family::rsa_pss:
      return parts_->is_rsa() && parts_->pss_only.value_or(algorithm) == algorithm;
    case Family::ecdsa:
      return type() == KeyType::ecdsa_p256 || type() == KeyType::ecdsa_p384;
    case Family::ed25519:
      return type() == KeyType::ed25519;
  }
  return false;
}

SignatureAlgorithm PrivateKey::preferred_algorithm() const {
  switch (type()) {
    case KeyType::rsa:
      return SignatureAlgorithm::rsa_pkcs1_sha256;
    case KeyType::rsa_pss:
      return parts_->pss_only.value_or(SignatureAlgorithm::rsa_pss_sha256);
    case KeyType::ecdsa_p256:
      return SignatureAlgorithm::ecdsa_sha256;
    case KeyType::ecdsa_p384:
      return SignatureAlgorithm::ecdsa_sha384;
    case KeyType::ed25519:
      return SignatureAlgorithm::ed25519;
  }
  return SignatureAlgorithm::ed25519;
}

size_t PrivateKey::signature_size_max() const {
  switch (type()) {
    case KeyType::rsa:
    case KeyType::rsa_pss:
      return parts_->rsa->public_key().modulus_size();
    case KeyType::ecdsa_p256:
    case KeyType::ecdsa_p384:
      return crypto::kEcdsaSignatureSizeMax;
    case KeyType::ed25519:
      return crypto::kEd25519SignatureSize;
  }
  return kSignatureSizeMax;
}

Result<size_t> PrivateKey::sign(SignatureAlgorithm algorithm, Rng& rng, Bytes message, MutBytes signature) const {
  if (!supports(algorithm)) return refuse(Failure::unsupported, "the key makes no signatures of this algorithm");
  const size_t size = signature_size_max();
  if (signature.size() < size) return usage_error("no room for the signature");
  const MutBytes out = signature.first(size);
  const crypto::Provider& provider = parts_->provider;
  if (type() == KeyType::ed25519) {
    const auto done = crypto::ed25519_sign(*provider.ed25519, *provider.sha512, parts_->scalar_bytes(),
                                           parts_->public_key, message, out);
    if (!done) return std::unexpected(done.error());
    return size;
  }
  const crypto::HashAlgorithm& hash = hash_of(provider, algorithm);
  const crypto::Digest digest = crypto::hash(hash, message);
  if (!parts_->is_rsa()) {
    return crypto::ecdsa_sign(ecdsa_of(provider, type()), hash, parts_->scalar_bytes(), digest, out);
  }
  const auto done = family_of(algorithm) == Family::rsa_pss ? parts_->rsa->sign_pss(hash, rng, digest, out)
                                                            : parts_->rsa->sign_pkcs1(hash, rng, digest, out);
  if (!done) return std::unexpected(done.error());
  return size;
}

/// The contents of PKCS#8's privateKey.
void PrivateKey::Parts::write_private_key(DerWriter& writer) const {
  if (is_rsa()) return writer.write_element(rsa_der);
  if (type == KeyType::ed25519) return writer.write(DerTag::octet_string, scalar_bytes());  // RFC 8410 §7
  constexpr uint8_t kVersion = 1;
  const size_t sequence = writer.open(DerTag::sequence);  // RFC 5915 §3, without the curve, which PKCS#8 names
  writer.write_unsigned_integer(Bytes(&kVersion, 1));
  writer.write(DerTag::octet_string, scalar_bytes());
  const size_t tagged = writer.open(crypto::der_context_tag(1, true));
  writer.write_bit_string_bytes(public_key);
  writer.close(tagged);
  writer.close(sequence);
}

std::vector<uint8_t> PrivateKey::to_pkcs8() const {
  return build_der([&](DerWriter& writer) {
    DerReader info(parts_->info);
    const std::optional<Bytes> algorithm = info.enter(DerTag::sequence).read_element();
    const size_t sequence = writer.open(DerTag::sequence);
    writer.write_unsigned_integer({});  // version 1
    writer.write_element(algorithm.value_or(Bytes()));
    const size_t octets = writer.open(DerTag::octet_string);
    parts_->write_private_key(writer);
    writer.close(octets);
    writer.close(sequence);
  });
}

}  // namespace quoll::x509
