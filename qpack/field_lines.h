// The encoded field section as data (RFC 9204 §4.5): its prefix and the representations of field lines, read and written.
//
// Nothing here knows a table: indices are those on the wire, texts are encoded still.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "qpack/instructions.h"
#include "qpack/prefix_integer.h"

namespace quoll::qpack {

/// §4.5.1, with the Required Insert Count as it is on the wire.
struct SectionPrefix {
  uint64_t encoded_insert_count = 0;
  bool sign = false;
  uint64_t delta_base = 0;
};
/// `at` moves behind it when it is complete.
Parse read_section_prefix(Bytes from, size_t& at, SectionPrefix& prefix);
void write_section_prefix(std::vector<uint8_t>& out, const SectionPrefix& prefix);

/// §4.5.1.1: the Required Insert Count from its form on the wire, and back. Empty: no encoder could have sent that.
/// `max_entries` is that of the decoder's announced maximum capacity.
std::optional<uint64_t> decode_insert_count(uint64_t encoded, uint64_t max_entries, uint64_t insert_count);
constexpr uint64_t encode_insert_count(uint64_t required_insert_count, uint64_t max_entries) {
  return required_insert_count == 0 ? 0 : required_insert_count % (2 * max_entries) + 1;
}

/// What a reference counts from.
enum class Reference : uint8_t {
  none,      // the name is a literal
  fixed,     // an index of the static table
  relative,  // an index of the dynamic table, down from Base
  post_base  // and up from Base
};

/// §4.5.2 to §4.5.6. With `has_value` the value is a literal, without it the whole line is the entry.
struct Representation {
  Reference reference = Reference::none;
  bool has_value = false;
  bool never_indexed = false;
  uint64_t index = 0;
  StringLiteral name;  // for Reference::none
  StringLiteral value;
};
/// from[at] exists.
Parse read_representation(Bytes from, size_t& at, Representation& line);

void write_indexed(std::vector<uint8_t>& out, Reference reference, uint64_t index);

/// How a literal is to be written.
struct LiteralStyle {
  bool never_indexed = false;
  bool huffman = true;
};
/// A literal value with the name of an entry; the reference is not none.
void write_literal_line(std::vector<uint8_t>& out, Reference reference, uint64_t index, std::string_view value,
                        LiteralStyle style);
void write_literal_line(std::vector<uint8_t>& out, std::string_view name, std::string_view value, LiteralStyle style);

}  // namespace quoll::qpack
