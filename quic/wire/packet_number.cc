#include "quic/wire/packet_number.h"

namespace quoll::quic {

std::optional<size_t> packet_number_size(PacketNumber number, std::optional<PacketNumber> largest_acknowledged) {
  QUOLL_DCHECK(number <= kPacketNumberMax && (!largest_acknowledged || *largest_acknowledged < number));
  // RFC 9000 §17.1: before the first acknowledgment the full number is sent; the count below then covers all of it.
  const uint64_t unacknowledged = largest_acknowledged ? number - *largest_acknowledged : number + 1;
  for (size_t size = 1; size <= kPacketNumberSizeMax; size++) {
    if (unacknowledged <= uint64_t{1} << (8 * size - 1)) return size;  // §A.2: a bit more than the logarithm
  }
  return {};
}

PacketNumber decode_packet_number(uint32_t truncated, size_t size, PacketNumber expected) {
  QUOLL_DCHECK(size >= 1 && size <= kPacketNumberSizeMax && expected <= kPacketNumberMax + 1);
  const uint64_t window = uint64_t{1} << (8 * size);
  const uint64_t half = window / 2;
  const PacketNumber candidate = (expected & ~(window - 1)) | (truncated & (window - 1));
  // RFC 9000 §17.1: the number nearest to the expected one, in (expected - half, expected + half], in range.
  if (candidate + half <= expected && candidate <= kPacketNumberMax - window) return candidate + window;
  if ((candidate > expected + half && candidate >= window) || candidate > kPacketNumberMax) return candidate - window;
  return candidate;
}

uint32_t read_truncated_packet_number(Bytes from, size_t size) {
  QUOLL_DCHECK(size >= 1 && size <= kPacketNumberSizeMax && size <= from.size());
  uint32_t truncated = 0;
  for (const uint8_t byte : from.first(size)) truncated = truncated << 8 | byte;
  return truncated;
}

}  // namespace quoll::quic
