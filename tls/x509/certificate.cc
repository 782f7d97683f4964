#include "tls/x509/certificate.h"

#include <algorithm>

#include "base/check.h"
#include "tls/x509/certificate_extensions.h"
#include "tls/x509/der_values.h"
#include "tls/x509/failure.h"
#include "tls/x509/name.h"

namespace quoll::x509 {
namespace {

using crypto::DerReader;
using crypto::DerTag;

constexpr DerTag kVersion = crypto::der_context_tag(0, true);
constexpr DerTag kIssuerUniqueId = crypto::der_context_tag(1, false);
constexpr DerTag kSubjectUniqueId = crypto::der_context_tag(2, false);
constexpr DerTag kExtensions = crypto::der_context_tag(3, true);

std::unexpected<Error> malformed(const char* reason) { return refuse(Failure::malformed, reason); }

/// Version ::= INTEGER { v1(0), v2(1), v3(2) }, by default v1, which DER therefore leaves out; 0 when it is none.
uint8_t read_version(DerReader& tbs) {
  if (!tbs.next_is(kVersion)) return 1;
  DerReader explicit_tag = tbs.enter(kVersion);
  const std::optional<uint64_t> value = explicit_tag.read_small_integer();
  if (!value || !explicit_tag.finished() || *value < 1 || *value > 2) return 0;
  return static_cast<uint8_t>(*value + 1);
}

std::optional<Bytes> read_name(DerReader& reader) {
  const std::optional<Bytes> name = read_whole(reader, DerTag::sequence);
  if (!name || !name_is_well_formed(*name)) return std::nullopt;
  return name;
}

/// Validity ::= SEQUENCE { notBefore Time, notAfter Time }
bool read_validity(DerReader& tbs, Certificate& certificate) {
  DerReader validity = tbs.enter(DerTag::sequence);
  const std::optional<UnixTime> not_before = read_time(validity);
  const std::optional<UnixTime> not_after = read_time(validity);
  if (!not_before || !not_after || !validity.finished()) return false;
  certificate.not_before = *not_before;
  certificate.not_after = *not_after;
  return true;
}

/// SubjectPublicKeyInfo as far as it is the same for all algorithms.
std::optional<Bytes> read_public_key_info(DerReader& tbs) {
  const std::optional<Bytes> element = read_whole(tbs, DerTag::sequence);
  if (!element) return std::nullopt;
  DerReader sequence = DerReader(*element).enter(DerTag::sequence);
  const bool has_algorithm = read_algorithm_identifier(sequence).has_value();
  const bool has_key = read_bit_string(sequence).has_value();
  if (!has_algorithm || !has_key || !sequence.finished()) return std::nullopt;
  return element;
}

bool skip_unique_id(DerReader& tbs, DerTag tag) {
  if (!tbs.next_is(tag)) return true;
  const std::optional<Bytes> contents = tbs.read(tag);  // an implicit BIT STRING
  return contents && !contents->empty() && (*contents)[0] < 8;
}

/// What stands behind the public key: RFC 5280 §4.1.2.8, §4.1.2.9.
Result<void> read_optional_fields(DerReader& tbs, Certificate& certificate) {
  if (tbs.at_end()) return {};
  const bool has_unique_id = tbs.next_is(kIssuerUniqueId) || tbs.next_is(kSubjectUniqueId);
  if (has_unique_id && certificate.version < 2) return malformed("unique identifiers in a certificate of version 1");
  if (!skip_unique_id(tbs, kIssuerUniqueId) || !skip_unique_id(tbs, kSubjectUniqueId)) {
    return malformed("bad unique identifier");
  }
  if (!tbs.next_is(kExtensions)) return {};
  if (certificate.version != 3) return malformed("extensions in a certificate below version 3");
  DerReader explicit_tag = tbs.enter(kExtensions);
  const std::optional<Bytes> extensions = read_whole(explicit_tag, DerTag::sequence);
  if (!extensions || !explicit_tag.finished()) return malformed("bad extensions");
  certificate.extensions = *extensions;
  return decode_extensions(certificate);
}

/// TBSCertificate, by its contents.
Result<void> read_tbs(DerReader tbs, Certificate& certificate) {
  certificate.version = read_version(tbs);
  if (certificate.version == 0) return malformed("bad version");

  const std::optional<Bytes> serial_number = read_integer_contents(tbs);
  if (!serial_number) return malformed("bad serial number");
  certificate.serial_number = *serial_number;

  const std::optional<AlgorithmIdentifier> algorithm = read_algorithm_identifier(tbs);
  if (!algorithm) return malformed("bad signature algorithm");
  // RFC 5280 §4.1.1.2: the signed algorithm is the one that stands beside the signature.
  if (!std::ranges::equal(algorithm->element, certificate.signature_algorithm)) {
    return malformed("signature algorithms inside and outside differ");
  }

  const std::optional<Bytes> issuer = read_name(tbs);
  if (!issuer) return malformed("bad issuer");
  certificate.issuer = *issuer;
  if (!read_validity(tbs, certificate)) return malformed("bad validity");
  const std::optional<Bytes> subject = read_name(tbs);
  if (!subject) return malformed("bad subject");
  certificate.subject = *subject;

  const std::optional<Bytes> key = read_public_key_info(tbs);
  if (!key) return malformed("bad public key info");
  certificate.subject_public_key_info = *key;

  if (const Result<void> rest = read_optional_fields(tbs, certificate); !rest) return rest;
  if (!tbs.finished()) return malformed("superfluous fields in a certificate");
  return {};
}

}  // namespace

Result<Certificate> Certificate::parse(Bytes der) {
  if (der.size() > kCertificateSizeMax) return refuse(Failure::limit, "certificate too large");
  Certificate certificate;
  certificate.der_.assign(der.begin(), der.end());

  DerReader input(certificate.der_);
  DerReader outer = input.enter(DerTag::sequence);
  if (!input.finished()) return malformed("not exactly one DER sequence");
  const std::optional<Bytes> tbs = read_whole(outer, DerTag::sequence);
  if (!tbs) return malformed("bad signed part");
  certificate.tbs = *tbs;
  const std::optional<AlgorithmIdentifier> algorithm = read_algorithm_identifier(outer);
  if (!algorithm) return malformed("bad signature algorithm");
  certificate.signature_algorithm = algorithm->element;
  const std::optional<Bytes> signature = outer.read_bit_string_bytes();
  if (!signature || !outer.finished()) return malformed("bad signature field");
  certificate.signature = *signature;

  if (const Result<void> inner = read_tbs(DerReader(*tbs).enter(DerTag::sequence), certificate); !inner) {
    return std::unexpected(inner.error());
  }
  return certificate;
}

Certificate Certificate::clone() const {
  Result<Certificate> copy = parse(der_);
  QUOLL_CHECK(copy);  // the same bytes were parsed before
  return std::move(*copy);
}

bool Certificate::is_self_issued() const { return names_equal(subject, issuer); }

bool Certificate::has_conforming_serial_number() const {
  const bool is_zero = serial_number.size() == 1 && serial_number[0] == 0;
  const bool is_negative = (serial_number[0] & 0x80) != 0;
  return !is_zero && !is_negative && serial_number.size() <= kSerialNumberSizeMax;
}

bool Certificate::must_staple() const {
  return tls_features && std::ranges::find(*tls_features, kTlsFeatureStatusRequest) != tls_features->end();
}

}  // namespace quoll::x509
