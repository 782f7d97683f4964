// Packet headers as far as they can be read without keys (RFC 9000 §17, RFC 8999, RFC 9287, RFC 9369 §3.2), and the
// packets of a datagram one after the other (RFC 9000 §12.2).
//
// A type for each stage of protection: a ProtectedPacket gives its header fields and the whole packet for opening in
// place, but no payload; only what opening it yields is a PlainPayload, and only that is parsed into frames. A packet
// that cannot be read is dropped for a reason that is counted: nothing is to be believed, so nothing is an error. The
// parsers read no byte outside the datagram, allocate nothing, and give views into the datagram.
#pragma once

#include <expected>
#include <optional>
#include <variant>

#include "base/reader.h"
#include "base/result.h"
#include "quic/wire/types.h"

namespace quoll::quic {

/// The packets that carry frames.
enum class PacketType : uint8_t { initial, zero_rtt, handshake, one_rtt };

constexpr bool has_long_header(PacketType type) { return type != PacketType::one_rtt; }
constexpr Space space_of(PacketType type) {
  switch (type) {
    case PacketType::initial:
      return Space::initial;
    case PacketType::handshake:
      return Space::handshake;
    case PacketType::zero_rtt:
    case PacketType::one_rtt:
      break;
  }
  return Space::application;
}

// The first byte (RFC 9000 §17.2, §17.3).
inline constexpr uint8_t kLongHeaderBit = 0x80;
inline constexpr uint8_t kFixedBit = 0x40;  // RFC 9287 calls it the QUIC bit
inline constexpr uint8_t kSpinBit = 0x20;
inline constexpr uint8_t kKeyPhaseBit = 0x04;
inline constexpr uint8_t kPacketNumberSizeBits = 0x03;
inline constexpr uint8_t kLongReservedBits = 0x0c;
inline constexpr uint8_t kShortReservedBits = 0x18;

/// RFC 9001 §5.4.2: the sample begins as if the packet number took four bytes; without a whole one a packet is dropped.
inline constexpr size_t kSampleOffset = 4;
inline constexpr size_t kSampleSize = 16;
inline constexpr size_t kRetryIntegrityTagSize = 16;

/// RFC 9000 §14.1: a datagram with an Initial packet is no smaller.
inline constexpr size_t kInitialDatagramSizeMin = 1200;

/// Why a packet was dropped without being opened.
enum class PacketDrop : uint8_t {
  truncated,                // ends inside its header, or before the end that its Length gives
  too_short,                // no room for a header protection sample
  fixed_bit,                // is 0, and we did not allow that
  connection_id_too_long,   // over 20 bytes in version 1 or 2
  other_connection_id,      // coalesced with a packet for another connection id
  misplaced,                // a packet without Length after another one
  wrong_role,               // only the other role receives this type
  unexpected_token,         // an Initial from a server with a token
  bad_retry,                // without a token
  bad_version_negotiation,  // without versions, or with a part of one
};

/// What every version of QUIC has in its header (RFC 8999 §5); all of it is unauthenticated.
struct InvariantHeader {
  bool long_header = false;
  Version version = Version::negotiation;  // of long headers
  Bytes destination{};                     // up to 255 bytes
  Bytes source{};                          // of long headers
  size_t size = 0;                         // up to and including the connection ids
};

/// The invariant header of the first packet; short headers have a destination of `local_connection_id_size` bytes.
std::expected<InvariantHeader, PacketDrop> parse_invariant_header(Bytes datagram, size_t local_connection_id_size);

/// What the receiver knows of its own choices.
struct HeaderOptions {
  size_t local_connection_id_size = 0;  // of short headers
  Role role = Role::server;             // ours
  /// RFC 9287 §3: we sent grease_quic_bit.
  bool accept_fixed_bit_zero = false;
};

/// A packet of version 1 or 2 that carries frames, as it came.
class ProtectedPacket {
 public:
  PacketType type() const { return type_; }
  /// Of long headers; Version::negotiation of short ones, which do not say.
  Version version() const { return version_; }
  Bytes destination() const { return destination_; }
  /// Of long headers.
  Bytes source() const { return source_; }
  /// Of Initial packets.
  Bytes token() const { return token_; }
  /// Where the packet number begins; header protection covers it and part of the first byte.
  size_t packet_number_offset() const { return packet_number_offset_; }
  /// Bytes of packet number, payload and tag together; at least 20, so that there is a sample.
  size_t protected_size() const { return bytes_.size() - packet_number_offset_; }
  /// The whole packet, to be opened in place.
  MutBytes bytes() const { return bytes_; }

