// The AlgorithmIdentifiers of signatures: RFC 4055 (RSA), RFC 5758 (ECDSA), RFC 8410 (Ed25519).
#include "tls/x509/der_values.h"
#include "tls/x509/failure.h"
#include "tls/x509/oids.h"
#include "tls/x509/pss_parameters.h"

namespace quoll::x509 {
namespace {

using crypto::DerReader;
using crypto::DerTag;

constexpr uint64_t kDefaultSaltLength = 20;  // RFC 4055 §3.1
constexpr uint64_t kTrailerField = 1;        // the only one: 0xbc

struct PssHash {
  Bytes oid;
  SignatureAlgorithm algorithm;
  uint64_t size;  // bytes
};

constexpr PssHash kPssHashes[] = {
    {oid::kSha256, SignatureAlgorithm::rsa_pss_sha256, 32},
    {oid::kSha384, SignatureAlgorithm::rsa_pss_sha384, 48},
    {oid::kSha512, SignatureAlgorithm::rsa_pss_sha512, 64},
};

/// The explicitly tagged element [number], which is optional. Empty when it is absent.
std::optional<DerReader> enter_optional(DerReader& sequence, uint8_t number) {
  const DerTag tag = crypto::der_context_tag(number, true);
  if (!sequence.next_is(tag)) return std::nullopt;
  return sequence.enter(tag);
}

/// RFC 4055 §2.1: NULL and absent parameters of a hash are equivalent.
bool has_no_parameters(const AlgorithmIdentifier& hash) { return !hash.parameters || hash.parameters_are_null(); }

std::optional<AlgorithmIdentifier> read_only_algorithm(DerReader reader) {
  std::optional<AlgorithmIdentifier> algorithm = read_algorithm_identifier(reader);
  if (!reader.finished()) return std::nullopt;
  return algorithm;
}

/// The hash that maskGenAlgorithm names.
Result<AlgorithmIdentifier> read_mask_hash(DerReader reader) {
  const std::optional<AlgorithmIdentifier> generator = read_only_algorithm(reader);
  if (!generator) return refuse(Failure::malformed, "bad mask generation function");
  if (!oid::is(generator->oid, oid::kMgf1)) {
    return refuse(Failure::unsupported, "a mask generation function other than MGF1");
  }
  const std::optional<AlgorithmIdentifier> hash =
      read_only_algorithm(DerReader(generator->parameters.value_or(Bytes())));
  if (!hash || !has_no_parameters(*hash)) return refuse(Failure::malformed, "bad hash of MGF1");
  return *hash;
}

/// [2] and [3], the INTEGERs behind the algorithms.
bool read_numbers(DerReader& sequence, uint64_t& salt_length, uint64_t& trailer) {
  uint8_t number = 2;
  for (uint64_t* value : {&salt_length, &trailer}) {
    std::optional<DerReader> field = enter_optional(sequence, number++);
    if (!field) continue;
    const std::optional<uint64_t> integer = field->read_small_integer();
    if (!integer || !field->finished()) return false;
    *value = *integer;
  }
  return sequence.finished();
}

struct KnownAlgorithm {
  Bytes oid;
  SignatureAlgorithm algorithm;
  bool may_have_null;
};

// RFC 4055 §5: the parameters of the PKCS#1 algorithms are NULL, but must be accepted when absent.
// RFC 5758 §3.2, RFC 8410 §3: the others have none.
constexpr KnownAlgorithm kKnownAlgorithms[] = {
    {oid::kSha256WithRsa, SignatureAlgorithm::rsa_pkcs1_sha256, true},
    {oid::kSha384WithRsa, SignatureAlgorithm::rsa_pkcs1_sha384, true},
    {oid::kSha512WithRsa, SignatureAlgorithm::rsa_pkcs1_sha512, true},
    {oid::kEcdsaWithSha256, SignatureAlgorithm::ecdsa_sha256, false},
    {oid::kEcdsaWithSha384, SignatureAlgorithm::ecdsa_sha384, false},
    {oid::kEcdsaWithSha512, SignatureAlgorithm::ecdsa_sha512, false},
    {oid::kEd25519, SignatureAlgorithm::ed25519, false},
};

constexpr Bytes kWeakAlgorithms[] = {oid::kMd2WithRsa, oid::kMd5WithRsa, oid::kSha1WithRsa, oid::kEcdsaWithSha1};

Result<SignatureAlgorithm> parse_pss(const AlgorithmIdentifier& identifier) {
  // RFC 4055 §3.1: a signature's parameters must be present.
  if (!identifier.parameters) return refuse(Failure::malformed, "an RSA-PSS signature without parameters");
  const Result<PssParameters> parameters = parse_pss_parameters(*identifier.parameters);
  if (!parameters) return std::unexpected(parameters.error());
  if (parameters->salt_length != parameters->hash_size) {
    return refuse(Failure::unsupported, "an RSA-PSS salt that is not as long as the hash");
  }
  return parameters->algorithm;
}

}  // namespace

Result<PssParameters> parse_pss_parameters(Bytes parameters) {
  DerReader outer(parameters);
  DerReader sequence = outer.enter(DerTag::sequence);
  if (!outer.finished()) return refuse(Failure::malformed, "bad RSA-PSS parameters");

  const std::optional<DerReader> hash_field = enter_optional(sequence, 0);
  const std::optional<DerReader> mask_field = enter_optional(sequence, 1);
  uint64_t salt_length = kDefaultSaltLength, trailer = kTrailerField;
  if (!read_numbers(sequence, salt_length, trailer)) return refuse(Failure::malformed, "bad RSA-PSS parameters");

  if (!hash_field) return refuse(Failure::weak, "RSA-PSS with SHA-1");  // the default
  const std::optional<AlgorithmIdentifier> hash = read_only_algorithm(*hash_field);
  if (!hash || !has_no_parameters(*hash)) return refuse(Failure::malformed, "bad hash of RSA-PSS");
  if (oid::is(hash->oid, oid::kSha1)) return refuse(Failure::weak, "RSA-PSS with SHA-1");
  if (!mask_field) return refuse(Failure::unsupported, "MGF1 with another hash than the message's");  // SHA-1
  const Result<AlgorithmIdentifier> mask_hash = read_mask_hash(*mask_field);
  if (!mask_hash) return std::unexpected(mask_hash.error());
  if (!oid::is(mask_hash->oid, hash->oid)) {
    return refuse(Failure::unsupported, "MGF1 with another hash than the message's");
  }
  if (trailer != kTrailerField) return refuse(Failure::unsupported, "an RSA-PSS trailer other than 1");

  for (const PssHash& known : kPssHashes) {
    if (!oid::is(hash->oid, known.oid)) continue;
    return PssParameters{.algorithm = known.algorithm, .salt_length = salt_length, .hash_size = known.size};
  }
  return refuse(Failure::unsupported, "RSA-PSS with a hash that is not supported");
}

Result<SignatureAlgorithm> parse_signature_algorithm(Bytes algorithm_identifier) {
  const std::optional<AlgorithmIdentifier> identifier = read_only_algorithm(DerReader(algorithm_identifier));
  if (!identifier) return refuse(Failure::malformed, "bad signature algorithm");
  if (oid::is(identifier->oid, oid::kRsassaPss)) return parse_pss(*identifier);
  for (const KnownAlgorithm& known : kKnownAlgorithms) {
    if (!oid::is(identifier->oid, known.oid)) continue;
    if (identifier->parameters && !(known.may_have_null && identifier->parameters_are_null())) {
      return refuse(Failure::malformed, "a signature algorithm with parameters that it does not have");
    }
    return known.algorithm;
  }
  for (const Bytes weak : kWeakAlgorithms) {
    if (oid::is(identifier->oid, weak)) return refuse(Failure::weak, "a signature with MD2, MD5 or SHA-1");
  }
  return refuse(Failure::unsupported, "an unknown signature algorithm");
}

}  // namespace quoll::x509
