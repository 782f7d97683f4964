#include "tls/x509/certificate_rules.h"

#include <algorithm>

#include "tls/x509/baseline_requirements.h"
#include "tls/x509/extension_list.h"
#include "tls/x509/failure.h"
#include "tls/x509/general_name.h"
#include "tls/x509/name.h"
#include "tls/x509/oids.h"

namespace quoll::x509 {
namespace {

using crypto::DerReader;
using crypto::DerTag;

constexpr uint8_t kIssuerAltName[] = {0x55, 0x1d, 0x12};
constexpr uint8_t kSubjectInfoAccess[] = {0x2b, 6, 1, 5, 5, 7, 1, 11};

std::unexpected<Error> malformed(const char* reason) { return refuse(Failure::malformed, reason); }

bool is_issuer(Place place) { return place != Place::leaf; }

/// RFC 5280 §4.2.2.1: one or more of (OID, GeneralName).
bool is_access_descriptions(Bytes value) {
  DerReader reader(value);
  DerReader list = reader.enter(DerTag::sequence);
  if (list.at_end()) return false;
  while (!list.at_end()) {
    DerReader description = list.enter(DerTag::sequence);
    const auto method = description.read(DerTag::object_identifier);
    const auto location = description.read_element();
    if (!method || !location || !description.finished() || !read_general_names(DerReader(*location))) return false;
  }
  return reader.finished() && list.finished();
}

bool is_general_names(Bytes value) {
  DerReader reader(value);
  return read_general_names(reader.enter(DerTag::sequence)) && reader.finished();
}

/// The syntax of extensions that nobody here uses.
Result<void> check_unused_extensions(const Certificate& certificate) {
  ExtensionReader reader(certificate);
  while (const auto extension = reader.next()) {
    const bool access =
        oid::is(extension->oid, oid::kAuthorityInfoAccess) || oid::is(extension->oid, kSubjectInfoAccess);
    if (access && !is_access_descriptions(extension->value)) return malformed("an information access is malformed");
    if (oid::is(extension->oid, kIssuerAltName) && !is_general_names(extension->value)) {
      return malformed("issuerAltName is malformed");
    }
  }
  return {};
}

/// RFC 5280 §4.2.1.1 and §4.2.1.2.
Result<void> check_key_identifiers(const Certificate& certificate, Place place) {
  if (certificate.subject_key_identifier_critical) return malformed("subjectKeyIdentifier is critical");
  if (is_issuer(place) && !certificate.subject_key_identifier) {
    return malformed("an authority's certificate has no subjectKeyIdentifier");
  }
  const auto& authority = certificate.authority_key_identifier;
  if (authority && authority->critical) return malformed("authorityKeyIdentifier is critical");
  if (authority && authority->key_identifier) return {};
  // Only a self-signed certificate may leave it out.
  if (certificate.is_self_issued() && place != Place::intermediate) return {};
  return malformed("the certificate has no authorityKeyIdentifier with a keyIdentifier");
}

/// Flags that RFC 5280 §4.2 demands of authorities, where the meaning would be the same without.
Result<void> check_criticality(const Certificate& certificate, Profile profile) {
  if (certificate.is_ca() && !certificate.basic_constraints->critical) {
    return malformed("basicConstraints of an authority is not critical");
  }
  // RFC 5280 §4.2.1.10; BR 7.1.2.5.2 makes an exception.
  if (certificate.name_constraints && !certificate.name_constraints->critical && profile != Profile::web_pki) {
    return malformed("nameConstraints is not critical");
  }
  if (certificate.policy_constraints && !certificate.policy_constraints->critical) {
    return malformed("policyConstraints is not critical");  // §4.2.1.11
  }
  if (certificate.inhibit_any_policy && !certificate.inhibit_any_policy_critical) {
    return malformed("inhibitAnyPolicy is not critical");  // §4.2.1.14
  }
  return {};
}

/// RFC 5280 §4.1.2.4, §4.1.2.6, §4.2.1.6.
Result<void> check_names(const Certificate& certificate) {
  if (name_is_empty(certificate.issuer)) return malformed("the issuer has no name");
  if (!name_is_empty(certificate.subject)) return {};
  if (certificate.is_ca()) return malformed("an authority has no name");
  if (!certificate.subject_alt_names || !certificate.subject_alt_names_critical) {
    return malformed("the subject is empty, and there is no critical subjectAltName");
  }
  return {};
}

/// Extensions that only make sense together with others (RFC 5280 §4.2.1.3, §4.2.1.9, §4.2.1.10).
Result<void> check_consistency(const Certificate& certificate) {
  const bool signs_certificates = certificate.key_usage && certificate.may(KeyUsage::key_cert_sign);
  if (signs_certificates && !certificate.is_ca()) return malformed("keyUsage has keyCertSign without an authority");
  const bool has_path_length = certificate.basic_constraints && certificate.basic_constraints->path_length;
  if (has_path_length && !(certificate.is_ca() && signs_certificates)) {
    return malformed("a path length without an authority that signs certificates");
  }
  if (certificate.name_constraints && !certificate.is_ca()) return malformed("nameConstraints without an authority");
  return {};
}

Result<void> check_rfc5280_strict(const Certificate& certificate, Place place, Profile profile) {
  // Old roots have serial number zero, which nobody can change any more.
  if (place != Place::anchor && !certificate.has_conforming_serial_number()) {
    return malformed("the serial number is not positive or too long");
  }
  if (is_issuer(place) && !certificate.basic_constraints) {
    return refuse(Failure::not_a_ca, "an authority's certificate has no basicConstraints");
  }
  // Old roots lack it; their name and key were chosen to be trusted.
  if (place == Place::intermediate && !certificate.key_usage) {
    return malformed("an authority's certificate has no keyUsage");
  }
  if (const auto checked = check_key_identifiers(certificate, place); !checked) return checked;
  if (const auto checked = check_criticality(certificate, profile); !checked) return checked;
  if (const auto checked = check_names(certificate); !checked) return checked;
  if (const auto checked = check_consistency(certificate); !checked) return checked;
  return check_unused_extensions(certificate);
}

}  // namespace

Result<void> check_validity(const Certificate& certificate, UnixTime now) {
  // RFC 5280 §4.1.2.5: inclusive. The times of certificates have whole seconds, so the present is cut to them.
  if (now.as_seconds() < certificate.not_before.as_seconds()) {
    return refuse(Failure::not_yet_valid, "a certificate is not valid yet");
  }
  if (now.as_seconds() > certificate.not_after.as_seconds()) {
    return refuse(Failure::expired, "a certificate has expired");
  }
  return {};
}

Result<void> check_purpose(const Certificate& certificate, Purpose purpose) {
  if (purpose == Purpose::any || !certificate.extended_key_usage) return {};
  const Bytes wanted = purpose == Purpose::server ? Bytes(oid::kServerAuth) : Bytes(oid::kClientAuth);
  for (const Bytes usage : *certificate.extended_key_usage) {
    if (oid::is(usage, wanted) || oid::is(usage, oid::kAnyExtendedKeyUsage)) return {};
  }
  return refuse(Failure::wrong_usage, purpose == Purpose::server ? "extendedKeyUsage excludes TLS servers"
                                                                 : "extendedKeyUsage excludes TLS clients");
}

Result<void> check_may_issue(const Certificate& certificate, Place place) {
  // RFC 5280 §6.1.4 (k), (n). A root from before version 3 could not say that it is one; who put it among the anchors
  // has said so.
  const bool old_anchor = place == Place::anchor && certificate.version < 3;
  if (!certificate.is_ca() && !old_anchor) {
    return refuse(Failure::not_a_ca, "an issuer's basicConstraints do not make it an authority");
  }
  if (!certificate.may(KeyUsage::key_cert_sign)) {
    return refuse(Failure::not_a_ca, "an issuer's keyUsage excludes signing certificates");
  }
  return {};
}

Result<void> check_profile(const Certificate& certificate, Place place, Profile profile) {
  if (profile == Profile::rfc5280) return {};
  if (const auto checked = check_rfc5280_strict(certificate, place, profile); !checked) return checked;
  if (profile == Profile::rfc5280_strict) return {};
  return check_baseline_requirements(certificate, place);
}

Result<void> check_key(const PublicKey& key, Profile profile) {
  if (profile != Profile::web_pki) return {};
  return check_baseline_requirements(key);
}

}  // namespace quoll::x509
