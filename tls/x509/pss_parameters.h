// RSASSA-PSS-params (RFC 4055 §3.1), of signatures and of keys that are restricted to one hash.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "tls/x509/public_key.h"

namespace quoll::x509 {

struct PssParameters {
  SignatureAlgorithm algorithm;  // one of rsa_pss_*: the hash, which is MGF1's as well
  uint64_t salt_length;          // bytes; of a key: at least so many (RFC 4055 §3.3)
  uint64_t hash_size;            // bytes
};

/// `parameters` is the whole element. Failure::malformed, Failure::weak (SHA-1, which is the default), and
/// Failure::unsupported (another hash, MGF1 with another hash than the message's, another trailer).
[[nodiscard]] Result<PssParameters> parse_pss_parameters(Bytes parameters);

}  // namespace quoll::x509
