#include "quic/wire/packet_header.h"

#include "quic/wire/error_code.h"

namespace quoll::quic {
namespace {

enum class LongType : uint8_t { initial, zero_rtt, handshake, retry };

/// The meaning of the two type bits; the version is supported.
LongType long_type(uint8_t first_byte, Version version) {
  const uint8_t bits = first_byte >> 4 & 3;
  // RFC 9369 §3.2: version 2 counts from Retry.
  return LongType{static_cast<uint8_t>(version == Version::v2 ? (bits + 3) & 3 : bits)};
}

PacketType packet_type(LongType type) {
  switch (type) {
    case LongType::initial:
      return PacketType::initial;
    case LongType::zero_rtt:
      return PacketType::zero_rtt;
    case LongType::handshake:
    case LongType::retry:
      break;
  }
  return PacketType::handshake;
}

}  // namespace

std::expected<InvariantHeader, PacketDrop> parse_invariant_header(Bytes datagram, size_t local_connection_id_size) {
  Reader reader(datagram);
  InvariantHeader header;
  header.long_header = (reader.u8() & kLongHeaderBit) != 0;
  if (header.long_header) {
    header.version = Version{reader.u32()};
    header.destination = reader.bytes(reader.u8());
    header.source = reader.bytes(reader.u8());
  } else {
    header.destination = reader.bytes(local_connection_id_size);
  }
  if (!reader.ok()) return std::unexpected(PacketDrop::truncated);
  header.size = reader.position();
  return header;
}

std::optional<ParsedPacket> DatagramReader::next() {
  if (rest_.empty()) return {};
  ParsedPacket packet = parse_next();
  first_ = false;
  return packet;
}

ParsedPacket DatagramReader::parse_next() {
  const auto header = parse_invariant_header(rest_, options_.local_connection_id_size);
  if (!header) {
    rest_ = {};
    return std::unexpected(header.error());
  }
  if (first_) first_destination_ = header->destination;
  return header->long_header ? parse_long(*header) : parse_short(*header);
}

bool DatagramReader::fixed_bit_is_wrong(uint8_t first_byte) const {
  // RFC 9000 §17.2, §17.3: it is 1, unless we said that we do not care (RFC 9287 §3).
  return (first_byte & kFixedBit) == 0 && !options_.accept_fixed_bit_zero;
}

ParsedPacket DatagramReader::parse_short(const InvariantHeader& header) {
  ProtectedPacket packet;
  packet.type_ = PacketType::one_rtt;
  packet.destination_ = header.destination;
  return take_protected(packet, rest_.size(), header.size);
}

ParsedPacket DatagramReader::parse_long(const InvariantHeader& header) {
  if (!is_supported(header.version)) {
    const bool first = first_;
    const bool negotiation = header.version == Version::negotiation;
    const ParsedPacket packet =
        !first        ? ParsedPacket(std::unexpected(PacketDrop::misplaced))
        : negotiation ? parse_version_negotiation(header)
                      : ParsedPacket(UnknownVersionPacket{header.version, header.destination, header.source});
    rest_ = {};
    return packet;
  }
  // RFC 9000 §17.2: at most 20 bytes in versions 1 and 2.
  const bool too_long = std::max(header.destination.size(), header.source.size()) > kConnectionIdSizeMax;
  const LongType type = long_type(rest_[0], header.version);
  if (too_long || type == LongType::retry) {
    const ParsedPacket packet =
        too_long ? ParsedPacket(std::unexpected(PacketDrop::connection_id_too_long)) : parse_retry(header);
    rest_ = {};
    return packet;
  }

  Reader reader(Bytes(rest_).subspan(header.size));
  ProtectedPacket packet;
  packet.type_ = packet_type(type);
  packet.version_ = header.version;
  packet.destination_ = header.destination;
  packet.source_ = header.source;
  if (type == LongType::initial) packet.token_ = reader.bytes(reader.varint());
  const uint64_t length = reader.varint();
  const size_t packet_number_offset = header.size + reader.position();
  if (!reader.ok() || length > reader.remaining()) {
    rest_ = {};
    return std::unexpected(PacketDrop::truncated);
  }
  return take_protected(packet, packet_number_offset + static_cast<size_t>(length), packet_number_offset);
}

ParsedPacket DatagramReader::take_protected(ProtectedPacket packet, size_t size, size_t packet_number_offset) {
  packet.bytes_ = rest_.first(size);
  packet.packet_number_offset_ = packet_number_offset;
  rest_ = rest_.subspan(size);
  if (fixed_bit_is_wrong(packet.bytes_[0])) return std::unexpected(PacketDrop::fixed_bit);
  // RFC 9000 §12.2: a packet with another connection id than the first is ignored; those after it are still looked at.
  if (!first_ && !std::ranges::equal(packet.destination_, first_destination_)) {
    return std::unexpected(PacketDrop::other_connection_id);
  }
  // RFC 9001 §5.4.2: a packet without a complete sample is discarded.
  if (packet.protected_size() < kSampleOffset + kSampleSize) return std::unexpected(PacketDrop::too_short);
  if (options_.role == Role::client) {
    // RFC 9000 §17.2.3: only clients send 0-RTT packets.
    if (packet.type_ == PacketType::zero_rtt) return std::unexpected(PacketDrop::wrong_role);
    // RFC 9000 §17.2.2: an Initial packet of a server has no token; with one it is discarded.
    if (!packet.token_.empty()) return std::unexpected(PacketDrop::unexpected_token);
  }
  return packet;
}

ParsedPacket DatagramReader::parse_retry(const InvariantHeader& header) {
  if (!first_) return std::unexpected(PacketDrop::misplaced);  // RFC 9000 §12.2
  if (options_.role == Role::server) return std::unexpected(PacketDrop::wrong_role);
  if (fixed_bit_is_wrong(rest_[0])) return std::unexpected(PacketDrop::fixed_bit);
  const Bytes rest = Bytes(rest_).subspan(header.size);
  if (rest.size() < kRetryIntegrityTagSize) return std::unexpected(PacketDrop::truncated);
  // RFC 9000 §17.2.5.2: a client discards a Retry packet without a token.
  if (rest.size() == kRetryIntegrityTagSize) return std::unexpected(PacketDrop::bad_retry);
  return RetryPacket{.version = header.version,
                     .destination = header.destination,
                     .source = header.source,
                     .token = rest.first(rest.size() - kRetryIntegrityTagSize),
                     .without_tag = Bytes(rest_).first(rest_.size() - kRetryIntegrityTagSize),
                     .integrity_tag = rest.last(kRetryIntegrityTagSize)};
}

ParsedPacket DatagramReader::parse_version_negotiation(const InvariantHeader& header) const {
  // RFC 9368 §2.1: servers ignore Version Negotiation packets.
  if (options_.role == Role::server) return std::unexpected(PacketDrop::wrong_role);
  const Bytes versions = Bytes(rest_).subspan(header.size);
  // RFC 8999 §6: without a version, or with a truncated one, it is ignored. Its other first bits mean nothing.
  if (versions.empty() || versions.size() % 4 != 0) return std::unexpected(PacketDrop::bad_version_negotiation);
  return VersionNegotiationPacket{header.destination, header.source, versions};
}

Result<void> check_reserved_bits(uint8_t first_byte) {
  const uint8_t reserved = (first_byte & kLongHeaderBit) != 0 ? kLongReservedBits : kShortReservedBits;
  if ((first_byte & reserved) != 0) return close_with(TransportError::protocol_violation, "reserved header bits");
  return {};
}

}  // namespace quoll::quic
