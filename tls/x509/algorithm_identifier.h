// AlgorithmIdentifiers (RFC 5280 §4.1.1.2) as we write them, whole elements in DER: of public keys (RFC 3279 §2.3.1,
// RFC 5480 §2.1.1, RFC 8410 §3) and of signatures (RFC 4055 §5 and §3.1, RFC 5758 §3.2, RFC 8410 §6).
#pragma once

#include "base/bytes.h"
#include "tls/x509/public_key.h"

namespace quoll::x509 {

/// For rsa_pss without parameters: a key for every hash.
Bytes key_algorithm_identifier(KeyType type);

Bytes signature_algorithm_identifier(SignatureAlgorithm algorithm);

}  // namespace quoll::x509
