// The encoding of ResumptionState, for a client that keeps it in a file: our own, versioned, with one form for each
// value. It holds the secret of a session, so a file of it wants mode 0600.
//
//   form (u8) = 1 | version (u32) | flags (u8): 1 a ticket | ticket (u24 and bytes, tls::ClientTicket::encode())
//   | transport parameters (u16 and bytes, RFC 9000 §18) | token (u16 and bytes)
#pragma once

#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "quic/connection/config.h"

namespace quoll::quic {

/// The caller wipes it. Empty when the version is not supported, the ticket has no encoding, a field is over its limit
/// (65535 bytes), or the parameters are not remembered_parameters().
std::vector<uint8_t> encode_resumption_state(const ResumptionState& state);

/// crypto::Failure::malformed unless `encoded` is exactly what encode_resumption_state() gives for some state.
[[nodiscard]] Result<ResumptionState> decode_resumption_state(Bytes encoded);

}  // namespace quoll::quic
