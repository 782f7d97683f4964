// A capture file (pcap, LINKTYPE_RAW) of UDP datagrams in memory, for Wireshark and tshark to take apart what a test sent:
// with a key log beside it (tshark -o tls.keylog_file:FILE) they decrypt it.
//
// Every datagram gets an IPv4 or IPv6 and a UDP header. Checksums are zero where the tools do not mind, so not that of UDP
// over IPv6 (RFC 8200 §8.1). Times are those of the test's clock.
#pragma once

#include <cstdint>
#include <string>

#include "base/net.h"

namespace quoll::tests {

class PcapWriter {
 public:
  PcapWriter() {
    put_le<uint32_t>(0xa1b23c4d);  // nanoseconds
    put_le<uint16_t>(2);           // version 2.4
    put_le<uint16_t>(4);
    put_le<uint32_t>(0);
    put_le<uint32_t>(0);
    put_le<uint32_t>(kSnapLength);
    put_le<uint32_t>(101);  // LINKTYPE_RAW: packets begin with their IP header
  }

  /// A datagram of at most 65,507 bytes. Both addresses have the same family; one without an IP address becomes the
  /// loopback address of the other's.
  void add(Instant now, const SocketAddress& from, const SocketAddress& to, Bytes payload, Ecn ecn = Ecn::not_ect) {
    const bool is_ipv6 = from.ip.family() == IpAddress::Family::ipv6 || to.ip.family() == IpAddress::Family::ipv6;
    const auto udp_size = static_cast<uint16_t>(8 + payload.size());
    const uint32_t size = (is_ipv6 ? 40u : 20u) + udp_size;
    const auto nanoseconds = static_cast<uint64_t>(now.as_nanoseconds());
    put_le<uint32_t>(static_cast<uint32_t>(nanoseconds / 1'000'000'000));
    put_le<uint32_t>(static_cast<uint32_t>(nanoseconds % 1'000'000'000));
    put_le<uint32_t>(size);
    put_le<uint32_t>(size);
    is_ipv6 ? put_ipv6(from.ip, to.ip, udp_size, ecn) : put_ipv4(from.ip, to.ip, udp_size, ecn);
    const size_t udp_start = file_.size();
    put_be<uint16_t>(from.port);
    put_be<uint16_t>(to.port);
    put_be<uint16_t>(udp_size);
    put_be<uint16_t>(0);
    file_ += as_text(payload);
    if (is_ipv6) set_checksum(udp_start);
  }

  /// The datagrams of a train, which leave on `path`.
  void add(Instant now, const Transmit& transmit) {
    const size_t segment = transmit.segment_size == 0 ? transmit.bytes.size() : transmit.segment_size;
    for (Bytes rest = transmit.bytes; !rest.empty();) {
      const Bytes datagram = rest.first(rest.size() < segment ? rest.size() : segment);
      add(now, transmit.path.local, transmit.path.remote, datagram, transmit.ecn);
      rest = rest.subspan(datagram.size());
    }
  }

  /// The file so far.
  const std::string& file() const { return file_; }

 private:
  static constexpr uint32_t kSnapLength = 1 << 18;
  static constexpr uint8_t kUdp = 17;
  static constexpr uint8_t kHops = 64;

  template <class T>
  void put_le(T value) {
    uint8_t bytes[sizeof value];
    store_le(bytes, value);
    file_ += as_text(bytes);
  }
  template <class T>
  void put_be(T value) {
    uint8_t bytes[sizeof value];
    store_be(bytes, value);
    file_ += as_text(bytes);
  }

  void put_address(const IpAddress& ip, const IpAddress& loopback) {
    file_ += as_text(ip.family() == loopback.family() ? ip.octets() : loopback.octets());
  }

  /// RFC 791 §3.1.
  void put_ipv4(const IpAddress& from, const IpAddress& to, uint16_t udp_size, Ecn ecn) {
    put_be<uint8_t>(0x45);
    put_be<uint8_t>(static_cast<uint8_t>(ecn));
    put_be<uint16_t>(static_cast<uint16_t>(20 + udp_size));
    put_be<uint16_t>(0);
    put_be<uint16_t>(0x4000);  // not to be fragmented
    put_be<uint8_t>(kHops);
    put_be<uint8_t>(kUdp);
    put_be<uint16_t>(0);
    const IpAddress loopback = IpAddress::v4({127, 0, 0, 1});
    put_address(from, loopback);
    put_address(to, loopback);
  }

  /// RFC 8200 §3.
  void put_ipv6(const IpAddress& from, const IpAddress& to, uint16_t udp_size, Ecn ecn) {
    put_be<uint32_t>(uint32_t{6} << 28 | static_cast<uint32_t>(ecn) << 20);
    put_be<uint16_t>(udp_size);
    put_be<uint8_t>(kUdp);
    put_be<uint8_t>(kHops);
    const IpAddress loopback = IpAddress::v6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
    put_address(from, loopback);
    put_address(to, loopback);
  }

  /// RFC 8200 §8.1: over the addresses, which stand right before, the size, the protocol, and the datagram.
  void set_checksum(size_t udp_start) {
    const Bytes all = as_bytes(file_).subspan(udp_start - 32);
    uint32_t sum = static_cast<uint32_t>(all.size() - 32) + kUdp;
    for (size_t i = 0; i < all.size(); i++) sum += i % 2 == 0 ? uint32_t{all[i]} << 8 : all[i];
    while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
    const auto checksum = static_cast<uint16_t>(sum == 0xffff ? sum : ~sum);
    file_[udp_start + 6] = static_cast<char>(checksum >> 8);
    file_[udp_start + 7] = static_cast<char>(checksum & 0xff);
  }

  std::string file_;
};

}  // namespace quoll::tests
