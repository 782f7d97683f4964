// Putting a header protection mask on a packet, and taking it off again (RFC 9001 §5.4.1).
//
// The number's size is as secret as the number (RFC 9001 §9.5), so both run over four bytes whatever it is: a packet is
// never so short that these lie outside of it (§5.4.2).
#pragma once

#include "base/bytes.h"
#include "crypto/header_protection.h"
#include "quic/wire/packet_header.h"

namespace quoll::quic {

/// Where the sample of a packet begins (RFC 9001 §5.4.2).
inline const uint8_t* sample_of(Bytes packet, size_t packet_number_offset) {
  QUOLL_DCHECK(packet.size() >= packet_number_offset + kSampleOffset + kSampleSize);
  return packet.data() + packet_number_offset + kSampleOffset;
}

/// The bits of a first byte that are protected.
constexpr uint8_t protected_bits(uint8_t first_byte) { return (first_byte & kLongHeaderBit) != 0 ? 0x0f : 0x1f; }

/// Covers or uncovers the `size` bytes of a packet number. Returns what stands there then.
inline uint32_t mask_packet_number(uint8_t* packet_number, size_t size, const crypto::HeaderMask& mask) {
  const size_t unused_bits = 8 * (sizeof(uint32_t) - size);
  const uint32_t kept = load_be<uint32_t>(mask.data() + 1) & (~uint32_t{0} << unused_bits);
  const uint32_t masked = load_be<uint32_t>(packet_number) ^ kept;
  store_be(packet_number, masked);
  return masked >> unused_bits;
}

inline void apply_mask(MutBytes packet, size_t packet_number_offset, size_t packet_number_size,
                       const crypto::HeaderMask& mask) {
  mask_packet_number(packet.data() + packet_number_offset, packet_number_size, mask);
  packet[0] ^= static_cast<uint8_t>(mask[0] & protected_bits(packet[0]));
}

/// What a header says once its mask is off.
struct UnmaskedHeader {
  uint8_t first_byte = 0;
  size_t packet_number_size = 0;
  uint32_t truncated_packet_number = 0;
};

inline UnmaskedHeader remove_mask(MutBytes packet, size_t packet_number_offset, const crypto::HeaderMask& mask) {
  packet[0] ^= static_cast<uint8_t>(mask[0] & protected_bits(packet[0]));
  const size_t size = packet_number_size_of(packet[0]);
  return {.first_byte = packet[0],
          .packet_number_size = size,
          .truncated_packet_number = mask_packet_number(packet.data() + packet_number_offset, size, mask)};
}

}  // namespace quoll::quic
