// Stateless resets as they look on the wire (RFC 9000 §10.3): a datagram that could be a packet with a short header and
// ends in a token. Which tokens mean something, and how many resets may be sent, is decided elsewhere.
#pragma once

#include <array>
#include <optional>

#include "base/writer.h"

namespace quoll::quic {

/// RFC 9000 §10.3. A secret until it is used: compared in constant time.
inline constexpr size_t kStatelessResetTokenSize = 16;
using StatelessResetToken = std::array<uint8_t, kStatelessResetTokenSize>;

/// RFC 9000 §10.3: 5 bytes, of which 38 bits are unpredictable, and the token. What is smaller is no stateless reset.
inline constexpr size_t kStatelessResetSizeMin = 5 + kStatelessResetTokenSize;

/// The bytes of a datagram that are the token if it is a stateless reset. Every datagram is looked at, since other
/// versions might give a reset a long header.
inline std::optional<Bytes> stateless_reset_candidate(Bytes datagram) {
  if (datagram.size() < kStatelessResetSizeMin) return {};
  return datagram.last(kStatelessResetTokenSize);
}

/// Writes a reset of unpredictable.size() + 16 bytes; at least 5 unpredictable bytes.
template <Sink S>
void write_stateless_reset(S& sink, Bytes unpredictable, const StatelessResetToken& token) {
  QUOLL_CHECK(unpredictable.size() + token.size() >= kStatelessResetSizeMin);
  sink.u8(static_cast<uint8_t>((unpredictable[0] & 0x3f) | 0x40));  // short header, fixed bit
  sink.bytes(unpredictable.subspan(1));
  sink.bytes(token);
}

}  // namespace quoll::quic
