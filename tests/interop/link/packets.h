// IP packets for the link's tests, with checksums computed from the ground, as an oracle for those that the link updates.
#pragma once

#include <vector>

#include "base/address.h"
#include "base/bytes.h"

namespace quoll::link {

/// RFC 1071: the sum of 16-bit words with its carries, complemented.
inline uint16_t internet_checksum(Bytes bytes) {
  uint64_t sum = 0;
  for (size_t i = 0; i + 1 < bytes.size(); i += 2) sum += load_be<uint16_t>(bytes.data() + i);
  if (bytes.size() % 2 != 0) sum += uint64_t{bytes.back()} << 8;
  while (sum > 0xffff) sum = sum % 0x10000 + sum / 0x10000;
  return static_cast<uint16_t>(0xffff - sum);
}

inline void append_be16(std::vector<uint8_t>& to, size_t value) {
  to.push_back(static_cast<uint8_t>(value >> 8));
  to.push_back(static_cast<uint8_t>(value));
}

struct TestPacket {
  SocketAddress from, to;
  std::vector<uint8_t> payload;
  uint8_t protocol = 17;
  uint8_t ecn = 0;
  bool udp_checksum = true;
};

/// The checksum of `udp`, in which the field itself is zero.
inline uint16_t udp_checksum(const IpAddress& from, const IpAddress& to, Bytes udp) {
  std::vector<uint8_t> pseudo;
  for (const IpAddress& address : {from, to})
    pseudo.insert(pseudo.end(), address.octets().begin(), address.octets().end());
  append_be16(pseudo, 0);
  append_be16(pseudo, udp.size());
  append_be16(pseudo, 0);
  append_be16(pseudo, 17);
  pseudo.insert(pseudo.end(), udp.begin(), udp.end());
  const uint16_t checksum = internet_checksum(pseudo);
  return checksum == 0 ? 0xffff : checksum;
}

inline std::vector<uint8_t> make_packet(const TestPacket& content) {
  std::vector<uint8_t> udp;
  append_be16(udp, content.from.port);
  append_be16(udp, content.to.port);
  append_be16(udp, 8 + content.payload.size());
  append_be16(udp, 0);
  udp.insert(udp.end(), content.payload.begin(), content.payload.end());
  if (content.udp_checksum) store_be(udp.data() + 6, udp_checksum(content.from.ip, content.to.ip, udp));

  std::vector<uint8_t> packet;
  if (content.from.ip.family() == IpAddress::Family::ipv4) {
    packet = {0x45, content.ecn};
    append_be16(packet, 20 + udp.size());
    packet.insert(packet.end(), {0, 0, 0x40, 0, 64, content.protocol, 0, 0});
  } else {
    packet = {0x60, static_cast<uint8_t>(content.ecn << 4), 0, 0};
    append_be16(packet, udp.size());
    packet.insert(packet.end(), {content.protocol, 64});
  }
  for (const IpAddress& address : {content.from.ip, content.to.ip})
    packet.insert(packet.end(), address.octets().begin(), address.octets().end());
  if (content.from.ip.family() == IpAddress::Family::ipv4)
    store_be(packet.data() + 10, internet_checksum(Bytes(packet).first(20)));
  packet.insert(packet.end(), udp.begin(), udp.end());
  return packet;
}

/// Whether the packet's checksums are those that make_packet() would give it.
inline bool has_right_checksums(Bytes packet) {
  std::vector<uint8_t> copy(packet.begin(), packet.end());
  const bool ipv4 = copy[0] >> 4 == 4;
  if (ipv4 && internet_checksum(Bytes(copy).first(20)) != 0) return false;
  MutBytes udp = MutBytes(copy).subspan(ipv4 ? 20 : 40);
  const uint16_t stands = load_be<uint16_t>(udp.data() + 6);
  store_be<uint16_t>(udp.data() + 6, 0);
  IpAddress from, to;
  if (ipv4) {
    from = IpAddress::v4({copy[12], copy[13], copy[14], copy[15]});
    to = IpAddress::v4({copy[16], copy[17], copy[18], copy[19]});
  } else {
    std::array<uint8_t, 16> octets[2];
    for (size_t i = 0; i < 2; i++) copy_bytes(octets[i].data(), Bytes(copy).subspan(8 + 16 * i, 16));
    from = IpAddress::v6(octets[0]);
    to = IpAddress::v6(octets[1]);
  }
  return stands == udp_checksum(from, to, udp);
}

inline const SocketAddress kClient4 = {.ip = IpAddress::v4({193, 167, 0, 100}), .port = 40'000};
inline const SocketAddress kServer4 = {.ip = IpAddress::v4({193, 167, 100, 100}), .port = 443};
inline const SocketAddress kClient6 = {
    .ip = IpAddress::v6({0xfd, 0, 0xca, 0xfe, 0xca, 0xfe, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0}), .port = 40'000};
inline const SocketAddress kServer6 = {
    .ip = IpAddress::v6({0xfd, 0, 0xca, 0xfe, 0xca, 0xfe, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0}), .port = 443};

}  // namespace quoll::link
