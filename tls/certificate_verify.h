// What a CertificateVerify message signs (RFC 8446 §4.4.3): 64 spaces, a context string that names the signer's side, a
// zero byte, and the transcript hash. The prefix keeps a signature made for TLS 1.3 from being valid anywhere else.
#pragma once

#include <cstddef>

#include "base/bytes.h"

namespace quoll::tls {

enum class Side : uint8_t { client, server };

inline constexpr size_t kCertificateVerifyContentSizeMax = 64 + 33 + 1 + 64;

/// Writes the content for a signature by `signer` over `transcript_hash` (at most 64 bytes) into `out`, which has
/// kCertificateVerifyContentSizeMax bytes; returns its size.
size_t certificate_verify_content(Side signer, Bytes transcript_hash, MutBytes out);

}  // namespace quoll::tls
