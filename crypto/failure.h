// The ways in which a cryptographic operation refuses. Error::code of ErrorDomain::crypto.
#pragma once

#include "base/result.h"

namespace quoll::crypto {

enum class Failure : uint8_t {
  length,          // a key, nonce, message or signature of a size that the algorithm does not have
  limit,           // an AEAD key has reached its confidentiality or integrity limit (RFC 9001 §6.6)
  authentication,  // a tag or a signature does not verify
  point,           // a public key that is no valid point, or an agreement whose result is all zero
  weak_key,        // a key outside of the accepted sizes or exponents
  malformed,       // an encoding that is not the canonical one
};

inline std::unexpected<Error> refuse(Failure failure, const char* reason) {
  return std::unexpected(
      Error{.domain = ErrorDomain::crypto, .code = static_cast<uint64_t>(failure), .reason = reason});
}

}  // namespace quoll::crypto
