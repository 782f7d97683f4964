// JsonWriter: appends compact JSON (RFC 8259) to a string, value by value. What it writes is always valid UTF-8 and valid
// JSON as long as begin and end are paired, whatever bytes are given: broken UTF-8 becomes U+FFFD (RFC 3629 §3), control
// characters are escaped. Numbers beyond 2^53-1 are written as strings, which qlog allows for the sake of readers that
// keep numbers as doubles (I-JSON; draft-ietf-quic-qlog-main-schema §11.3).
//
// Names of members are literals of ours: lower-case ASCII that needs no escapes (§11.1).
#pragma once

#include <array>
#include <charconv>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/time.h"

namespace quoll::qlog {

/// RFC 7493 §2.2: the largest integer that every reader has exactly.
inline constexpr uint64_t kJsonIntegerMax = (uint64_t{1} << 53) - 1;

/// The size of the character of two to four bytes that `text` begins with; 0 when it is not valid (RFC 3629 §4).
constexpr size_t utf8_size(std::string_view text) {
  const auto at = [text](size_t i) { return i < text.size() ? static_cast<uint8_t>(text[i]) : uint8_t{0}; };
  const uint8_t first = at(0), second = at(1);
  const auto continues = [&](size_t i) { return (at(i) & 0xc0) == 0x80; };
  if (first >= 0xc2 && first <= 0xdf) return continues(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    if (first == 0xe0 && second < 0xa0) return 0;  // a form that is too long
    if (first == 0xed && second > 0x9f) return 0;  // a surrogate
    return continues(1) && continues(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    if (first == 0xf0 && second < 0x90) return 0;
    if (first == 0xf4 && second > 0x8f) return 0;  // above U+10FFFF
    return continues(1) && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

constexpr bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const size_t size = static_cast<uint8_t>(text[0]) < 0x80 ? 1 : utf8_size(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

class JsonWriter {
 public:
  /// Appends to `out`, which outlives the writer.
  explicit JsonWriter(std::string& out) : out_(out) {}

  void begin_object() { begin('{'); }
  void end_object() { out_ += '}'; }
  void begin_array() { begin('['); }
  void end_array() { out_ += ']'; }

  /// What is written next is the value of this member.
  void key(std::string_view name) {
    separate();
    out_.append(1, '"').append(name).append("\":");
  }

  void value(std::string_view text) {
    separate();
    append_string(text);
  }
  void value(const char* text) { value(std::string_view(text)); }
  void value(std::same_as<bool> auto truth) {
    separate();
    out_ += truth ? "true" : "false";
  }
  void value(std::unsigned_integral auto number)
    requires(!std::same_as<decltype(number), bool>)
  {
    separate();
    const bool as_text = number > kJsonIntegerMax;
    if (as_text) out_ += '"';
    append_number(uint64_t{number});
    if (as_text) out_ += '"';
  }
  /// As milliseconds with all digits that are there: 1.25.
  void value(Duration duration) {
    separate();
    append_milliseconds(duration.as_nanoseconds());
  }
  /// A hexstring: lower case, an even number of digits.
  void value(Bytes bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    separate();
    out_ += '"';
    for (const uint8_t byte : bytes) {
      out_ += kDigits[byte >> 4];
      out_ += kDigits[byte & 15];
    }
    out_ += '"';
  }

  template <class T>
  void member(std::string_view name, const T& member_value) {
    key(name);
    value(member_value);
  }
  void begin_object(std::string_view name) {
    key(name);
    begin_object();
  }
  void begin_array(std::string_view name) {
    key(name);
    begin_array();
  }

 private:
  /// A comma, unless what was written last opens something. Numbers, strings and brackets end in none of these.
  void separate() {
    if (out_.empty()) return;
    const char last = out_.back();
    if (last != '{' && last != '[' && last != ':' && last != '\x1e') out_ += ',';
  }
  void begin(char bracket) {
    separate();
    out_ += bracket;
  }

  void append_number(uint64_t number) {
    std::array<char, 20> digits;
    const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    out_.append(digits.data(), end);
  }

  void append_milliseconds(int64_t nanoseconds) {
    constexpr uint64_t kPerMillisecond = 1'000'000;
    uint64_t count = static_cast<uint64_t>(nanoseconds);
    if (nanoseconds < 0) {
      out_ += '-';
      count = -count;
    }
    append_number(count / kPerMillisecond);
    uint64_t fraction = count % kPerMillisecond;
    if (fraction == 0) return;
    out_ += '.';
    for (uint64_t digit = kPerMillisecond / 10; fraction != 0; digit /= 10) {
      out_ += static_cast<char>('0' + fraction / digit);
      fraction %= digit;
    }
  }

  void append_string(std::string_view text) {
    constexpr char kDigits[] = "0123456789abcdef";
    out_ += '"';
    while (!text.empty()) {
      const auto first = static_cast<uint8_t>(text[0]);
      if (first >= 0x80) {
        const size_t size = utf8_size(text);
        out_.append(size == 0 ? std::string_view("\xef\xbf\xbd") : text.substr(0, size));
        text.remove_prefix(size == 0 ? 1 : size);
        continue;
      }
      if (first < 0x20 || first == 0x7f) {
        out_.append("\\u00").append(1, kDigits[first >> 4]).append(1, kDigits[first & 15]);
      } else {
        if (first == '"' || first == '\\') out_ += '\\';
        out_ += text[0];
      }
      text.remove_prefix(1);
    }
    out_ += '"';
  }

  std::string& out_;
};

}  // namespace quoll::qlog
