#include "tls/x509/directory_string.h"

namespace quoll::x509 {
namespace {

using crypto::DerTag;

constexpr char32_t kLastCodePoint = 0x10'ffff;

bool is_scalar_value(char32_t code_point) {
  return code_point <= kLastCodePoint && (code_point < 0xd800 || code_point > 0xdfff);
}

void append_code_point(std::string& text, char32_t c) {
  const auto continuation = [](char32_t bits) { return static_cast<char>(0x80 | (bits & 0x3f)); };
  if (c < 0x80) {
    text += static_cast<char>(c);
  } else if (c < 0x800) {
    text += {static_cast<char>(0xc0 | c >> 6), continuation(c)};
  } else if (c < 0x1'0000) {
    text += {static_cast<char>(0xe0 | c >> 12), continuation(c >> 6), continuation(c)};
  } else {
    text += {static_cast<char>(0xf0 | c >> 18), continuation(c >> 12), continuation(c >> 6), continuation(c)};
  }
}

std::optional<std::string> checked_ascii(Bytes contents) {
  for (const uint8_t byte : contents) {
    if (byte >= 0x80) return std::nullopt;
  }
  return std::string(as_text(contents));
}

std::optional<std::string> checked_utf8(Bytes contents) {
  std::string_view rest = as_text(contents);
  while (!rest.empty()) {
    if (!take_code_point(rest)) return std::nullopt;
  }
  return std::string(as_text(contents));
}

/// Big-endian code units of 1, 2 or 4 bytes, each a code point.
std::optional<std::string> from_fixed_width(Bytes contents, size_t width) {
  if (contents.size() % width != 0) return std::nullopt;
  std::string text;
  for (size_t at = 0; at < contents.size(); at += width) {
    uint32_t unit = 0;
    for (size_t i = 0; i < width; i++) unit = unit << 8 | contents[at + i];
    if (!is_scalar_value(unit)) return std::nullopt;  // BMPString is UCS-2: it has no surrogates
    append_code_point(text, unit);
  }
  return text;
}

bool is_white_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

}  // namespace

std::optional<char32_t> take_code_point(std::string_view& utf8) {
  if (utf8.empty()) return std::nullopt;
  const auto first = static_cast<uint8_t>(utf8[0]);
  const size_t size = first < 0x80 ? 1 : first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf8 ? 4 : 0;
  if (size == 0 || size > utf8.size()) return std::nullopt;
  char32_t value = size == 1 ? first : first & (0x7fu >> size);
  for (size_t i = 1; i < size; i++) {
    const auto byte = static_cast<uint8_t>(utf8[i]);
    if ((byte & 0xc0) != 0x80) return std::nullopt;
    value = value << 6 | (byte & 0x3f);
  }
  constexpr char32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x1'0000};
  if (value < kSmallest[size] || !is_scalar_value(value)) return std::nullopt;
  utf8.remove_prefix(size);
  return value;
}

std::optional<std::string> string_to_utf8(DerTag tag, Bytes contents) {
  if (tag == DerTag::utf8_string) return checked_utf8(contents);
  if (tag == DerTag::printable_string || tag == DerTag::ia5_string || tag == DerTag::visible_string) {
    return checked_ascii(contents);
  }
  if (tag == DerTag::teletex_string) return from_fixed_width(contents, 1);
  if (tag == DerTag::bmp_string) return from_fixed_width(contents, 2);
  if (tag == DerTag::universal_string) return from_fixed_width(contents, 4);
  return std::nullopt;
}

std::string fold_string(std::string_view utf8) {
  std::string folded;
  folded.reserve(utf8.size());
  bool space_before = false;
  for (const char c : utf8) {
    if (is_white_space(c)) {
      space_before = !folded.empty();
      continue;
    }
    if (space_before) folded += ' ';
    space_before = false;
    folded += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return folded;
}

}  // namespace quoll::x509
