#include "tls/x509/certificate_extensions.h"

#include <array>

#include "tls/x509/der_values.h"
#include "tls/x509/failure.h"
#include "tls/x509/oids.h"

namespace quoll::x509 {
namespace {

using crypto::DerReader;
using crypto::DerTag;

std::unexpected<Error> malformed(const char* reason) { return refuse(Failure::malformed, reason); }

// Decoders take a reader over the contents of extnValue and return false when that is not what the RFC demands.

/// RFC 5280 §4.2.1.9.
bool decode_basic_constraints(DerReader value, bool critical, Certificate& certificate) {
  DerReader sequence = value.enter(DerTag::sequence);
  BasicConstraints constraints;
  constraints.critical = critical;
  if (sequence.next_is(DerTag::boolean)) {
    // An explicit FALSE is not DER, for it is the default; it is common, and accepted by all peers.
    const std::optional<bool> is_ca = read_boolean(sequence);
    if (!is_ca) return false;
    constraints.is_ca = *is_ca;
  }
  if (!sequence.at_end()) constraints.path_length = sequence.read_small_integer();
  if (!value.finished() || !sequence.finished()) return false;
  certificate.basic_constraints = constraints;
  return true;
}

/// RFC 5280 §4.2.1.3: at least one bit is set.
bool decode_key_usage(DerReader value, bool, Certificate& certificate) {
  const std::optional<BitString> bits = read_bit_string(value);
  if (!bits || !value.finished()) return false;
  constexpr size_t kBitCount = 9;
  uint16_t usage = 0;
  for (size_t bit = 0; bit < kBitCount; bit++) {
    if (bits->is_set(bit)) usage = static_cast<uint16_t>(usage | 1u << bit);
  }
  certificate.key_usage = usage;
  return usage != 0;
}

/// RFC 5280 §4.2.1.12.
bool decode_extended_key_usage(DerReader value, bool, Certificate& certificate) {
  DerReader sequence = value.enter(DerTag::sequence);
  std::vector<Bytes> purposes;
  while (!sequence.at_end()) {
    const std::optional<Bytes> purpose = read_oid(sequence);
    if (!purpose) return false;
    purposes.push_back(*purpose);
  }
  if (!value.finished() || !sequence.finished() || purposes.empty()) return false;  // SIZE (1..MAX)
  certificate.extended_key_usage = std::move(purposes);
  return true;
}

/// RFC 5280 §4.2.1.6.
bool decode_subject_alt_name(DerReader value, bool critical, Certificate& certificate) {
  certificate.subject_alt_names = read_general_names(value.enter(DerTag::sequence));
  certificate.subject_alt_names_critical = critical;
  return certificate.subject_alt_names && value.finished();
}

bool read_subtrees(DerReader& sequence, uint8_t number, std::vector<GeneralName>& names) {
  const DerTag tag = crypto::der_context_tag(number, true);
  if (!sequence.next_is(tag)) return true;
  std::optional<std::vector<GeneralName>> subtrees = read_general_subtrees(sequence.enter(tag));
  if (!subtrees) return false;
  names = std::move(*subtrees);
  return true;
}

/// RFC 5280 §4.2.1.10.
bool decode_name_constraints(DerReader value, bool critical, Certificate& certificate) {
  DerReader sequence = value.enter(DerTag::sequence);
  NameConstraints constraints;
  constraints.critical = critical;
  if (!read_subtrees(sequence, 0, constraints.permitted)) return false;
  if (!read_subtrees(sequence, 1, constraints.excluded)) return false;
  if (constraints.permitted.empty() && constraints.excluded.empty()) return false;  // must not be an empty sequence
  if (!value.finished() || !sequence.finished()) return false;
  certificate.name_constraints = std::move(constraints);
  return true;
}

/// RFC 5280 §4.2.1.2.
bool decode_subject_key_identifier(DerReader value, bool critical, Certificate& certificate) {
  certificate.subject_key_identifier = value.read(DerTag::octet_string);
  certificate.subject_key_identifier_critical = critical;
  return value.finished();
}

/// RFC 5280 §4.2.1.1.
bool decode_authority_key_identifier(DerReader value, bool critical, Certificate& certificate) {
  constexpr DerTag kKeyIdentifier = crypto::der_context_tag(0, false);
  constexpr DerTag kIssuer = crypto::der_context_tag(1, true);
  constexpr DerTag kSerialNumber = crypto::der_context_tag(2, false);
  DerReader sequence = value.enter(DerTag::sequence);
  AuthorityKeyIdentifier identifier;
  identifier.critical = critical;
  if (sequence.next_is(kKeyIdentifier)) identifier.key_identifier = sequence.read(kKeyIdentifier);
  const bool has_issuer = sequence.next_is(kIssuer);
  if (has_issuer && !read_general_names(sequence.enter(kIssuer))) return false;
  const bool has_serial = sequence.next_is(kSerialNumber);
  if (has_serial && sequence.read(kSerialNumber).value_or(Bytes()).empty()) return false;
  // RFC 5280 appendix A.2: authorityCertIssuer and authorityCertSerialNumber are both present or both absent.
  if (!value.finished() || !sequence.finished() || has_issuer != has_serial) return false;
  identifier.has_issuer_and_serial = has_issuer;
  certificate.authority_key_identifier = identifier;
  return true;
}

/// RFC 7633 §4.1: Features ::= SEQUENCE OF INTEGER.
bool decode_tls_feature(DerReader value, bool, Certificate& certificate) {
  DerReader sequence = value.enter(DerTag::sequence);
  std::vector<uint16_t> features;
  while (!sequence.at_end()) {
    const std::optional<uint64_t> feature = sequence.read_small_integer();
    if (!feature || *feature > UINT16_MAX) return false;  // the number of a TLS extension
    features.push_back(static_cast<uint16_t>(*feature));
  }
  if (!value.finished() || !sequence.finished()) return false;
  certificate.tls_features = std::move(features);
  return true;
}

struct KnownExtension {
  Bytes oid;
  bool (*decode)(DerReader value, bool critical, Certificate& certificate);
  const char* refusal;
};

// What is not here is unknown. That is so as well for extensions whose meaning is known but which nothing processes
// (authorityInfoAccess, cRLDistributionPoints, signed certificate timestamps): X.509 says of critical distribution
// points, for example, that the certificate must not be used without the list that they point to.
constexpr KnownExtension kKnownExtensions[] = {
    {oid::kBasicConstraints, decode_basic_constraints, "bad basicConstraints"},
    {oid::kKeyUsage, decode_key_usage, "bad keyUsage"},
    {oid::kExtendedKeyUsage, decode_extended_key_usage, "bad extKeyUsage"},
    {oid::kSubjectAltName, decode_subject_alt_name, "bad subjectAltName"},
    {oid::kNameConstraints, decode_name_constraints, "bad nameConstraints"},
    {oid::kSubjectKeyIdentifier, decode_subject_key_identifier, "bad subjectKeyIdentifier"},
    {oid::kAuthorityKeyIdentifier, decode_authority_key_identifier, "bad authorityKeyIdentifier"},
    {oid::kCertificatePolicies, decode_certificate_policies, "bad certificatePolicies"},
    {oid::kPolicyMappings, decode_policy_mappings, "bad policyMappings"},
    {oid::kPolicyConstraints, decode_policy_constraints, "bad policyConstraints"},
    {oid::kInhibitAnyPolicy, decode_inhibit_any_policy, "bad inhibitAnyPolicy"},
    {oid::kTlsFeature, decode_tls_feature, "bad TLS feature"},
};

struct Extension {
  Bytes oid;
  bool critical = false;
  Bytes value;
};

/// Extension ::= SEQUENCE { extnID OID, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING }
std::optional<Extension> read_extension(DerReader& extensions) {
  DerReader sequence = extensions.enter(DerTag::sequence);
  Extension extension;
  const std::optional<Bytes> oid = read_oid(sequence);
  if (!oid) return std::nullopt;
  extension.oid = *oid;
  if (sequence.next_is(DerTag::boolean)) {
    // X.690 §11.5: the default, FALSE, is not encoded. BoringSSL's path validation refuses it, too.
    if (read_boolean(sequence) != true) return std::nullopt;
    extension.critical = true;
  }
  const std::optional<Bytes> value = sequence.read(DerTag::octet_string);
  if (!value || !sequence.finished()) return std::nullopt;
  extension.value = *value;
  return extension;
}

/// Null, or why the extension is refused.
const char* decode(const Extension& extension, Certificate& certificate) {
  for (const KnownExtension& known : kKnownExtensions) {
    if (!oid::is(extension.oid, known.oid)) continue;
    return known.decode(DerReader(extension.value), extension.critical, certificate) ? nullptr : known.refusal;
  }
  // Microsoft's Application Policies are extKeyUsage once more: beside that, nothing is lost by not knowing them.
  // decode_extensions() looks whether it is there.
  if (extension.critical && !oid::is(extension.oid, oid::kMicrosoftApplicationPolicies)) {
    certificate.has_unknown_critical_extension = true;
  }
  return nullptr;
}

}  // namespace

Result<void> decode_extensions(Certificate& certificate) {
  DerReader extensions = DerReader(certificate.extensions).enter(DerTag::sequence);
  if (extensions.at_end()) return malformed("bad extensions");  // RFC 5280 §4.1: SIZE (1..MAX)
  std::array<Bytes, kExtensionCountMax> seen;
  size_t count = 0;
  bool critical_application_policies = false;
  while (!extensions.at_end()) {
    const std::optional<Extension> extension = read_extension(extensions);
    if (!extension) return malformed("bad extension");
    if (count == kExtensionCountMax) return refuse(Failure::limit, "too many extensions");
    for (size_t i = 0; i < count; i++) {  // RFC 5280 §4.2: no extension twice
      if (oid::is(seen[i], extension->oid)) return malformed("an extension appears twice");
    }
    seen[count++] = extension->oid;
    if (const char* refusal = decode(*extension, certificate)) return malformed(refusal);
    if (extension->critical && oid::is(extension->oid, oid::kMicrosoftApplicationPolicies)) {
      critical_application_policies = true;
    }
  }
  if (!extensions.finished()) return malformed("bad extensions");
  if (critical_application_policies && !certificate.extended_key_usage) {
    certificate.has_unknown_critical_extension = true;
  }
  return {};
}

}  // namespace quoll::x509
