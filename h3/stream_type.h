// Types of unidirectional streams (RFC 9114 §6.2, RFC 9204 §4.2) and the identifiers that stand for nothing.
//
// Frame types, stream types, settings and error codes have the same reserved pattern, 0x1f * N + 0x21 (RFC 9114 §6.2.3,
// §7.2.4.1, §7.2.8, §8.1): who meets one must not care. Capsule types have their own (RFC 9297 §5.4).
#pragma once

#include <cstdint>

#include "base/varint.h"

namespace quoll::h3 {

/// Any other number is a type that we do not know.
enum class StreamType : uint64_t {
  control = 0x00,
  push = 0x01,
  qpack_encoder = 0x02,
  qpack_decoder = 0x03,
};

/// Whether an identifier is reserved to exercise that unknown ones are ignored.
constexpr bool is_reserved(uint64_t id) { return id >= 0x21 && (id - 0x21) % 0x1f == 0; }

/// The largest N that reserved_id() takes: the identifier must be a varint.
inline constexpr uint64_t kReservedIdsMax = (kVarintMax - 0x21) / 0x1f;

constexpr uint64_t reserved_id(uint64_t n) { return 0x21 + 0x1f * (n % (kReservedIdsMax + 1)); }

}  // namespace quoll::h3
