#include "qpack/field_lines.h"

#include "base/check.h"

namespace quoll::qpack {

namespace {

// The patterns that representations begin with, RFC 9204 §4.5.2 to §4.5.6, and the flags in them.
constexpr uint8_t kIndexed = 0x80;
constexpr uint8_t kIndexedStatic = 0x40;
constexpr uint8_t kNameReference = 0x40;
constexpr uint8_t kNameReferenceNever = 0x20;
constexpr uint8_t kNameReferenceStatic = 0x10;
constexpr uint8_t kLiteralName = 0x20;
constexpr uint8_t kLiteralNameNever = 0x10;
constexpr uint8_t kPostBaseIndexed = 0x10;
constexpr uint8_t kPostBaseNameNever = 0x08;

Parse read_value(Bytes from, size_t& at, Representation& line) {
  line.has_value = true;
  const LiteralRead read = read_literal(from, at, 8);
  line.value = read.literal;
  return read.parse;
}

}  // namespace

Parse read_section_prefix(Bytes from, size_t& at, SectionPrefix& prefix) {
  size_t end = at;
  Parse parse = read_prefix_integer(from, end, 8, prefix.encoded_insert_count);
  if (parse != Parse::complete) return parse;
  prefix.sign = end < from.size() && (from[end] & 0x80) != 0;
  parse = read_prefix_integer(from, end, 7, prefix.delta_base);
  if (parse == Parse::complete) at = end;
  return parse;
}

void write_section_prefix(std::vector<uint8_t>& out, const SectionPrefix& prefix) {
  write_prefix_integer(out, 0, 8, prefix.encoded_insert_count);
  write_prefix_integer(out, prefix.sign ? 0x80 : 0, 7, prefix.delta_base);
}

std::optional<uint64_t> decode_insert_count(uint64_t encoded, uint64_t max_entries, uint64_t insert_count) {
  if (encoded == 0) return 0;
  const uint64_t full_range = 2 * max_entries;
  if (encoded > full_range) return {};
  const uint64_t max_value = insert_count + max_entries;
  uint64_t required = max_value / full_range * full_range + encoded - 1;
  if (required > max_value) {
    if (required <= full_range) return {};
    required -= full_range;
  }
  // RFC 9204 §4.5.1.1: zero has its own form.
  if (required == 0) return {};
  return required;
}

Parse read_representation(Bytes from, size_t& at, Representation& line) {
  line = {};
  const uint8_t first = from[at];
  if ((first & kIndexed) != 0) {
    line.reference = (first & kIndexedStatic) != 0 ? Reference::fixed : Reference::relative;
    return read_prefix_integer(from, at, 6, line.index);
  }
  if ((first & kNameReference) != 0) {
    line.reference = (first & kNameReferenceStatic) != 0 ? Reference::fixed : Reference::relative;
    line.never_indexed = (first & kNameReferenceNever) != 0;
    const Parse parse = read_prefix_integer(from, at, 4, line.index);
    return parse == Parse::complete ? read_value(from, at, line) : parse;
  }
  if ((first & kLiteralName) != 0) {
    line.never_indexed = (first & kLiteralNameNever) != 0;
    const LiteralRead name = read_literal(from, at, 4);
    line.name = name.literal;
    return name.parse == Parse::complete ? read_value(from, at, line) : name.parse;
  }
  line.reference = Reference::post_base;
  if ((first & kPostBaseIndexed) != 0) return read_prefix_integer(from, at, 4, line.index);
  line.never_indexed = (first & kPostBaseNameNever) != 0;
  const Parse parse = read_prefix_integer(from, at, 3, line.index);
  return parse == Parse::complete ? read_value(from, at, line) : parse;
}

void write_indexed(std::vector<uint8_t>& out, Reference reference, uint64_t index) {
  switch (reference) {
    case Reference::fixed:
      return write_prefix_integer(out, kIndexed | kIndexedStatic, 6, index);
    case Reference::relative:
      return write_prefix_integer(out, kIndexed, 6, index);
    case Reference::post_base:
      return write_prefix_integer(out, kPostBaseIndexed, 4, index);
    case Reference::none:
      break;
  }
  QUOLL_CHECK(false);
}

void write_literal_line(std::vector<uint8_t>& out, Reference reference, uint64_t index, std::string_view value,
                        LiteralStyle style) {
  QUOLL_CHECK(reference != Reference::none);
  if (reference == Reference::post_base) {
    write_prefix_integer(out, style.never_indexed ? kPostBaseNameNever : 0, 3, index);
  } else {
    const uint8_t table = reference == Reference::fixed ? kNameReferenceStatic : 0;
    const uint8_t never = style.never_indexed ? kNameReferenceNever : 0;
    write_prefix_integer(out, kNameReference | never | table, 4, index);
  }
  write_literal(out, 0, 8, value, style.huffman);
}

void write_literal_line(std::vector<uint8_t>& out, std::string_view name, std::string_view value, LiteralStyle style) {
  write_literal(out, kLiteralName | (style.never_indexed ? kLiteralNameNever : 0), 4, name, style.huffman);
  write_literal(out, 0, 8, value, style.huffman);
}

}  // namespace quoll::qpack
