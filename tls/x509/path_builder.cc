#include "tls/x509/path_builder.h"

#include <algorithm>
#include <tuple>

#include "tls/x509/certificate_rules.h"
#include "tls/x509/failure.h"
#include "tls/x509/name.h"
#include "tls/x509/policies.h"

namespace quoll::x509 {
namespace {

bool same_bytes(Bytes a, Bytes b) { return std::ranges::equal(a, b); }

/// A hint only (RFC 4158 §3.5.12): key identifiers are not what binds a certificate to its issuer. Less is better.
int key_identifier_rank(const Certificate& subject, const Certificate& issuer) {
  const auto& authority = subject.authority_key_identifier;
  if (!authority || !authority->key_identifier || !issuer.subject_key_identifier) return 1;
  return same_bytes(*authority->key_identifier, *issuer.subject_key_identifier) ? 0 : 2;
}

}  // namespace

Result<Path> PathBuilder::build() {
  if (chain_.empty()) return refuse(Failure::no_certificate, "the peer sent no certificate");
  if (chain_.size() > kPeerCertificatesMax) return refuse(Failure::limit, "the peer sent too many certificates");
  path_.push_back(&chain_[0]);
  if (const auto checked = check_leaf(); !checked) return std::unexpected(checked.error());
  if (extend()) return Path{.certificates = path_};
  return std::unexpected(exhausted_ ? *exhausted_ : *refusal_);
}

/// What no issuer can change.
Result<void> PathBuilder::check_leaf() {
  const Certificate& leaf = *path_[0];
  if (const auto checked = check_validity(leaf, options_.now); !checked) return checked;
  if (leaf.has_unknown_critical_extension) {
    return refuse(Failure::critical_extension, "the leaf has a critical extension that is not understood");
  }
  if (options_.key_usage != 0 && leaf.key_usage && (*leaf.key_usage & options_.key_usage) != options_.key_usage) {
    return refuse(Failure::wrong_usage, "the leaf's keyUsage excludes this use of its key");
  }
  if (const auto checked = check_purpose(leaf, options_.purpose); !checked) return checked;
  if (!options_.host.empty()) {
    if (const auto checked = verify_host(leaf, options_.host); !checked) return checked;
  }
  const auto& key = key_of(leaf);
  if (!key) return std::unexpected(key.error());
  if (const auto checked = check_key(*key, options_.profile); !checked) return checked;
  return check_profile(leaf, Place::leaf, options_.profile);
}

/// From the last certificate of path_ to an anchor. When it returns true, path_ is the path.
bool PathBuilder::extend() {
  const Certificate& subject = *path_.back();
  bool tried = false;
  for (const Issuer& issuer : issuers_of(subject)) {
    const bool itself = issuer.is_anchor && trusts_itself(*issuer.certificate);
    if (!itself && is_in_path(*issuer.certificate)) continue;
    tried = true;
    if (try_issuer(issuer)) return true;
    if (exhausted_) return false;
  }
  if (tried) return false;
  const bool alone = path_.size() == 1 && same_name(subject.subject, subject.issuer);
  const char* reason =
      alone ? "the certificate is self-signed and not among the trust anchors" : "no certificate of an issuer is known";
  return note(refuse(Failure::unknown_issuer, reason).error(), Stage::no_issuer);
}

bool PathBuilder::try_issuer(const Issuer& issuer) {
  if (steps_left_ == 0) return exhaust("too many possible paths");
  steps_left_--;
  return issuer.is_anchor ? try_anchor(*issuer.certificate) : try_intermediate(*issuer.certificate);
}

bool PathBuilder::try_anchor(const Certificate& anchor) {
  // The signature first: a path that reaches an anchor has come furthest, and its fault is the one to tell.
  const auto signature = check_signature(*path_.back(), anchor);
  if (!signature) return note(signature.error(), Stage::wrong_signature);
  if (trusts_itself(anchor)) return finish();
  if (options_.anchor_constraints) {
    auto checked = check_issuer({.certificate = &anchor, .is_anchor = true});
    if (checked) checked = check_path_length(anchor);
    if (!checked) return note(checked.error(), Stage::wrong_issuer, true);
  }
  path_.push_back(&anchor);
  if (finish()) return true;
  path_.pop_back();
  return false;
}

bool PathBuilder::try_intermediate(const Certificate& issuer) {
  // Self-issued certificates count neither here nor for path length constraints: they are one authority's two keys.
  const size_t depth = intermediates_below() + (same_name(issuer.subject, issuer.issuer) ? 0 : 1);
  if (depth > options_.depth_max) {
    return note(refuse(Failure::path_too_long, "the path has too many intermediates").error(), Stage::wrong_issuer);
  }
  auto checked = check_issuer({.certificate = &issuer, .is_anchor = false});
  if (checked) checked = check_path_length(issuer);
  if (!checked) return note(checked.error(), Stage::wrong_issuer);
  const auto signature = check_signature(*path_.back(), issuer);
  if (!signature) return note(signature.error(), Stage::wrong_signature);
  path_.push_back(&issuer);
  if (extend()) return true;
  path_.pop_back();
  return false;
}

/// path_ is complete: what concerns all of it.
bool PathBuilder::finish() {
  if (whole_paths_left_ == 0) return exhaust("too many possible paths");
  whole_paths_left_--;
  const auto checked = check_whole_path();
  if (checked) return true;
  if (checked.error().code == static_cast<uint64_t>(Failure::limit)) exhausted_ = checked.error();
  return note(checked.error(), Stage::whole_path, true);
}

const std::vector<PathBuilder::Issuer>& PathBuilder::issuers_of(const Certificate& subject) {
  const auto known = issuers_.find(&subject);
  return known != issuers_.end() ? known->second : issuers_.emplace(&subject, find_issuers(subject)).first->second;
}

std::vector<PathBuilder::Issuer> PathBuilder::find_issuers(const Certificate& subject) {
  std::vector<Issuer> issuers;
  for (const Certificate* anchor : anchors_.find(subject.issuer)) {
    issuers.push_back({.certificate = anchor, .is_anchor = true});
  }
  for (const Certificate& candidate : chain_.subspan(1)) {
    if (!same_name(candidate.subject, subject.issuer)) continue;
    issuers.push_back({.certificate = &candidate, .is_anchor = false});
  }
  std::ranges::stable_sort(issuers, {}, [&](const Issuer& issuer) {
    const bool in_time = check_validity(*issuer.certificate, options_.now).has_value();
    return std::tuple(key_identifier_rank(subject, *issuer.certificate), !in_time, !issuer.is_anchor);
  });
  return issuers;
}

/// RFC 4158 §2.4.2, §5.2: the same name and key again would be a loop, whatever else the certificates say.
bool PathBuilder::is_in_path(const Certificate& candidate) {
  return std::ranges::any_of(path_, [&](const Certificate* certificate) {
    return same_bytes(certificate->subject_public_key_info, candidate.subject_public_key_info) &&
           same_name(certificate->subject, candidate.subject);
  });
}

/// Whether the leaf is this anchor: someone trusts exactly this certificate. It need be no authority, but self-signed:
/// an anchor is a key that speaks for a name, and the leaf is what this key says.
bool PathBuilder::trusts_itself(const Certificate& anchor) const {
  return path_.size() == 1 && same_bytes(path_[0]->der(), anchor.der());
}

const Result<void>& PathBuilder::check_issuer(const Issuer& issuer) {
  const auto known = issuer_checks_.find(issuer.certificate);
  if (known != issuer_checks_.end()) return known->second;
  const Place place = issuer.is_anchor ? Place::anchor : Place::intermediate;
  return issuer_checks_.emplace(issuer.certificate, compute_issuer_check(*issuer.certificate, place)).first->second;
}

Result<void> PathBuilder::compute_issuer_check(const Certificate& issuer, Place place) const {
  if (issuer.has_unknown_critical_extension) {
    return refuse(Failure::critical_extension, "an issuer has a critical extension that is not understood");
  }
  if (const auto checked = check_validity(issuer, options_.now); !checked) return checked;
  if (const auto checked = check_may_issue(issuer, place); !checked) return checked;
  if (const auto checked = check_purpose(issuer, options_.purpose); !checked) return checked;
  return check_profile(issuer, place, options_.profile);
}

/// RFC 5280 §4.2.1.9.
Result<void> PathBuilder::check_path_length(const Certificate& issuer) {
  if (!issuer.basic_constraints || !issuer.basic_constraints->path_length) return {};
  if (intermediates_below() <= *issuer.basic_constraints->path_length) return {};
  return refuse(Failure::path_too_long, "an issuer's path length constraint is exceeded");
}

size_t PathBuilder::intermediates_below() {
  const auto counts = [&](const Certificate* certificate) {
    return !same_name(certificate->subject, certificate->issuer);
  };
  return static_cast<size_t>(std::ranges::count_if(std::span(path_).subspan(1), counts));
}

Result<void> PathBuilder::check_whole_path() {
  const size_t without_anchor = path_.size() == 1 ? 1 : path_.size() - 1;
  const size_t constraining = options_.anchor_constraints ? path_.size() : without_anchor;
  const auto leading_dot = options_.profile == Profile::rfc5280 ? LeadingDot::means_below : LeadingDot::refused;
  if (const auto checked = name_constraints_.check(path_, constraining, leading_dot); !checked) return checked;
  if (const auto checked = check_policies(std::span(path_).first(without_anchor)); !checked) return checked;
  return check_pins();
}

Result<void> PathBuilder::check_pins() const {
  if (options_.pins.empty()) return {};
  for (const Certificate* certificate : path_) {
    const SpkiPin pin = spki_pin(provider_, *certificate);
    if (std::ranges::find(options_.pins, pin) != options_.pins.end()) return {};
  }
  return refuse(Failure::pin_mismatch, "no key of the path is a pinned one");
}

Result<void> PathBuilder::check_signature(const Certificate& subject, const Certificate& issuer) {
  const std::pair pair(&subject, &issuer);
  if (const auto known = signatures_.find(pair); known != signatures_.end()) return known->second;
  if (signature_checks_left_ == 0) {
    exhaust("too many signatures to check");
    return std::unexpected(*exhausted_);
  }
  signature_checks_left_--;
  return signatures_.emplace(pair, compute_signature(subject, issuer)).first->second;
}

Result<void> PathBuilder::compute_signature(const Certificate& subject, const Certificate& issuer) {
  const auto algorithm = parse_signature_algorithm(subject.signature_algorithm);
  if (!algorithm) return std::unexpected(algorithm.error());
  const auto& key = key_of(issuer);
  if (!key) return std::unexpected(key.error());
  if (const auto checked = check_key(*key, options_.profile); !checked) return checked;
  return key->verify(*algorithm, subject.tbs, subject.signature);
}

const Result<PublicKey>& PathBuilder::key_of(const Certificate& certificate) {
  const auto known = keys_.find(&certificate);
  if (known != keys_.end()) return known->second;
  return keys_.emplace(&certificate, PublicKey::parse(provider_, certificate.subject_public_key_info)).first->second;
}

bool PathBuilder::same_name(Bytes a, Bytes b) { return same_bytes(a, b) || number_of(a) == number_of(b); }

size_t PathBuilder::number_of(Bytes name) {
  const auto known = name_numbers_.find(name.data());
  if (known != name_numbers_.end()) return known->second;
  const size_t number = canonical_numbers_.emplace(canonical_name(name), canonical_numbers_.size()).first->second;
  return name_numbers_.emplace(name.data(), number).first->second;
}

bool PathBuilder::exhaust(const char* reason) {
  exhausted_ = refuse(Failure::limit, reason).error();
  return false;
}

bool PathBuilder::note(const Error& error, Stage stage, bool anchor_reached) {
  const size_t progress = path_.size() * kStages + stage + (anchor_reached ? kAnchorReached : 0);
  if (!refusal_ || progress > refusal_progress_) {
    refusal_ = error;
    refusal_progress_ = progress;
  }
  return false;
}

}  // namespace quoll::x509
