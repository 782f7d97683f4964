// Classes of characters that HTTP's grammars are made of (RFC 5234 §B.1, RFC 9110 §5.6.2, §5.5), in ASCII whatever the
// locale says.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace quoll::http {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
constexpr bool is_alpha(char c) { return is_lower(c) || is_upper(c); }
constexpr char to_lower(char c) { return is_upper(c) ? static_cast<char>(c + ('a' - 'A')) : c; }

/// -1: no hexadecimal digit.
constexpr int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  const char lower = to_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// The byte that a percent escape (RFC 3986 §2.1) at the front of `text` stands for; -1: there is none.
constexpr int escaped_byte(std::string_view text) {
  if (text.size() < 3 || text[0] != '%' || hex_value(text[1]) < 0 || hex_value(text[2]) < 0) return -1;
  return hex_value(text[1]) << 4 | hex_value(text[2]);
}

/// tchar, what tokens are made of.
constexpr bool is_token_char(char c) {
  return is_alpha(c) || is_digit(c) ||
         (c != 0 && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
}

/// A set of characters, for loops over whole texts: one load for each character.
using CharacterSet = std::array<bool, 256>;

template <class Predicate>
constexpr CharacterSet characters_where(Predicate predicate) {
  CharacterSet set = {};
  for (int i = 0; i < 256; i++) set[static_cast<size_t>(i)] = predicate(static_cast<char>(i));
  return set;
}

constexpr bool contains(const CharacterSet& set, char c) { return set[static_cast<uint8_t>(c)]; }

constexpr bool consists_of(const CharacterSet& set, std::string_view text) {
  bool all = true;
  for (const char c : text) all &= contains(set, c);
  return all;
}

inline constexpr CharacterSet kTokenCharacters = characters_where(is_token_char);

constexpr bool is_token(std::string_view text) { return !text.empty() && consists_of(kTokenCharacters, text); }

constexpr bool equals_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); i++) {
    if (to_lower(a[i]) != to_lower(b[i])) return false;
  }
  return true;
}

}  // namespace quoll::http
