// Certificate policies along a path (RFC 5280 §6.1, with RFC 9618's bounded graph in place of the tree).
//
// A verifier of ours demands no policy; only when a certificate of the path does (requireExplicitPolicy) must one policy
// be valid for the whole path. So of RFC 9618's graph the last level is enough: who is not on it has no descendants.
#pragma once

#include <span>

#include "base/result.h"
#include "tls/x509/certificate.h"

namespace quoll::x509 {

/// `path` is leaf first and ends before the anchor: RFC 5280 §6.1 asks nothing of an anchor's policies.
/// Failure::policy.
[[nodiscard]] Result<void> check_policies(std::span<const Certificate* const> path);

}  // namespace quoll::x509
