// The extensions of a certificate (RFC 5280 §4.2): which are known, and their decoding into Certificate. Internal to the
// parser.
#pragma once

#include "base/result.h"
#include "tls/x509/certificate.h"

namespace quoll::x509 {

/// Decodes certificate.extensions, a SEQUENCE. Failure::malformed, Failure::limit.
[[nodiscard]] Result<void> decode_extensions(Certificate& certificate);

// Policies (tls/x509/certificate_policies.cc). Each takes the value of an extension, and returns false when that is not
// what RFC 5280 demands.
bool decode_certificate_policies(crypto::DerReader value, bool critical, Certificate& certificate);
bool decode_policy_mappings(crypto::DerReader value, bool critical, Certificate& certificate);
bool decode_policy_constraints(crypto::DerReader value, bool critical, Certificate& certificate);
bool decode_inhibit_any_policy(crypto::DerReader value, bool critical, Certificate& certificate);

}  // namespace quoll::x509
