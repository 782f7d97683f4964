// JsonValue: one JSON text (RFC 8259) as a tree, for reading logs. Strict: UTF-8 only, no lone surrogates, nothing after
// the value, and a depth limit, since the parser recurses.
//
// A number keeps its text, so that no digit is lost; a uint64 may also come as a string
// (draft-ietf-quic-qlog-main-schema §11.3). Of members with the same name find() gives the first.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace quoll::qlog {

/// Arrays and objects within each other; events have fewer than ten.
inline constexpr int kJsonDepthMax = 64;

struct JsonValue {
  enum class Kind : uint8_t { null, boolean, number, text, array, object };
  struct Member;

  Kind kind = Kind::null;
  bool boolean = false;
  std::string text;  // of a text, or the digits of a number
  std::vector<JsonValue> elements;
  std::vector<Member> members;

  /// The member of an object; null when there is none, or this is no object.
  const JsonValue* find(std::string_view name) const;
  /// The member of the member.
  const JsonValue* find(std::string_view name, std::string_view inner) const;
  /// The text of a member that is a text; empty otherwise.
  std::string_view text_of(std::string_view name) const;

  /// A number without sign, fraction and exponent, or a text of digits.
  std::optional<uint64_t> as_integer() const;
  /// Any number that a double can hold.
  std::optional<double> as_double() const;
};

struct JsonValue::Member {
  std::string name;
  JsonValue value;
};

struct JsonError {
  size_t offset = 0;      // where in the text
  const char* what = "";  // static text
};

std::expected<JsonValue, JsonError> parse_json(std::string_view text);

}  // namespace quoll::qlog
