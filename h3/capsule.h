// Capsules on the data stream of an extended CONNECT, and the layout of HTTP datagrams (RFC 9297 §2.1, §3).
//
// A capsule's value is gathered up to a limit; a larger one is dropped while it comes in, never held (§3.5 asks for that
// with datagrams that nobody could use). Whether the capsule protocol is spoken at all is for the application to know.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "h3/frame.h"
#include "http/field_section.h"

namespace quoll::h3 {

/// Any other number is a type that we do not know; who gets one ignores it (RFC 9297 §3.2).
enum class CapsuleType : uint64_t { datagram = 0x00 };

struct Capsule {
  CapsuleType type = CapsuleType::datagram;
  Bytes value;
};

class CapsuleReader {
 public:
  /// What a capsule may hold at least: any datagram that could have come in a packet.
  static constexpr size_t kValueSizeMax = 64 * 1024;

  explicit CapsuleReader(size_t value_size_max = kValueSizeMax) : value_size_max_(value_size_max) {}

  /// Takes bytes off the front of `input`. A capsule, when one is complete; empty: all was taken. The value is good until
  /// the next call, and as long as `input`'s memory.
  std::optional<Capsule> read(Bytes& input);
  /// A stream may end only between capsules: else the message is malformed (RFC 9297 §3.3).
  bool is_at_boundary() const { return !inside_ && frames_.is_at_boundary(); }
  /// Capsules that were larger than the limit.
  uint64_t dropped() const { return dropped_; }

 private:
  FrameReader frames_;
  FrameHeader header_;
  bool inside_ = false;  // header_ is of a capsule that is not told yet
  bool dropping_ = false;
  std::vector<uint8_t> value_;
  size_t value_size_max_;
  uint64_t dropped_ = 0;
};

void write_capsule(std::vector<uint8_t>& out, CapsuleType type, Bytes value);
/// RFC 9297 §3: an unknown type that is reserved to exercise that unknown ones are ignored.
constexpr uint64_t reserved_capsule_type(uint64_t n) { return 0x17 + 0x29 * (n % ((kVarintMax - 0x17) / 0x29 + 1)); }

/// RFC 9297 §3.4: the Capsule-Protocol field is there and true.
bool announces_capsules(const http::FieldSection& fields);
/// RFC 9297 §3.2: what the head of an extended CONNECT, or a response that opens its tunnel, must not be when it announces
/// capsules: H3_MESSAGE_ERROR. `status`: of a response.
[[nodiscard]] Result<void> check_capsule_message(const http::FieldSection& fields, std::optional<unsigned> status = {});

/// RFC 9297 §2.1: which request a datagram belongs to.
struct DatagramHeader {
  uint64_t stream = 0;
  size_t size = 0;  // of the header; the payload follows
};
/// H3_DATAGRAM_ERROR: too short, or of no stream that can be.
[[nodiscard]] Result<DatagramHeader> parse_datagram(Bytes datagram);
/// `stream` is a client's bidirectional one.
constexpr size_t datagram_header_size(uint64_t stream) { return varint_size(stream / 4); }
/// `to` has room for datagram_header_size().
void write_datagram_header(MutBytes to, uint64_t stream);

}  // namespace quoll::h3
