// Lists of the kind #element (RFC 9110 §5.6.1), cut at their commas without an allocation.
//
// For lists whose elements hold no quoted strings. Recipients skip empty elements (§5.6.1.2).
#pragma once

#include <optional>
#include <string_view>

namespace quoll::http {

/// Without the white space (OWS, §5.6.3) at both ends.
constexpr std::string_view trim(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

class List {
 public:
  explicit constexpr List(std::string_view text, char separator = ',') : rest_(text), separator_(separator) {}

  /// The next element that is not empty; none at the end.
  constexpr std::optional<std::string_view> next() {
    while (!rest_.empty()) {
      const size_t end = rest_.find(separator_);
      const std::string_view element = trim(rest_.substr(0, end));
      rest_ = end == std::string_view::npos ? std::string_view() : rest_.substr(end + 1);
      if (!element.empty()) return element;
    }
    return {};
  }

 private:
  std::string_view rest_;
  char separator_;
};

}  // namespace quoll::http
