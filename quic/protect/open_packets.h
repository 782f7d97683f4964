// Opening packets in place: header protection off, packet number decoded, AEAD (RFC 9001 §5.3, §5.4; RFC 9000 §17.1).
//
// Every packet costs the same whatever its header turns out to say: its key phase and number are bytes that an attacker
// may have guessed, and the time must not tell how well (RFC 9001 §9.5). Reserved bits are not looked at; whoever gets
// the packet does that.
#pragma once

#include <span>

#include "base/result.h"
#include "base/time.h"
#include "quic/protect/handshake_keys.h"
#include "quic/protect/one_rtt_keys.h"
#include "quic/wire/packet_header.h"

namespace quoll::quic {

/// The largest number of 1-RTT packets that are opened in one batch: a GRO train.
inline constexpr size_t kOpenBatchMax = 64;

/// A packet that is to be opened, and what came of it.
struct OpenedPacket {
  enum class Status : uint8_t {
    opened,
    no_keys,          // not yet, or no longer, or not of this version: nothing was touched
    unauthenticated,  // the AEAD or the header is wrong: to be dropped and counted
  };
  Status status = Status::no_keys;
  PacketType type = PacketType::one_rtt;
  uint8_t first_byte = 0;  // without protection
  PacketNumber number = 0;
  MutBytes payload{};  // the frames
};

/// Opens a packet that has a long header.
OpenedPacket open_long(LevelKeys& keys, const ProtectedPacket& packet, PacketNumber expected);

/// Opens up to kOpenBatchMax packets as PacketProtection::open_one_rtt() does. Where numbers and generations were found
/// out of order, `opened` is filled nonetheless.
[[nodiscard]] Result<void> open_short(Instant now, Duration pto, OneRttKeys& keys,
                                      std::span<const ProtectedPacket> packets, PacketNumber expected,
                                      std::span<OpenedPacket> opened);

}  // namespace quoll::quic
