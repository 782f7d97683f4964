#include "app/content_disposition.h"

#include <algorithm>

#include "app/text.h"
#include "http/characters.h"
#include "http/text_codecs.h"
#include "http/url.h"

namespace quoll::app {
namespace {

constexpr size_t kNameSizeMax = 255;  // of most file systems

/// A token, or a quoted-string without its quotes and escapes (RFC 9110 §5.6.4), off the front. Empty: neither.
std::optional<std::string> take_value(std::string_view& text) {
  std::string value;
  if (!text.starts_with('"')) {
    const size_t end = std::min(text.find_first_of("; \t"), text.size());
    value = std::string(text.substr(0, end));
    text.remove_prefix(end);
    return value;
  }
  for (size_t i = 1; i < text.size(); i++) {
    if (text[i] == '"') {
      text.remove_prefix(i + 1);
      return value;
    }
    if (text[i] == '\\' && i + 1 < text.size()) i++;
    value += text[i];
  }
  return {};
}

/// RFC 8187 §3.2.1: UTF-8'language'percent-encoded.
std::optional<std::string> decode_extended(std::string_view value) {
  const size_t first = value.find('\''), second = first == std::string_view::npos ? first : value.find('\'', first + 1);
  if (second == std::string_view::npos || !http::equals_ignoring_case(value.substr(0, first), "utf-8")) return {};
  auto name = http::percent_decode(value.substr(second + 1));
  if (!name || !http::is_utf8(*name)) return {};
  return name;
}

/// RFC 6266 §4.3: what follows the last separator of whatever system, and nothing that means something to a shell or a listing.
std::optional<std::string> harmless_name(std::string name) {
  name.erase(0, name.find_last_of("/\\") + 1);
  for (char& c : name) {
    if (static_cast<uint8_t>(c) < 0x20 || c == 0x7f) c = '_';
  }
  name.erase(0, name.find_first_not_of(". "));
  if (name.size() > kNameSizeMax) name.resize(kNameSizeMax);
  if (name.empty()) return {};
  return name;
}

}  // namespace

std::optional<std::string> file_name_of(std::string_view content_disposition) {
  std::optional<std::string> plain, extended;
  std::string_view rest =
      content_disposition.substr(std::min(content_disposition.find(';'), content_disposition.size()));
  while (!rest.empty()) {
    rest = rest.substr(std::min(rest.find_first_not_of("; \t"), rest.size()));
    const size_t equals = std::min(rest.find_first_of("=;"), rest.size());
    const std::string name = lower_case(trimmed(rest.substr(0, equals)));
    rest.remove_prefix(equals);
    if (!rest.starts_with('=')) continue;
    rest.remove_prefix(1);
    rest = rest.substr(std::min(rest.find_first_not_of(" \t"), rest.size()));
    auto value = take_value(rest);
    if (!value) break;
    if (name == "filename" && !plain) plain = harmless_name(std::move(*value));
    if (name == "filename*" && !extended) {
      if (auto decoded = decode_extended(*value)) extended = harmless_name(std::move(*decoded));
    }
  }
  return extended ? extended : plain;
}

}  // namespace quoll::app
