// Connection::State::Datagram: a datagram that is being built by transmit.cc.
#pragma once

#include <optional>

#include "quic/connection/state.h"
#include "quic/recovery/packet_builder.h"
#include "quic/wire/packet_header_writer.h"

namespace quoll::quic {

inline constexpr size_t kTagSize = crypto::kAeadTagSize;

/// The packet of a datagram that still grows. Not within Datagram: an optional of it is a member there, and a class
/// with initialisers is complete only when the one around it is.
struct Connection::State::OpenPacket {
  // Of our own: with an implicit one optional::emplace() zeroes all of it first, for each packet.
  OpenPacket() {}

  PacketType type = PacketType::one_rtt;
  MutBytes bytes{};                 // from the header to the end of the datagram's room
  size_t packet_number_offset = 0;  // in bytes
  SizedPacketNumber number;
  bool has_ack = false;
  std::optional<PacketBuilder> payload;
  bool spin_bit = false, key_phase = false;

  size_t header_size() const { return packet_number_offset + number.size; }
  size_t size() const { return header_size() + payload->size() + kTagSize; }
};

/// A datagram that is being built: its packets, of which the last one may still grow by padding.
struct Connection::State::Datagram {
  using Open = OpenPacket;

  Datagram(Instant at, PathState& where, MutBytes whole, Ecn with)
      : now(at), departure(at), path(where), room(whole), mark(with) {}

  /// Bytes of finished and open packets.
  size_t size() const { return finished + (open ? open->size() : 0); }
  MutBytes rest() const { return room.subspan(size()); }

  Instant now;
  Instant departure;  // not before now: for all that counts the time that a packet is under way
  PathState& path;
  MutBytes room;
  Ecn mark;
  size_t finished = 0;
  size_t packets = 0;
  std::optional<Open> open;
  bool must_be_full = false;  // RFC 9000 §14.1, §8.2.1: 1200 bytes
  bool is_probe = false;
  bool is_mtu_probe = false;
};

}  // namespace quoll::quic
