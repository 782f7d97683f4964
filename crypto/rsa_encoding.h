// What RSA signs: EMSA-PKCS1-v1_5 (RFC 8017 §9.2) and EMSA-PSS (RFC 8017 §9.1) of a digest.
//
// PSS with MGF1 over the same hash and a salt as long as the digest. Messages are encoded, never parsed: a PKCS#1
// signature is verified by comparing with the one right encoding. Lengths are in the terms of the RFC: an encoded
// message has ceil(em_bits / 8) bytes. Digests, salts and encodings of signatures are public once the signature is.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/hash.h"

namespace quoll::crypto {

/// Fills `encoded`. Failure::length when it is too short for the hash or the digest is not of the hash's size.
[[nodiscard]] Result<void> encode_pkcs1(const HashAlgorithm& hash, Bytes digest, MutBytes encoded);

/// Fills `encoded`, of ceil(em_bits / 8) bytes; `salt` is as long as the digest. Failure::length as above.
[[nodiscard]] Result<void> encode_pss(const HashAlgorithm& hash, Bytes digest, Bytes salt, size_t em_bits,
                                      MutBytes encoded);

/// Whether `encoded`, of ceil(em_bits / 8) bytes, is an encoding of the digest. `encoded` is used as working memory.
bool verify_pss_encoding(const HashAlgorithm& hash, Bytes digest, size_t em_bits, MutBytes encoded);

}  // namespace quoll::crypto