 private:
  friend class DatagramReader;

  MutBytes bytes_;
  size_t packet_number_offset_ = 0;
  Bytes destination_{};
  Bytes source_{};
  Bytes token_{};
  Version version_ = Version::negotiation;
  PacketType type_ = PacketType::one_rtt;
};

/// A Retry packet, its integrity tag not yet verified (RFC 9000 §17.2.5).
struct RetryPacket {
  Version version = Version::v1;
  Bytes destination{};
  Bytes source{};
  Bytes token{};          // never empty
  Bytes without_tag{};    // what the tag protects
  Bytes integrity_tag{};  // 16 bytes
};

/// A Version Negotiation packet (RFC 8999 §6): at least one version.
struct VersionNegotiationPacket {
  Bytes destination{};
  Bytes source{};
  Bytes versions{};

  size_t size() const { return versions.size() / 4; }
  Version operator[](size_t i) const { return Version{load_be<uint32_t>(versions.data() + 4 * i)}; }
};

/// A long header of a version that we do not speak: all that may be known of it, enough to answer.
struct UnknownVersionPacket {
  Version version = Version::negotiation;
  Bytes destination{};
  Bytes source{};
};

using Packet = std::variant<ProtectedPacket, RetryPacket, VersionNegotiationPacket, UnknownVersionPacket>;
using ParsedPacket = std::expected<Packet, PacketDrop>;

/// Walks through the packets of one datagram.
class DatagramReader {
 public:
  DatagramReader(MutBytes datagram, const HeaderOptions& options) : rest_(datagram), options_(options) {}

  /// The next packet, or why it is dropped (a drop may be followed by further packets); empty at the end.
  std::optional<ParsedPacket> next();

 private:
  ParsedPacket parse_next();
  ParsedPacket parse_long(const InvariantHeader& header);
  ParsedPacket parse_short(const InvariantHeader& header);
  ParsedPacket parse_retry(const InvariantHeader& header);
  ParsedPacket parse_version_negotiation(const InvariantHeader& header) const;
  /// Takes `size` bytes from the datagram as a packet whose number begins at `packet_number_offset`.
  ParsedPacket take_protected(ProtectedPacket packet, size_t size, size_t packet_number_offset);
  bool fixed_bit_is_wrong(uint8_t first_byte) const;

  MutBytes rest_;
  HeaderOptions options_;
  Bytes first_destination_{};
  bool first_ = true;
};

// What the first byte tells when header protection has been removed.

constexpr size_t packet_number_size_of(uint8_t first_byte) { return size_t{1} + (first_byte & kPacketNumberSizeBits); }
/// Of a short header.
constexpr bool key_phase_of(uint8_t first_byte) { return (first_byte & kKeyPhaseBit) != 0; }
/// Of a short header; not protected.
constexpr bool spin_bit_of(uint8_t first_byte) { return (first_byte & kSpinBit) != 0; }

/// PROTOCOL_VIOLATION when reserved bits are set. RFC 9000 §17.2: asked only after the packet was opened, since what is
/// done about an unauthenticated packet could be measured.
Result<void> check_reserved_bits(uint8_t first_byte);

}  // namespace quoll::quic
