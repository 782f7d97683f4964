// Prefixed integers (RFC 9204 §4.1.1, RFC 7541 §5.1): a value that begins in the low bits of a byte whose high bits mean
// something else, and goes on in bytes of seven bits each.
//
// Values up to 2^62-1 are read, as the RFC asks; what is larger, or padded to more bytes than such a value can need, is
// invalid (§7.4). Input that ends inside an integer is told apart from that, since a stream can go on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"

namespace quoll::qpack {

/// How the attempt to read something from the beginning of bytes ended.
enum class Parse : uint8_t {
  complete,
  incomplete,  // well-formed so far; more bytes are wanted
  invalid,
};

inline constexpr uint64_t kPrefixIntegerMax = (uint64_t{1} << 62) - 1;
/// Bytes of seven bits after the first one: 9 of them hold 63 bits.
inline constexpr size_t kPrefixContinuationMax = 9;
inline constexpr size_t kPrefixIntegerSizeMax = 1 + kPrefixContinuationMax;

/// Reads the integer at from[at], whose first byte has `prefix_bits` (1 to 8) of it. `at` moves behind it only when it is
/// complete.
inline Parse read_prefix_integer(Bytes from, size_t& at, unsigned prefix_bits, uint64_t& value) {
  if (at >= from.size()) return Parse::incomplete;
  const uint64_t mask = (uint64_t{1} << prefix_bits) - 1;
  uint64_t sum = from[at] & mask;
  if (sum < mask) [[likely]] {
    value = sum;
    at++;
    return Parse::complete;
  }
  for (size_t i = 0; i < kPrefixContinuationMax; i++) {
    if (at + 1 + i >= from.size()) return Parse::incomplete;
    const uint8_t byte = from[at + 1 + i];
    sum += static_cast<uint64_t>(byte & 0x7f) << (7 * i);
    if (sum > kPrefixIntegerMax) return Parse::invalid;
    if ((byte & 0x80) == 0) {
      value = sum;
      at += 2 + i;
      return Parse::complete;
    }
  }
  return Parse::invalid;
}

/// Bytes that write_prefix_integer() appends.
inline size_t prefix_integer_size(unsigned prefix_bits, uint64_t value) {
  const uint64_t mask = (uint64_t{1} << prefix_bits) - 1;
  if (value < mask) return 1;
  size_t size = 2;
  for (value -= mask; value >= 0x80; value >>= 7) size++;
  return size;
}

/// `flags`: the bits of the first byte above the prefix.
inline void write_prefix_integer(std::vector<uint8_t>& out, uint8_t flags, unsigned prefix_bits, uint64_t value) {
  QUOLL_DCHECK(value <= kPrefixIntegerMax);
  const uint64_t mask = (uint64_t{1} << prefix_bits) - 1;
  if (value < mask) {
    out.push_back(static_cast<uint8_t>(flags | value));
    return;
  }
  out.push_back(static_cast<uint8_t>(flags | mask));
  for (value -= mask; value >= 0x80; value >>= 7) out.push_back(static_cast<uint8_t>(value | 0x80));
  out.push_back(static_cast<uint8_t>(value));
}

}  // namespace quoll::qpack
