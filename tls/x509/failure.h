// Why a certificate, a key or a chain was refused. Error::code of ErrorDomain::certificate.
//
// Each has a name for people (describe()), an Error adds a sentence, and tls/alert.h says which alert tells the peer.
#pragma once

#include <string_view>

#include "base/result.h"

namespace quoll::x509 {

enum class Failure : uint8_t {
  malformed,           // not DER, or not the structure that the RFC demands
  limit,               // larger, deeper or more numerous than the named limits allow
  unsupported,         // a version, algorithm or key type that is not implemented
  weak,                // an algorithm or key size that the policy refuses
  bad_signature,       // a signature does not verify under the issuer's key
  unknown_issuer,      // no path leads to a trust anchor
  not_yet_valid,       // before notBefore
  expired,             // after notAfter
  not_a_ca,            // an issuer whose basic constraints or key usage do not let it issue
  path_too_long,       // a path length constraint, or the configured depth
  wrong_usage,         // key usage or extended key usage excludes the purpose
  name_constraint,     // a name lies outside of an issuer's name constraints
  name_mismatch,       // no subjectAltName matches the expected name
  critical_extension,  // a critical extension that is not understood
  policy,              // certificate policies
  pin_mismatch,        // no certificate of the path has a pinned key
  no_certificate,      // an empty chain
};

/// A name for people, such as "expired".
std::string_view describe(Failure failure);

inline std::unexpected<Error> refuse(Failure failure, const char* reason) {
  return std::unexpected(
      Error{.domain = ErrorDomain::certificate, .code = static_cast<uint64_t>(failure), .reason = reason});
}

}  // namespace quoll::x509
