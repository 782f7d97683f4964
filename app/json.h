// Writes JSON (RFC 8259), two spaces per level. Texts are UTF-8, which the caller sees to; control characters are
// escaped, and DEL, which JSON would let through to a terminal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace quoll::app {

class Json {
 public:
  void begin_object() { begin('{'); }
  void begin_object(std::string_view name) {
    start(name);
    open('{');
  }
  void end_object() { end('}'); }
  void begin_array() { begin('['); }
  void end_array() { end(']'); }

  void member(std::string_view name, std::string_view value) {
    start(name);
    append_string(value);
  }
  template <class T>
    requires std::is_integral_v<T>
  void member(std::string_view name, T value) {
    start(name);
    if constexpr (std::is_same_v<T, bool>) {
      text_ += value ? "true" : "false";
    } else {
      text_ += std::to_string(value);
    }
  }
  /// Finite; with six significant digits.
  void member(std::string_view name, double value);
  void member(std::string_view name, const std::vector<std::string>& values);

  const std::string& text() const { return text_; }

 private:
  void begin(char bracket);
  void open(char bracket);
  void end(char bracket);
  /// A comma if need be, and a new line.
  void separate();
  void start(std::string_view name);
  void append_string(std::string_view value);

  std::string text_;
  size_t depth_ = 0;
};

}  // namespace quoll::app
