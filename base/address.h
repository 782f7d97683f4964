// IP and socket addresses as values, with their text forms. No socket header: the core never sees a sockaddr.
//
// Text is strict, so that one text means one address everywhere (RFC 6943 §3.1.1): IPv4 is four decimal numbers without
// leading zeros, IPv6 is RFC 4291 §2.2 and may end in a dotted quad, a scope is a number (RFC 4007 §11; names of
// interfaces are the operating system's). Printing is RFC 5952. Parsing what was printed gives the same address back.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace quoll {

class IpAddress {
 public:
  enum class Family : uint8_t { none, ipv4, ipv6 };

  /// No address.
  constexpr IpAddress() = default;
  static constexpr IpAddress v4(std::array<uint8_t, 4> octets) {
    IpAddress address;
    address.family_ = Family::ipv4;
    for (size_t i = 0; i < octets.size(); i++) address.octets_[i] = octets[i];
    return address;
  }
  /// `scope` tells the interface of a link-local address, 0 for none.
  static constexpr IpAddress v6(const std::array<uint8_t, 16>& octets, uint32_t scope = 0) {
    IpAddress address;
    address.family_ = Family::ipv6;
    address.octets_ = octets;
    address.scope_ = scope;
    return address;
  }

  /// "192.0.2.1", "2001:db8::1", "fe80::1%2".
  static std::optional<IpAddress> parse(std::string_view text);
  std::string to_string() const;

  constexpr Family family() const { return family_; }
  constexpr uint32_t scope() const { return scope_; }
  /// 4 or 16 bytes in network order; none when there is no address.
  Bytes octets() const { return Bytes(octets_).first(family_ == Family::none ? 0 : family_ == Family::ipv4 ? 4 : 16); }

  friend constexpr bool operator==(const IpAddress&, const IpAddress&) = default;

 private:
  std::array<uint8_t, 16> octets_ = {};  // an IPv4 address in the first four, the rest zero
  uint32_t scope_ = 0;
  Family family_ = Family::none;
};

struct SocketAddress {
  static constexpr size_t kKeySize = 16 + 4 + 2 + 1;

  IpAddress ip;
  uint16_t port = 0;

  /// "192.0.2.1:443", "[2001:db8::1]:443".
  static std::optional<SocketAddress> parse(std::string_view text);
  std::string to_string() const;

  /// Bytes that differ for different addresses: what a table hashes (with a key, since addresses can be spoofed).
  std::array<uint8_t, kKeySize> key() const;

  friend constexpr bool operator==(const SocketAddress&, const SocketAddress&) = default;
};

}  // namespace quoll
