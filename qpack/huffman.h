// The Huffman code of header compression (RFC 9204 §4.1.2, RFC 7541 §5.2 and appendix B), both directions.
//
// The code is canonical, so its tables are made from the lengths of the codes alone, when this is compiled. Decoding is
// strict: EOS inside a string, padding of eight bits or more and padding that is not the beginning of EOS are refused.
// Not constant-time: RFC 9204 §7.2 sees no use in that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"

namespace quoll::qpack {

/// Bytes of the encoded form.
size_t huffman_size(std::string_view text);
/// Writes the encoded form: `to` has room for huffman_size(text).
void huffman_encode(std::string_view text, uint8_t* to);

/// No code is longer than 30 bits, and none is shorter than 5: what `size` encoded bytes decode to at least and at most.
constexpr uint64_t huffman_decoded_min(uint64_t size) {
  // Saturates: nobody has that much anyway.
  return size > UINT64_MAX / 8 ? UINT64_MAX / 32 : size == 0 ? 0 : (8 * size - 7 + 29) / 30;
}
constexpr uint64_t huffman_decoded_max(uint64_t size) { return size > UINT64_MAX / 8 ? UINT64_MAX / 8 : 8 * size / 5; }

enum class HuffmanStatus : uint8_t { done, invalid, too_large };
struct HuffmanDecoded {
  HuffmanStatus status = HuffmanStatus::done;
  size_t size = 0;  // bytes written; what was written before a failure means nothing
};
/// Decodes into `to`; too_large when that has not the room.
HuffmanDecoded huffman_decode(Bytes encoded, MutBytes to);

}  // namespace quoll::qpack
