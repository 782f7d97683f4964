// Packet numbers on the wire: how many of their low bytes a header carries, and which number those bytes mean
// (RFC 9000 §17.1, §A.2, §A.3).
//
// A sender chooses the size by what the peer has acknowledged; a receiver takes the number that lies nearest to the one
// that it expects next. Both are pure functions of numbers in one packet number space.
#pragma once

#include <optional>

#include "base/writer.h"
#include "quic/wire/types.h"

namespace quoll::quic {

/// RFC 9000 §12.3: so that an ACK frame can say it.
inline constexpr PacketNumber kPacketNumberMax = kVarintMax;
inline constexpr size_t kPacketNumberSizeMax = 4;

/// The fewest bytes, 1 to 4, that say `number` to a peer that has acknowledged `largest_acknowledged` (less than
/// `number`) and nothing above. Empty when more than 2^31 numbers are unacknowledged, which no size can bridge: the
/// sender has to wait. (A peer can bring that about by never acknowledging packets that hold only ACK frames.)
std::optional<size_t> packet_number_size(PacketNumber number, std::optional<PacketNumber> largest_acknowledged);

/// The number that the `size` (1 to 4) low bytes `truncated` mean when `expected` is next: one more than the largest
/// number of a packet that was opened, 0 before the first. Never above kPacketNumberMax.
PacketNumber decode_packet_number(uint32_t truncated, size_t size, PacketNumber expected);

/// The packet number field at the beginning of `from`, which holds `size` (1 to 4) bytes of it at least.
uint32_t read_truncated_packet_number(Bytes from, size_t size);

template <Sink S>
void write_truncated_packet_number(S& sink, PacketNumber number, size_t size) {
  QUOLL_DCHECK(size >= 1 && size <= kPacketNumberSizeMax);
  for (size_t left = size; left > 0; left--) sink.u8(static_cast<uint8_t>(number >> (8 * (left - 1))));
}

}  // namespace quoll::quic
