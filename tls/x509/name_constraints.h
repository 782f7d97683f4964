// Name constraints along a path (RFC 5280 §4.2.1.10, §6.1.3 (b) and (c), §6.1.4 (g)).
//
// Each constraint of each authority is applied to every name of every certificate below it: alternative names, the
// subject as a directory name, and e-mail addresses in the subject of a certificate without alternative names. A wildcard
// is taken for any name that it may stand for: all of them must be permitted, and none excluded. Names whose kind or
// syntax cannot be compared are refused where a constraint concerns their kind. The common name is no DNS name.
#pragma once

#include <span>

#include "base/result.h"
#include "tls/x509/certificate.h"

namespace quoll::x509 {

/// A DNS constraint with a leading dot is not RFC 5280's, but common: it means what it means in URIs, all that is below.
enum class LeadingDot : bool { refused, means_below };

class NameConstraintChecker {
 public:
  /// `comparisons_max` names times constraints, over all calls of check(). Making names and constraints comparable
  /// counts as one for each.
  explicit NameConstraintChecker(size_t comparisons_max) : comparisons_left_(comparisons_max) {}

  /// `path` is leaf first. Only the first `constraining` certificates' constraints count (all, or all but the anchor).
  /// Failure::name_constraint; Failure::malformed for a constraint that means nothing; Failure::limit.
  [[nodiscard]] Result<void> check(std::span<const Certificate* const> path, size_t constraining,
                                   LeadingDot leading_dot);

  size_t comparisons_left() const { return comparisons_left_; }

 private:
  /// False when not so much is left.
  bool spend(size_t count);

  size_t comparisons_left_;
};

// The comparisons, one for each kind of name. The base is one of a well-formed constraint.

/// Whether a DNS name lies below or at `base`; a wildcard if all that it stands for does.
bool dns_name_within(std::string_view name, std::string_view base);
/// Whether a wildcard may stand for a name that lies below or at `base`.
bool dns_wildcard_touches(std::string_view name, std::string_view base);
/// `mailbox` is local@host; `base` a mailbox, a host, or ".domain" for all hosts below.
bool mailbox_within(std::string_view mailbox, std::string_view base);
/// `base` is a host, or ".domain" for all hosts below.
bool uri_host_within(std::string_view host, std::string_view base);
/// `base` is address and mask.
bool address_within(Bytes address, Bytes base);
/// The host of a URI's authority (RFC 3986 §3.2) when it is a DNS name, else empty.
std::string_view uri_host(std::string_view uri);

}  // namespace quoll::x509
