#include "qlog/json_value.h"

#include <charconv>
#include <cmath>
#include <cstdlib>

#include "qlog/json_writer.h"

namespace quoll::qlog {
namespace {

using Kind = JsonValue::Kind;

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Recursive descent with sticky failure: after the first error all functions return at once.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  std::expected<JsonValue, JsonError> parse() {
    JsonValue value;
    skip_space();
    read_value(value, 0);
    skip_space();
    if (at_ < text_.size()) fail("something follows the value");
    if (what_) return std::unexpected(JsonError{failed_at_, what_});
    return value;
  }

 private:
  bool fail(const char* what) {
    if (!what_) {
      what_ = what;
      failed_at_ = at_;
    }
    return false;
  }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(char c) {
    if (peek() != c || at_ >= text_.size()) return false;
    at_++;
    return true;
  }
  void skip_space() {
    while (at_ < text_.size() && (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r')) at_++;
  }

  bool read_value(JsonValue& value, int depth) {
    if (depth > kJsonDepthMax) return fail("nested too deeply");
    if (at_ >= text_.size()) return fail("the text is cut short");
    switch (peek()) {
      case '{':
        return read_object(value, depth);
      case '[':
        return read_array(value, depth);
      case '"':
        value.kind = Kind::text;
        return read_string(value.text);
      case 't':
        value.boolean = true;
        return read_literal(value, Kind::boolean, "true");
      case 'f':
        return read_literal(value, Kind::boolean, "false");
      case 'n':
        return read_literal(value, Kind::null, "null");
    }
    return read_number(value);
  }

  bool read_literal(JsonValue& value, Kind kind, std::string_view literal) {
    if (!text_.substr(at_).starts_with(literal)) return fail("not a JSON value");
    at_ += literal.size();
    value.kind = kind;
    return true;
  }

  bool read_object(JsonValue& value, int depth) {
    value.kind = Kind::object;
    at_++;
    skip_space();
    if (take('}')) return true;
    do {
      skip_space();
      if (peek() != '"') return fail("a member needs a name");
      JsonValue::Member& member = value.members.emplace_back();
      if (!read_string(member.name)) return false;
      skip_space();
      if (!take(':')) return fail("a name needs a colon");
      skip_space();
      if (!read_value(member.value, depth + 1)) return false;
      skip_space();
    } while (take(','));
    return take('}') || fail("an object needs its end");
  }

  bool read_array(JsonValue& value, int depth) {
    value.kind = Kind::array;
    at_++;
    skip_space();
    if (take(']')) return true;
    do {
      skip_space();
      if (!read_value(value.elements.emplace_back(), depth + 1)) return false;
      skip_space();
    } while (take(','));
    return take(']') || fail("an array needs its end");
  }

  size_t skip_digits() {
    const size_t start = at_;
    while (is_digit(peek())) at_++;
    return at_ - start;
  }

  bool read_number(JsonValue& value) {
    const size_t start = at_;
    take('-');
    const bool leading_zero = peek() == '0';
    const size_t digits = skip_digits();
    if (digits == 0) return fail("not a JSON value");
    if (leading_zero && digits > 1) return fail("a number has a leading zero");
    if (take('.') && skip_digits() == 0) return fail("a number lacks digits");
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      if (skip_digits() == 0) return fail("a number lacks digits");
    }
    value.kind = Kind::number;
    value.text = text_.substr(start, at_ - start);
    return true;
  }

  bool read_string(std::string& out) {
    at_++;
    while (at_ < text_.size()) {
      const auto c = static_cast<uint8_t>(text_[at_]);
      if (c == '"') {
        at_++;
        return true;
      }
      if (c < 0x20) return fail("a control character in a text");
      if (c == '\\') {
        if (!read_escape(out)) return false;
        continue;
      }
      const size_t size = c < 0x80 ? 1 : utf8_size(text_.substr(at_));
      if (size == 0) return fail("not UTF-8");
      out.append(text_.substr(at_, size));
      at_ += size;
    }
    return fail("a text needs its end");
  }

  bool read_escape(std::string& out) {
    at_++;  // the backslash
    constexpr std::string_view kLetters = "\"\\/bfnrt", kMeanings = "\"\\/\b\f\n\r\t";
    const char letter = peek();
    if (letter == 'u') return read_code_point(out);
    const size_t i = kLetters.find(letter);
    if (at_ >= text_.size() || i == std::string_view::npos) return fail("an unknown escape");
    out += kMeanings[i];
    at_++;
    return true;
  }

  bool read_hex4(uint32_t& code) {
    const std::string_view digits = text_.substr(at_ + 1, 4);
    uint32_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (digits.size() != 4 || error != std::errc() || end != digits.data() + 4) return fail("an unknown escape");
    at_ += 5;
    code = value;
    return true;
  }

  bool read_code_point(std::string& out) {
    uint32_t code = 0, low = 0;
    if (!read_hex4(code)) return false;
    if (code >= 0xdc00 && code <= 0xdfff) return fail("a lone surrogate");
    if (code >= 0xd800 && code <= 0xdbff) {
      if (!text_.substr(at_).starts_with("\\u")) return fail("a lone surrogate");
      at_++;
      if (!read_hex4(low)) return false;
      if (low < 0xdc00 || low > 0xdfff) return fail("a lone surrogate");
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    append_utf8(out, code);
    return true;
  }

  static void append_utf8(std::string& out, uint32_t code) {
    const auto add = [&out](uint32_t byte) { out += static_cast<char>(byte); };
    if (code < 0x80) return add(code);
    if (code < 0x800) {
      add(0xc0 | code >> 6);
    } else {
      if (code < 0x10000) {
        add(0xe0 | code >> 12);
      } else {
        add(0xf0 | code >> 18);
        add(0x80 | (code >> 12 & 0x3f));
      }
      add(0x80 | (code >> 6 & 0x3f));
    }
    add(0x80 | (code & 0x3f));
  }

  std::string_view text_;
  size_t at_ = 0;
  const char* what_ = nullptr;
  size_t failed_at_ = 0;
};

}  // namespace

std::expected<JsonValue, JsonError> parse_json(std::string_view text) { return Parser(text).parse(); }

const JsonValue* JsonValue::find(std::string_view name) const {
  for (const Member& member : members) {
    if (member.name == name) return &member.value;
  }
  return nullptr;
}

const JsonValue* JsonValue::find(std::string_view name, std::string_view inner) const {
  const JsonValue* outer = find(name);
  return outer ? outer->find(inner) : nullptr;
}

std::string_view JsonValue::text_of(std::string_view name) const {
  const JsonValue* value = find(name);
  return value && value->kind == Kind::text ? std::string_view(value->text) : std::string_view();
}

std::optional<uint64_t> JsonValue::as_integer() const {
  if (kind != Kind::number && kind != Kind::text) return std::nullopt;
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> JsonValue::as_double() const {
  if (kind != Kind::number && kind != Kind::text) return std::nullopt;
  // strtod skips white space and takes more forms than JSON has: a text that is no number of JSON is none here either.
  if (text.empty() || text.find_first_not_of("0123456789+-.eE") != std::string::npos || text[0] == '+')
    return std::nullopt;
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (end != text.c_str() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

}  // namespace quoll::qlog
