// A certificate over any bytes. What is accepted holds only views into its own copy, parses again to the same, has names
// that equal themselves in every form, and a public key on which all implementations agree.
#include "tls/x509/certificate.h"

#include <algorithm>
#include <vector>

#include "base/check.h"
#include "tls/x509/der_values.h"
#include "tls/x509/name.h"
#include "tls/x509/public_key.h"

using namespace quoll;
using namespace quoll::x509;

namespace {

/// Every view of the certificate.
template <class Visit>
void for_each_view(const Certificate& c, Visit visit) {
  for (const Bytes view : {c.tbs, c.signature_algorithm, c.signature, c.serial_number, c.issuer, c.subject,
                           c.subject_public_key_info, c.extensions}) {
    visit(view);
  }
  const auto visit_names = [&](const std::vector<GeneralName>& names) {
    for (const GeneralName& name : names) visit(name.value);
  };
  if (c.extended_key_usage) std::ranges::for_each(*c.extended_key_usage, visit);
  if (c.certificate_policies) std::ranges::for_each(*c.certificate_policies, visit);
  if (c.subject_alt_names) visit_names(*c.subject_alt_names);
  if (c.name_constraints) {
    visit_names(c.name_constraints->permitted);
    visit_names(c.name_constraints->excluded);
  }
  if (c.subject_key_identifier) visit(*c.subject_key_identifier);
  if (c.authority_key_identifier && c.authority_key_identifier->key_identifier) {
    visit(*c.authority_key_identifier->key_identifier);
  }
  if (c.policy_mappings) {
    for (const PolicyMapping& mapping : *c.policy_mappings) {
      visit(mapping.issuer_policy);
      visit(mapping.subject_policy);
    }
  }
}

void check_views(const Certificate& certificate) {
  const uint8_t* const begin = certificate.der().data();
  const uint8_t* const end = begin + certificate.der().size();
  for_each_view(certificate, [&](Bytes view) {
    QUOLL_CHECK(view.data() == nullptr || (view.data() >= begin && view.data() + view.size() <= end));
  });
}

void check_same(const Certificate& a, const Certificate& b) {
  std::vector<std::vector<uint8_t>> views;
  for_each_view(a, [&](Bytes view) { views.emplace_back(view.begin(), view.end()); });
  size_t at = 0;
  for_each_view(b, [&](Bytes view) { QUOLL_CHECK(at < views.size() && std::ranges::equal(view, views[at++])); });
  QUOLL_CHECK(at == views.size());
  QUOLL_CHECK(a.version == b.version && a.key_usage == b.key_usage && a.tls_features == b.tls_features);
  QUOLL_CHECK(a.not_before == b.not_before && a.not_after == b.not_after);
  QUOLL_CHECK(a.has_unknown_critical_extension == b.has_unknown_critical_extension);
}

void check_names(const Certificate& certificate) {
  const std::vector<uint8_t> issuer = canonical_name(certificate.issuer), subject = canonical_name(certificate.subject);
  QUOLL_CHECK(name_is_well_formed(certificate.issuer) && name_is_well_formed(certificate.subject));
  QUOLL_CHECK(names_equal(certificate.subject, certificate.subject));
  QUOLL_CHECK(certificate.is_self_issued() == (issuer == subject));
  const bool is_prefix = subject.size() <= issuer.size() && std::equal(subject.begin(), subject.end(), issuer.begin());
  QUOLL_CHECK(name_within(certificate.issuer, certificate.subject) == is_prefix);
  QUOLL_CHECK(name_is_empty(certificate.subject) == subject.empty());
  for (const char c : name_text(certificate.subject)) QUOLL_CHECK(static_cast<uint8_t>(c) >= 0x20 && c != 0x7f);
}

/// The times stand in the certificate as the digits of their texts.
void check_times(const Certificate& certificate) {
  for (const UnixTime time : {certificate.not_before, certificate.not_after}) {
    std::string digits;
    for (const char c : time_text(time)) {
      if (c >= '0' && c <= '9') digits += c;
    }
    QUOLL_CHECK(digits.size() == 14);
    QUOLL_CHECK(as_text(certificate.tbs).find(digits.substr(2) + 'Z') != std::string_view::npos);
  }
}

void check_key(const Certificate& certificate) {
  const auto portable = PublicKey::parse(crypto::portable(), certificate.subject_public_key_info);
  const auto best = PublicKey::parse(crypto::best(), certificate.subject_public_key_info);
  QUOLL_CHECK(portable.has_value() == best.has_value());
  if (!best) return;
  QUOLL_CHECK(portable->type() == best->type() && portable->bits() == best->bits());
  const auto algorithm = parse_signature_algorithm(certificate.signature_algorithm);
  if (!algorithm) return;
  const bool verified = best->verify(*algorithm, certificate.tbs, certificate.signature).has_value();
  QUOLL_CHECK(verified == portable->verify(*algorithm, certificate.tbs, certificate.signature).has_value());
  QUOLL_CHECK(!verified || best->supports(*algorithm));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Result<Certificate> certificate = Certificate::parse({data, size});
  if (!certificate) return 0;
  QUOLL_CHECK(std::ranges::equal(certificate->der(), Bytes(data, size)));
  const Certificate copy = certificate->clone();
  const Certificate moved = std::move(*certificate);
  check_views(copy);
  check_views(moved);
  check_same(copy, moved);
  check_names(moved);
  check_times(moved);
  check_key(moved);
  return 0;
}
