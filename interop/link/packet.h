// What the link reads and changes of an IP packet: the header's kind, the UDP payload, addresses, ports and the ECN field.
//
// Every change keeps the checksums right (RFC 1624 §3), so that the receiving kernel takes the packet: that of the IPv4
// header and that of UDP, but for a UDP checksum that was left out (zero, over IPv4). Only UDP right behind the IP header is
// recognised, and no fragments of it: QUIC sends neither extension headers nor fragments.
#pragma once

#include <optional>

#include "base/address.h"
#include "base/bytes.h"

namespace quoll::link {

inline constexpr uint8_t kProtocolUdp = 17;

struct IpPacket {
  IpAddress::Family family = IpAddress::Family::none;
  size_t header_size = 0;
  uint8_t protocol = 0;
  bool is_udp = false;  // and the whole UDP header is there

  size_t udp_at() const { return header_size; }
  size_t payload_at() const { return header_size + 8; }
};

/// The packet's shape; empty for what is no IP packet, or shorter than its header says.
std::optional<IpPacket> parse_ip(Bytes packet);

enum class End : uint8_t { source, destination };

IpAddress address_of(Bytes packet, const IpPacket& shape, End end);
/// UDP only.
uint16_t port_of(Bytes packet, const IpPacket& shape, End end);

/// A new address of the same family. UDP only: the checksums of other protocols would be wrong.
void set_address(MutBytes packet, const IpPacket& shape, End end, const IpAddress& address);
void set_port(MutBytes packet, const IpPacket& shape, End end, uint16_t port);
/// Writes one byte of the UDP payload; `offset` lies in it.
void set_payload_byte(MutBytes packet, const IpPacket& shape, size_t offset, uint8_t value);

/// Congestion Experienced (RFC 3168 §5), when the packet's sender said that it understands ECN; else false.
bool mark_congestion(MutBytes packet, const IpPacket& shape);

/// Whether the checksums of the IPv4 header and of UDP are right, or left out where that is allowed. UDP only.
bool checksums_hold(Bytes packet, const IpPacket& shape);

}  // namespace quoll::link
