// HKDF (RFC 5869) and TLS 1.3's HKDF-Expand-Label (RFC 8446 §7.1), which QUIC shares (RFC 9001 §5.1).
#pragma once

#include <string_view>

#include "base/result.h"
#include "crypto/hash.h"

namespace quoll::crypto {

/// An empty salt stands for digest_size zeros (RFC 5869 §2.2).
Digest hkdf_extract(const HashAlgorithm& algorithm, Bytes salt, Bytes input_keying_material);

/// Fills `out`. Failure::length above 255 times digest_size bytes (RFC 5869 §2.3).
[[nodiscard]] Result<void> hkdf_expand(const HashAlgorithm& algorithm, Bytes pseudorandom_key, Bytes info,
                                       MutBytes out);

/// `label` without its "tls13 " prefix. Failure::length for a label over 249 bytes, a context over 255, or an `out`
/// over 65535 bytes or 255 times digest_size.
[[nodiscard]] Result<void> hkdf_expand_label(const HashAlgorithm& algorithm, Bytes secret, std::string_view label,
                                             Bytes context, MutBytes out);

}  // namespace quoll::crypto
