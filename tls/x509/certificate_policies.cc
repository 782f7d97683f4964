// The four policy extensions (RFC 5280 §4.2.1.4, §4.2.1.5, §4.2.1.11, §4.2.1.14).
#include <algorithm>

#include "tls/x509/certificate_extensions.h"
#include "tls/x509/der_values.h"
#include "tls/x509/oids.h"

namespace quoll::x509 {
namespace {

using crypto::DerReader;
using crypto::DerTag;

/// policyQualifiers, by the contents of its SEQUENCE. `all_known` turns false for qualifiers besides the two of RFC 5280.
bool check_qualifiers(DerReader qualifiers, bool& all_known) {
  if (qualifiers.at_end()) return false;  // SIZE (1..MAX)
  while (!qualifiers.at_end()) {
    DerReader info = qualifiers.enter(DerTag::sequence);
    const std::optional<Bytes> id = read_oid(info);
    const std::optional<Bytes> qualifier = info.read_element();
    if (!id || !qualifier || !info.finished()) return false;
    if (!oid::is(*id, oid::kPolicyQualifierCps) && !oid::is(*id, oid::kPolicyQualifierUserNotice)) all_known = false;
  }
  return qualifiers.finished();
}

bool has_duplicates(std::vector<Bytes> oids) {
  const auto less = [](Bytes a, Bytes b) { return std::ranges::lexicographical_compare(a, b); };
  std::ranges::sort(oids, less);
  const auto same = [](Bytes a, Bytes b) { return oid::is(a, b); };
  return std::ranges::adjacent_find(oids, same) != oids.end();
}

/// SkipCerts ::= INTEGER (0..MAX), with an implicit tag; true as well when it is absent.
bool read_skip_certificates(DerReader& sequence, uint8_t number, std::optional<uint64_t>& value) {
  const DerTag tag = crypto::der_context_tag(number, false);
  if (!sequence.next_is(tag)) return true;
  const std::optional<Bytes> contents = sequence.read(tag);
  if (!contents || contents->empty() || contents->size() > sizeof(uint64_t) || (*contents)[0] >= 0x80) return false;
  if (contents->size() > 1 && (*contents)[0] == 0 && (*contents)[1] < 0x80) return false;  // X.690 §8.3.2
  value = 0;
  for (const uint8_t byte : *contents) *value = *value << 8 | byte;
  return true;
}

}  // namespace

bool decode_certificate_policies(DerReader value, bool critical, Certificate& certificate) {
  DerReader policies = value.enter(DerTag::sequence);
  std::vector<Bytes> oids;
  bool all_known = true;
  while (!policies.at_end()) {
    DerReader information = policies.enter(DerTag::sequence);
    const std::optional<Bytes> oid = read_oid(information);
    if (!oid) return false;
    if (!information.at_end() && !check_qualifiers(information.enter(DerTag::sequence), all_known)) return false;
    if (!information.finished()) return false;
    oids.push_back(*oid);
  }
  // RFC 5280 §4.2.1.4: one or more, and no policy twice.
  if (!value.finished() || !policies.finished() || oids.empty() || has_duplicates(oids)) return false;
  // RFC 5280 §4.2.1.4: of a critical extension every qualifier must be understood, or the certificate refused.
  if (critical && !all_known) certificate.has_unknown_critical_extension = true;
  certificate.certificate_policies = std::move(oids);
  certificate.certificate_policies_critical = critical;
  return true;
}

bool decode_policy_mappings(DerReader value, bool, Certificate& certificate) {
  DerReader sequence = value.enter(DerTag::sequence);
  std::vector<PolicyMapping> mappings;
  while (!sequence.at_end()) {
    DerReader mapping = sequence.enter(DerTag::sequence);
    const std::optional<Bytes> issuer_policy = read_oid(mapping);
    const std::optional<Bytes> subject_policy = read_oid(mapping);
    if (!issuer_policy || !subject_policy || !mapping.finished()) return false;
    mappings.push_back({.issuer_policy = *issuer_policy, .subject_policy = *subject_policy});
  }
  if (!value.finished() || !sequence.finished() || mappings.empty()) return false;  // SIZE (1..MAX)
  certificate.policy_mappings = std::move(mappings);
  return true;
}

bool decode_policy_constraints(DerReader value, bool critical, Certificate& certificate) {
  DerReader sequence = value.enter(DerTag::sequence);
  PolicyConstraints constraints;
  constraints.critical = critical;
  if (!read_skip_certificates(sequence, 0, constraints.require_explicit_policy) ||
      !read_skip_certificates(sequence, 1, constraints.inhibit_policy_mapping)) {
    return false;
  }
  // RFC 5280 §4.2.1.11: CAs must not issue certificates where this is an empty sequence.
  if (!constraints.require_explicit_policy && !constraints.inhibit_policy_mapping) return false;
  if (!value.finished() || !sequence.finished()) return false;
  certificate.policy_constraints = constraints;
  return true;
}

bool decode_inhibit_any_policy(DerReader value, bool critical, Certificate& certificate) {
  certificate.inhibit_any_policy = value.read_small_integer();
  certificate.inhibit_any_policy_critical = critical;
  return value.finished();
}

}  // namespace quoll::x509
