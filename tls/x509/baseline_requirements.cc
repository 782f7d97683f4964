#include "tls/x509/baseline_requirements.h"

#include <algorithm>

#include "base/address.h"
#include "tls/x509/extension_list.h"
#include "tls/x509/failure.h"
#include "tls/x509/name.h"
#include "tls/x509/oids.h"

namespace quoll::x509 {
namespace {

using Kind = GeneralName::Kind;

std::unexpected<Error> malformed(const char* reason) { return refuse(Failure::malformed, reason); }

/// BR 7.1.2.1.3 for roots; subordinate certificates (7.1.2.11.1) must not have the second form either, but a client
/// that refused it would gain nothing.
Result<void> check_root(const Certificate& root) {
  if (root.extended_key_usage) return malformed("a root has an extendedKeyUsage");  // 7.1.2.1.2
  const auto& authority = root.authority_key_identifier;
  if (!authority) return {};
  if (authority->has_issuer_and_serial) return malformed("a root's authorityKeyIdentifier names a certificate");
  const bool same = authority->key_identifier && root.subject_key_identifier &&
                    std::ranges::equal(*authority->key_identifier, *root.subject_key_identifier);
  return same ? Result<void>() : malformed("a root's authorityKeyIdentifier is not its subjectKeyIdentifier");
}

/// BR 7.1.2.7.10.
Result<void> check_extended_key_usage(const Certificate& leaf) {
  if (!leaf.extended_key_usage) return refuse(Failure::wrong_usage, "the leaf has no extendedKeyUsage");
  const auto extension = find_extension(leaf, oid::kExtendedKeyUsage);
  if (extension && extension->critical) return malformed("extendedKeyUsage is critical");
  constexpr Bytes kForbidden[] = {oid::kAnyExtendedKeyUsage, oid::kCodeSigning, oid::kEmailProtection,
                                  oid::kTimeStamping, oid::kOcspSigning};
  for (const Bytes usage : *leaf.extended_key_usage) {
    const auto is_usage = [usage](Bytes forbidden) { return oid::is(usage, forbidden); };
    if (std::ranges::any_of(kForbidden, is_usage)) {
      return refuse(Failure::wrong_usage, "extendedKeyUsage has a purpose that TLS servers must not have");
    }
  }
  return {};
}

/// BR 7.1.2.7.12.
Result<void> check_alternative_names(const Certificate& leaf) {
  if (!leaf.subject_alt_names) return malformed("the leaf has no subjectAltName");
  if (leaf.subject_alt_names_critical != name_is_empty(leaf.subject)) {
    return malformed("subjectAltName is critical though there is a subject, or the other way round");
  }
  for (const GeneralName& name : *leaf.subject_alt_names) {
    if (name.kind != Kind::dns && name.kind != Kind::ip) return malformed("subjectAltName has names of other kinds");
  }
  return {};
}

bool is_text_of(Bytes text, const GeneralName& name) {
  if (name.kind == Kind::dns) {
    // The domain of a wildcard is no copy of it, but was written so often that nobody refuses it.
    const Bytes domain = as_text(name.value).starts_with("*.") ? name.value.subspan(2) : name.value;
    return std::ranges::equal(text, name.value) || std::ranges::equal(text, domain);
  }
  if (name.kind != Kind::ip) return false;
  const auto address = IpAddress::parse(as_text(text));
  // The text form of RFC 3986 and RFC 5952, and no other.
  return address && std::ranges::equal(address->octets(), name.value) && address->to_string() == as_text(text);
}

/// BR 7.1.4.3: at most one common name, and that a copy of an alternative name.
Result<void> check_common_name(const Certificate& leaf) {
  size_t count = 0;
  NameAttributeReader attributes(leaf.subject);
  while (const auto attribute = attributes.next()) {
    if (!oid::is(attribute->oid, oid::kCommonName)) continue;
    const Bytes text = attribute->value;
    const auto is_it = [text](const GeneralName& name) { return is_text_of(text, name); };
    if (++count > 1 || std::ranges::none_of(*leaf.subject_alt_names, is_it)) {
      return malformed("the common name is not one of the alternative names");
    }
  }
  return {};
}

Result<void> check_leaf(const Certificate& leaf) {
  if (leaf.is_ca()) return refuse(Failure::wrong_usage, "the leaf is an authority");  // BR 7.1.2.7.8
  const bool issues = leaf.key_usage && (leaf.may(KeyUsage::key_cert_sign) || leaf.may(KeyUsage::crl_sign));
  if (issues) return refuse(Failure::wrong_usage, "the leaf's keyUsage is an authority's");  // BR 7.1.2.7.11
  if (const auto checked = check_extended_key_usage(leaf); !checked) return checked;
  if (const auto checked = check_alternative_names(leaf); !checked) return checked;
  return check_common_name(leaf);
}

}  // namespace

Result<void> check_baseline_requirements(const Certificate& certificate, Place place) {
  if (certificate.version != 3) return malformed("the certificate is not of version 3");  // BR 7.1.1
  switch (place) {
    case Place::leaf:
      return check_leaf(certificate);
    case Place::intermediate:
      return {};
    case Place::anchor:
      return certificate.is_self_issued() ? check_root(certificate) : Result<void>();
  }
  return {};
}

Result<void> check_baseline_requirements(const PublicKey& key) {
  // BR 6.1.5; other keys were refused when they were read.
  switch (key.type()) {
    case KeyType::rsa:
    case KeyType::rsa_pss:
      if (key.bits() % 8 != 0) return refuse(Failure::weak, "an RSA modulus is not of whole octets");
      return {};
    case KeyType::ecdsa_p256:
    case KeyType::ecdsa_p384:
      return {};
    case KeyType::ed25519:
      return refuse(Failure::unsupported, "the Web PKI has no Ed25519 keys");
  }
  return {};
}

}  // namespace quoll::x509
