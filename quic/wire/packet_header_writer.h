// Writing packet headers (RFC 9000 §17, RFC 8999 §6, RFC 9369 §3.2). Everything is a template over Sink, so sizes come
// from the code that writes.
//
// The Length of a long header takes two bytes, whatever it is, so that it can be patched when the payload is complete.
// Protection is put over the header afterwards, elsewhere; so is the integrity tag behind a Retry packet.
#pragma once

#include <span>

#include "base/writer.h"
#include "quic/wire/packet_header.h"
#include "quic/wire/packet_number.h"

namespace quoll::quic {

inline constexpr size_t kLengthFieldSize = 2;

/// A long header of version 1 or 2: Initial, 0-RTT or Handshake.
struct LongHeader {
  PacketType type = PacketType::initial;
  Version version = Version::v1;
  Bytes destination{};  // at most 20 bytes each
  Bytes source{};
  Bytes token{};          // Initial packets of clients
  bool fixed_bit = true;  // RFC 9287 §3.1: unpredictable once the peer has sent grease_quic_bit
};

struct ShortHeader {
  Bytes destination{};
  bool spin_bit = false;
  bool key_phase = false;
  bool fixed_bit = true;
};

/// A packet number and the bytes that it takes (packet_number_size()).
struct SizedPacketNumber {
  PacketNumber number = 0;
  size_t size = 1;
};

/// Positions in the sink, for finish_long_header() and for protection.
struct HeaderPlaces {
  size_t start = 0;          // of the packet
  size_t packet_number = 0;  // the Length stands before it
};

namespace wire {

/// The two type bits, where 0 to 3 are Initial, 0-RTT, Handshake and Retry in version 1.
constexpr uint8_t type_bits(uint8_t v1_type, Version version) {
  return static_cast<uint8_t>((version == Version::v2 ? (v1_type + 1) & 3 : v1_type) << 4);  // RFC 9369 §3.2
}

template <Sink S>
void write_invariant(S& sink, uint8_t first_byte, Version version, Bytes destination, Bytes source) {
  sink.u8(first_byte);
  sink.u32(static_cast<uint32_t>(version));
  sink.u8(static_cast<uint8_t>(destination.size()));
  sink.bytes(destination);
  sink.u8(static_cast<uint8_t>(source.size()));
  sink.bytes(source);
}

}  // namespace wire

/// Writes the header up to and including the packet number, with a Length that is patched later.
template <Sink S>
HeaderPlaces write_long_header(S& sink, const LongHeader& header, SizedPacketNumber packet_number) {
  QUOLL_DCHECK(has_long_header(header.type) && (is_supported(header.version) || is_reserved(header.version)));
  QUOLL_DCHECK(header.destination.size() <= kConnectionIdSizeMax && header.source.size() <= kConnectionIdSizeMax);
  HeaderPlaces places{.start = sink.size()};
  const uint8_t first_byte = kLongHeaderBit | (header.fixed_bit ? kFixedBit : 0) |
                             wire::type_bits(static_cast<uint8_t>(header.type), header.version) |
                             static_cast<uint8_t>(packet_number.size - 1);
  wire::write_invariant(sink, first_byte, header.version, header.destination, header.source);
  if (header.type == PacketType::initial) {
    sink.varint(header.token.size());
    sink.bytes(header.token);
  }
  sink.varint(0, kLengthFieldSize);
  places.packet_number = sink.size();
  write_truncated_packet_number(sink, packet_number.number, packet_number.size);
  return places;
}

/// Writes the Length of a long header whose payload ends where the sink stands, `tag_size` bytes of AEAD tag to follow.
/// A packet that is longer than the field can say (16383 bytes) fails the sink.
template <Sink S>
void finish_long_header(S& sink, const HeaderPlaces& places, size_t tag_size) {
  if (!sink.ok()) return;
  const uint64_t length = sink.size() - places.packet_number + tag_size;
  if (length > varint_max(kLengthFieldSize)) {
    sink.fail();
  } else {
    constexpr uint64_t kTwoBytes = 0x4000;
    sink.patch(places.packet_number - kLengthFieldSize, length | kTwoBytes, kLengthFieldSize);
  }
}

template <Sink S>
HeaderPlaces write_short_header(S& sink, const ShortHeader& header, SizedPacketNumber packet_number) {
  HeaderPlaces places{.start = sink.size()};
  sink.u8(static_cast<uint8_t>((header.fixed_bit ? kFixedBit : 0) | (header.spin_bit ? kSpinBit : 0) |
                               (header.key_phase ? kKeyPhaseBit : 0) | (packet_number.size - 1)));
  sink.bytes(header.destination);
  places.packet_number = sink.size();
  write_truncated_packet_number(sink, packet_number.number, packet_number.size);
  return places;
}

inline size_t header_size(const LongHeader& header, SizedPacketNumber packet_number) {
  Counter counter;
  write_long_header(counter, header, packet_number);
  return counter.size();
}
inline size_t header_size(const ShortHeader& header, SizedPacketNumber packet_number) {
  Counter counter;
  write_short_header(counter, header, packet_number);
  return counter.size();
}

/// A Version Negotiation packet in answer to a packet with these connection ids (up to 255 bytes each), which it swaps
/// (RFC 8999 §6). `unused` is arbitrary; RFC 9000 §17.2.1: the bit 0x40 is set all the same.
template <Sink S>
void write_version_negotiation(S& sink, const InvariantHeader& answered, std::span<const Version> versions,
                               uint8_t unused) {
  QUOLL_DCHECK(!versions.empty());
  wire::write_invariant(sink, unused | kLongHeaderBit | kFixedBit, Version::negotiation, answered.source,
                        answered.destination);
  for (const Version version : versions) sink.u32(static_cast<uint32_t>(version));
}

struct RetryHeader {
  Version version = Version::v1;  // RFC 9369 §4.1: the original one
  Bytes destination{};            // at most 20 bytes each
  Bytes source{};
  Bytes token{};  // not empty
};

/// A Retry packet without its integrity tag. `unused` (four bits) is arbitrary.
template <Sink S>
void write_retry(S& sink, const RetryHeader& header, uint8_t unused) {
  constexpr uint8_t kRetry = 3;
  QUOLL_DCHECK(!header.token.empty() && is_supported(header.version));
  wire::write_invariant(
      sink,
      static_cast<uint8_t>(kLongHeaderBit | kFixedBit | wire::type_bits(kRetry, header.version) | (unused & 0x0f)),
      header.version, header.destination, header.source);
  sink.bytes(header.token);
}

}  // namespace quoll::quic
