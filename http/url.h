// Url: an https (or http) URL taken apart, and references resolved against it (RFC 3986, RFC 9110 §4.2).
//
// Strict where it matters for safety (no spaces or control characters, ports in range, no credentials), and
// normalising as §6.2.2 describes: host in lower case, dot segments removed, default port dropped, percent escapes of
// unreserved characters decoded. Visible characters that a URL may not have as they are, such as "|" or UTF-8, are escaped,
// since redirects are full of them; in a host they are an error. Errors are of ErrorDomain::usage with text for people.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace quoll::http {

struct Url {
  static constexpr size_t kSizeMax = 64 * 1024;

  std::string scheme;  // lower case
  std::string host;    // lower case; an IPv6 address without its brackets
  uint16_t port = 0;   // 443 or 80 where it was not given
  std::string path;    // begins with "/"; percent-encoded as on the wire
  std::optional<std::string> query;
  std::optional<std::string> fragment;

  /// An absolute URL. The Error's reason says what is wrong with it.
  [[nodiscard]] static Result<Url> parse(std::string_view text);
  /// A Location or another reference, relative to this URL (RFC 3986 §5.2).
  [[nodiscard]] Result<Url> resolve(std::string_view reference) const;

  /// host, and port unless it is the scheme's own: the value of :authority.
  std::string authority() const;
  /// path and query: the value of :path.
  std::string request_target() const;
  std::string to_string() const;
  friend bool operator==(const Url&, const Url&) = default;
};

/// A host as it stands in a URL or an Alt-Svc field: a name in lower case, or an IPv6 address without its brackets.
std::optional<std::string> parse_host(std::string_view text);
/// 1 to 65535.
std::optional<uint16_t> parse_port(std::string_view digits);
/// Empty for a "%" that two hexadecimal digits do not follow, and for an escaped zero byte.
std::optional<std::string> percent_decode(std::string_view text);
/// A name as a segment of a path, or a value in a query: everything but unreserved characters (RFC 3986 §2.3) is escaped.
std::string percent_encode(std::string_view text);
/// RFC 3986 §5.2.4.
std::string remove_dot_segments(std::string_view path);

}  // namespace quoll::http
