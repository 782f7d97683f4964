// Variable-length integers of RFC 9000 §16: the two top bits of the first byte say how many bytes there are (1, 2, 4 or
// 8), the rest is the value in network order.
//
// The only copy: QUIC, HTTP/3 and transport parameters read through Reader and write through a Sink, and those call
// here. Longer forms than needed are legal and decode; what needs the shortest form (frame types, RFC 9000 §12.4)
// compares the size. A value above kVarintMax has no form: asking for its size is a bug of ours and a QUOLL_CHECK, so numbers
// that come from an application are tested with varint_fits() where they enter.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/check.h"

namespace quoll {

inline constexpr uint64_t kVarintMax = (uint64_t{1} << 62) - 1;
inline constexpr size_t kVarintMaxSize = 8;

constexpr bool varint_fits(uint64_t value) { return value <= kVarintMax; }

/// The largest value that `width` bytes hold; width is 1, 2, 4 or 8.
constexpr uint64_t varint_max(size_t width) {
  QUOLL_DCHECK(width == 1 || width == 2 || width == 4 || width == 8);
  return kVarintMax >> (64 - 8 * width);
}

/// The size of the shortest form; value <= kVarintMax.
constexpr size_t varint_size(uint64_t value) {
  if (value <= varint_max(1)) return 1;
  if (value <= varint_max(2)) return 2;
  if (value <= varint_max(4)) return 4;
  QUOLL_CHECK(varint_fits(value));
  return 8;
}

/// The size of the form that begins with this byte.
constexpr size_t varint_size_from(uint8_t first) { return size_t{1} << (first >> 6); }

struct DecodedVarint {
  uint64_t value = 0;
  size_t size = 0;  // bytes that the form took; 0 when the input ends inside it
};

/// Decodes the form at the beginning of `from`. One byte, the usual size, is a branch that predicts well and lets the
/// next read begin early; the other sizes come without a branch from one load where eight bytes are at hand.
inline DecodedVarint varint_decode(Bytes from) {
  if (from.empty()) return {};
  if (from[0] <= varint_max(1)) return {from[0], 1};
  if (from.size() >= kVarintMaxSize) [[likely]] {
    const uint64_t word = load_be<uint64_t>(from.data());
    const size_t size = size_t{1} << (word >> 62);
    return {(word & kVarintMax) >> (64 - 8 * size), size};
  }
  const size_t size = varint_size_from(from[0]);
  if (from.size() < size) return {};
  uint64_t value = from[0] & 0x3f;
  for (size_t i = 1; i < size; i++) value = value << 8 | from[i];
  return {value, size};
}

/// Writes the form of `width` bytes (1, 2, 4 or 8); the caller has the room and value <= varint_max(width).
inline void varint_encode(uint8_t* to, uint64_t value, size_t width) {
  QUOLL_DCHECK(value <= varint_max(width));
  switch (width) {
    case 1:
      *to = static_cast<uint8_t>(value);
      break;
    case 2:
      store_be(to, static_cast<uint16_t>(value | 0x4000));
      break;
    case 4:
      store_be(to, static_cast<uint32_t>(value | 0x80000000));
      break;
    case 8:
      store_be(to, value | 0xc000000000000000);
      break;
  }
}

}  // namespace quoll
