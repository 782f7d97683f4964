// The CA/Browser Forum's Baseline Requirements for TLS server certificates (BR, section 7.1 and 6.1.5), as far as a
// client can see in a certificate whether its authority kept them. Sections are those of version 2.
//
// Not asked for: lifetimes, certificate policies, and the Public Suffix List.
#pragma once

#include "base/result.h"
#include "tls/x509/certificate.h"
#include "tls/x509/certificate_rules.h"
#include "tls/x509/public_key.h"

namespace quoll::x509 {

/// Failure::malformed, Failure::wrong_usage.
[[nodiscard]] Result<void> check_baseline_requirements(const Certificate& certificate, Place place);

/// Failure::weak, Failure::unsupported.
[[nodiscard]] Result<void> check_baseline_requirements(const PublicKey& key);

}  // namespace quoll::x509
