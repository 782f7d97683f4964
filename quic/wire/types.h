// The nouns that every part of the transport shares: packet numbers and their spaces, connection ids, stream ids,
// versions, roles (RFC 9000 §2.1, §5.1, §12.3, §15; RFC 9369).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/check.h"

namespace quoll::quic {

/// RFC 9000 §12.3: below 2^62.
using PacketNumber = uint64_t;

/// A packet number space (RFC 9000 §12.3); 0-RTT and 1-RTT share `application`.
enum class Space : uint8_t { initial, handshake, application };
inline constexpr int kSpaceCount = 3;

enum class Role : uint8_t { client, server };
constexpr Role other(Role role) { return role == Role::client ? Role::server : Role::client; }

/// A QUIC version as on the wire; 0 stands for Version Negotiation (RFC 8999 §6). Any 32-bit value may arrive.
enum class Version : uint32_t { negotiation = 0, v1 = 0x00000001, v2 = 0x6b3343cf };

constexpr bool is_supported(Version version) { return version == Version::v1 || version == Version::v2; }
/// RFC 9000 §15: reserved to force negotiation.
constexpr bool is_reserved(Version version) { return (static_cast<uint32_t>(version) & 0x0f0f0f0f) == 0x0a0a0a0a; }

inline constexpr size_t kConnectionIdSizeMax = 20;  // RFC 9000 §17.2, versions 1 and 2

/// A connection id by value: 0 to 20 bytes.
class ConnectionId {
 public:
  constexpr ConnectionId() = default;
  /// At most kConnectionIdSizeMax bytes.
  explicit ConnectionId(Bytes bytes) : size_(static_cast<uint8_t>(bytes.size())) {
    QUOLL_CHECK(bytes.size() <= kConnectionIdSizeMax);
    copy_bytes(bytes_.data(), bytes);
  }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const uint8_t* data() const { return bytes_.data(); }
  Bytes bytes() const { return Bytes(bytes_).first(size_); }
  operator Bytes() const { return bytes(); }

  /// Connection ids are no secrets: not constant time.
  friend bool operator==(const ConnectionId& a, const ConnectionId& b) {
    return a.size_ == b.size_ && a.bytes_ == b.bytes_;  // unused bytes are zero
  }

 private:
  std::array<uint8_t, kConnectionIdSizeMax> bytes_{};
  uint8_t size_ = 0;
};

/// A stream id (RFC 9000 §2.1): its two low bits say who opened it and whether it goes one way.
class StreamId {
 public:
  constexpr StreamId() = default;
  explicit constexpr StreamId(uint64_t value) : value_(value) {}
  /// The stream number `index` (from 0) of its kind.
  constexpr StreamId(Role initiator, bool unidirectional, uint64_t index)
      : value_(index << 2 | (unidirectional ? 2 : 0) | (initiator == Role::server ? 1 : 0)) {}

  constexpr uint64_t value() const { return value_; }
  constexpr uint64_t index() const { return value_ >> 2; }
  constexpr Role initiator() const { return (value_ & 1) != 0 ? Role::server : Role::client; }
  constexpr bool is_unidirectional() const { return (value_ & 2) != 0; }

  friend constexpr auto operator<=>(StreamId, StreamId) = default;

 private:
  uint64_t value_ = 0;
};

/// Packets that arrived with each ECN codepoint (RFC 9000 §19.3.2).
struct EcnCounts {
  uint64_t ect0 = 0;
  uint64_t ect1 = 0;
  uint64_t ce = 0;
  friend bool operator==(const EcnCounts&, const EcnCounts&) = default;
};

/// RFC 9000 §4.6: no more than this many streams of a kind can ever be opened.
inline constexpr uint64_t kStreamCountMax = uint64_t{1} << 60;

}  // namespace quoll::quic
