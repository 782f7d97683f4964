// What one certificate must satisfy in its place of a path, apart from its signature: RFC 5280 §6.1.3 and §6.1.4 for
// every profile, RFC 5280 §4 for rfc5280_strict, and the Baseline Requirements of the CA/Browser Forum (BR) for web_pki.
//
// Each function looks at one certificate; what concerns several (path lengths, name constraints, policies) is elsewhere.
#pragma once

#include "base/result.h"
#include "tls/x509/certificate.h"
#include "tls/x509/public_key.h"
#include "tls/x509/verify.h"

namespace quoll::x509 {

enum class Place : uint8_t { leaf, intermediate, anchor };

/// Times inclusive on both sides, in whole seconds. Failure::not_yet_valid, Failure::expired.
[[nodiscard]] Result<void> check_validity(const Certificate& certificate, UnixTime now);

/// extendedKeyUsage, of leaves and of those that issue: an authority's restricts what it may issue for.
/// Failure::wrong_usage.
[[nodiscard]] Result<void> check_purpose(const Certificate& certificate, Purpose purpose);

/// Whether it may issue certificates at all: basicConstraints and keyUsage. Failure::not_a_ca.
[[nodiscard]] Result<void> check_may_issue(const Certificate& certificate, Place place);

/// The rules of the profile beyond RFC 5280 §6 for a certificate in this place. Failure::malformed,
/// Failure::wrong_usage, Failure::not_a_ca, Failure::unsupported.
[[nodiscard]] Result<void> check_profile(const Certificate& certificate, Place place, Profile profile);

/// The rules of the profile for the key of any certificate of a path. Failure::weak, Failure::unsupported.
[[nodiscard]] Result<void> check_key(const PublicKey& key, Profile profile);

}  // namespace quoll::x509
