// A file of what a client keeps of servers between connections (quic::ResumptionStore), so that its next run resumes them:
// `quoll get --session`.
//
// It holds secrets of sessions: mode 0600, written whole or not at all. What is in it was earned under some trust (which
// authorities, which pins, or -k); under another one it is not used (quic/endpoint/resumption_store.h), so the file says
// under which. Our own form, versioned:
//
//   "quoll sessions 1\n" | trust (32 bytes) | of each server, the one filled last at the end:
//   name (u16 and bytes) | state (u24 and bytes, quic/endpoint/resumption_state.h)
//
// with one entry for each state of a server, oldest first.
#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unix_time.h"
#include "quic/endpoint/resumption_store.h"
#include "tls/x509/trust_store.h"
#include "tls/x509/verify.h"

namespace quoll::web {

inline constexpr size_t kSessionFileSizeMax = 16 * 1024 * 1024;  // a full store of large tickets has 10 MiB

/// What servers are verified against, in short.
using TrustDigest = std::array<uint8_t, 32>;
/// `trust` is null where nobody is verified by authorities (-k).
TrustDigest trust_digest(const x509::TrustStore* trust, std::span<const x509::SpkiPin> pins);

/// Empties the store: what was taken out cannot be put back in the same order. The caller wipes what it gets.
std::vector<uint8_t> encode_sessions(quic::ResumptionStore& store, const TrustDigest& trust, UnixTime now);
/// Fills the store; with nothing when the trust is another one. A usage error when this is no such file.
[[nodiscard]] Result<void> decode_sessions(Bytes encoded, const TrustDigest& trust, quic::ResumptionStore& store);

/// Nothing, and no Error, when the file does not exist.
[[nodiscard]] Result<void> load_sessions(const std::string& path, const TrustDigest& trust,
                                         quic::ResumptionStore& store);
[[nodiscard]] Result<void> save_sessions(const std::string& path, const TrustDigest& trust,
                                         quic::ResumptionStore& store, UnixTime now);

}  // namespace quoll::web
