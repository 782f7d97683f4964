#include "interop/link/packet.h"

#include "base/check.h"

namespace quoll::link {
namespace {

constexpr size_t kIpv4ChecksumAt = 10;

// The sum is over 16-bit words; headers have even sizes, so a byte's place in the packet tells its half of the word.
uint32_t weight(size_t at, uint8_t byte) { return at % 2 == 0 ? uint32_t{byte} << 8 : byte; }

uint16_t fold(uint32_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(sum);
}

/// RFC 1624 §3, equation 3: what the checksum becomes when the byte at `at` changes.
uint16_t updated(uint16_t checksum, size_t at, uint8_t old_byte, uint8_t new_byte) {
  const uint32_t sum =
      uint16_t(~checksum) + uint32_t{uint16_t(~weight(at, old_byte))} + uint32_t{uint16_t(weight(at, new_byte))};
  return static_cast<uint16_t>(~fold(sum));
}

/// Updates the checksum at `checksum_at` for a change that is about to be made.
void account(MutBytes packet, size_t checksum_at, size_t at, uint8_t new_byte) {
  const uint16_t checksum = load_be<uint16_t>(packet.data() + checksum_at);
  store_be(packet.data() + checksum_at, updated(checksum, at, packet[at], new_byte));
}

/// The same for UDP's, in which zero means that there is none (RFC 768), so that a sum of zero is written as all ones.
void account_udp(MutBytes packet, const IpPacket& shape, size_t at, uint8_t new_byte) {
  const size_t checksum_at = shape.udp_at() + 6;
  if (load_be<uint16_t>(packet.data() + checksum_at) == 0) return;
  account(packet, checksum_at, at, new_byte);
  if (load_be<uint16_t>(packet.data() + checksum_at) == 0) store_be<uint16_t>(packet.data() + checksum_at, 0xffff);
}

size_t address_at(const IpPacket& shape, End end) {
  if (shape.family == IpAddress::Family::ipv4) return end == End::source ? 12 : 16;
  return end == End::source ? 8 : 24;
}

uint32_t sum_of(Bytes bytes) {
  uint32_t sum = 0;
  for (size_t i = 0; i < bytes.size(); i++) sum += weight(i, bytes[i]);
  return sum;
}

std::optional<IpPacket> parse_ipv4(Bytes packet) {
  if (packet.size() < 20) return std::nullopt;
  IpPacket shape{.family = IpAddress::Family::ipv4};
  shape.header_size = size_t{packet[0]} % 16 * 4;
  const size_t total = load_be<uint16_t>(packet.data() + 2);
  if (shape.header_size < 20 || total < shape.header_size || total != packet.size()) return std::nullopt;
  shape.protocol = packet[9];
  const bool is_fragment = (load_be<uint16_t>(packet.data() + 6) & 0x3fff) != 0;
  shape.is_udp = shape.protocol == kProtocolUdp && !is_fragment && total >= shape.payload_at();
  return shape;
}

std::optional<IpPacket> parse_ipv6(Bytes packet) {
  if (packet.size() < 40 || load_be<uint16_t>(packet.data() + 4) + size_t{40} != packet.size()) return std::nullopt;
  IpPacket shape{.family = IpAddress::Family::ipv6, .header_size = 40, .protocol = packet[6]};
  shape.is_udp = shape.protocol == kProtocolUdp && packet.size() >= shape.payload_at();
  return shape;
}

}  // namespace

std::optional<IpPacket> parse_ip(Bytes packet) {
  if (packet.empty()) return std::nullopt;
  switch (packet[0] >> 4) {
    case 4:
      return parse_ipv4(packet);
    case 6:
      return parse_ipv6(packet);
    default:
      return std::nullopt;
  }
}

IpAddress address_of(Bytes packet, const IpPacket& shape, End end) {
  const uint8_t* from = packet.data() + address_at(shape, end);
  if (shape.family == IpAddress::Family::ipv4) return IpAddress::v4({from[0], from[1], from[2], from[3]});
  std::array<uint8_t, 16> octets;
  copy_bytes(octets.data(), Bytes(from, 16));
  return IpAddress::v6(octets);
}

uint16_t port_of(Bytes packet, const IpPacket& shape, End end) {
  return load_be<uint16_t>(packet.data() + shape.udp_at() + (end == End::source ? 0 : 2));
}

void set_address(MutBytes packet, const IpPacket& shape, End end, const IpAddress& address) {
  QUOLL_DCHECK(shape.is_udp && address.family() == shape.family);
  size_t at = address_at(shape, end);
  for (const uint8_t octet : address.octets()) {
    account_udp(packet, shape, at, octet);  // by its pseudo-header
    if (shape.family == IpAddress::Family::ipv4) account(packet, kIpv4ChecksumAt, at, octet);
    packet[at++] = octet;
  }
}

void set_port(MutBytes packet, const IpPacket& shape, End end, uint16_t port) {
  QUOLL_DCHECK(shape.is_udp);
  const size_t at = shape.udp_at() + (end == End::source ? 0 : 2);
  const uint8_t bytes[2] = {static_cast<uint8_t>(port >> 8), static_cast<uint8_t>(port)};
  for (size_t i = 0; i < 2; i++) {
    account_udp(packet, shape, at + i, bytes[i]);
    packet[at + i] = bytes[i];
  }
}

void set_payload_byte(MutBytes packet, const IpPacket& shape, size_t offset, uint8_t value) {
  const size_t at = shape.payload_at() + offset;
  QUOLL_DCHECK(shape.is_udp && at < packet.size());
  account_udp(packet, shape, at, value);
  packet[at] = value;
}

bool mark_congestion(MutBytes packet, const IpPacket& shape) {
  if (shape.family == IpAddress::Family::ipv4) {
    if (packet[1] % 4 == 0) return false;
    const auto marked = static_cast<uint8_t>(packet[1] | 3);
    account(packet, kIpv4ChecksumAt, 1, marked);
    packet[1] = marked;
    return true;
  }
  // The traffic class lies across two bytes: its last two bits are bits 5 and 4 of the second.
  if ((packet[1] & 0x30) == 0) return false;
  packet[1] |= 0x30;
  return true;
}

bool checksums_hold(Bytes packet, const IpPacket& shape) {
  if (shape.family == IpAddress::Family::ipv4 && fold(sum_of(packet.first(shape.header_size))) != 0xffff) return false;
  const Bytes udp = packet.subspan(shape.udp_at());
  if (load_be<uint16_t>(udp.data() + 6) == 0) return shape.family == IpAddress::Family::ipv4;
  const size_t addresses = shape.family == IpAddress::Family::ipv4 ? 8 : 32;
  const uint32_t pseudo = sum_of(packet.subspan(address_at(shape, End::source), addresses)) +
                          static_cast<uint32_t>(udp.size()) + kProtocolUdp;
  return fold(pseudo + fold(sum_of(udp))) == 0xffff;
}

}  // namespace quoll::link
