#include "app/json.h"

#include <cstdio>

namespace quoll::app {

void Json::separate() {
  if (depth_ == 0) return;
  const bool first = text_.back() == '{' || text_.back() == '[';
  text_.append(first ? "\n" : ",\n").append(2 * depth_, ' ');
}

void Json::begin(char bracket) {
  separate();
  open(bracket);
}

void Json::open(char bracket) {
  text_ += bracket;
  depth_++;
}

void Json::end(char bracket) {
  depth_--;
  text_.append("\n").append(2 * depth_, ' ');
  text_ += bracket;
}

void Json::start(std::string_view name) {
  separate();
  append_string(name);
  text_ += ": ";
}

void Json::append_string(std::string_view value) {
  constexpr char kDigits[] = "0123456789abcdef";
  text_ += '"';
  for (const char c : value) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte < 0x20 || byte == 0x7f) {
      text_.append("\\u00");
      text_ += kDigits[byte >> 4];
      text_ += kDigits[byte & 15];
    } else {
      if (c == '"' || c == '\\') text_ += '\\';
      text_ += c;
    }
  }
  text_ += '"';
}

void Json::member(std::string_view name, double value) {
  start(name);
  char digits[32];
  std::snprintf(digits, sizeof digits, "%.6g", value);
  text_ += digits;
}

void Json::member(std::string_view name, const std::vector<std::string>& values) {
  start(name);
  text_ += '[';
  for (size_t i = 0; i < values.size(); i++) {
    if (i != 0) text_ += ", ";
    append_string(values[i]);
  }
  text_ += ']';
}

}  // namespace quoll::app
