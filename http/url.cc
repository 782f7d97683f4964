#include "http/url.h"

#include <algorithm>

#include "base/address.h"
#include "http/characters.h"

namespace quoll::http {
namespace {

/// RFC 1035 §2.3.4, and a dot at the end.
constexpr size_t kHostSizeMax = 254;
/// Scheme, port and the signs between the parts.
constexpr size_t kOtherSizeMax = 32;

constexpr bool is_unreserved(char c) {
  return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}
constexpr bool is_sub_delimiter(char c) {
  return c != 0 && std::string_view("!$&'()*+,;=").find(c) != std::string_view::npos;
}

/// RFC 3986 §3.3 to §3.5: what stands in a path, a query or a fragment as it is. "?" ends a path before this is asked.
constexpr CharacterSet kPlain = characters_where([](char c) {
  return is_alpha(c) || is_digit(c) || is_sub_delimiter(c) || c == '-' || c == '.' || c == '_' || c == '~' ||
         c == ':' || c == '@' || c == '/' || c == '?';
});

uint16_t default_port(std::string_view scheme) { return scheme == "https" ? 443 : 80; }

/// Bytes that nothing may contain: they would end a line or a word where the URL is passed on.
bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<uint8_t>(c) <= 0x20 || c == 0x7f; });
}

void append_escaped(std::string& out, char c) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  out.push_back('%');
  out.push_back(kDigits[static_cast<uint8_t>(c) >> 4]);
  out.push_back(kDigits[static_cast<uint8_t>(c) & 15]);
}

/// RFC 3986 §6.2.2: escapes in upper case, and none of unreserved characters. What people and servers write though it is
/// not allowed ("|", "ä") is escaped. Empty: an escape that is none.
std::optional<std::string> normalise(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); i++) {
    char c = text[i];
    if (c != '%') {
      contains(kPlain, c) ? out.push_back(c) : append_escaped(out, c);
      continue;
    }
    const int byte = escaped_byte(text.substr(i));
    if (byte < 0) return {};
    c = static_cast<char>(byte);
    is_unreserved(c) ? out.push_back(c) : append_escaped(out, c);
    i += 2;
  }
  return out;
}

/// RFC 3986 §4.2 without scheme and authority: what follows the path keeps its sign out.
struct Tail {
  std::string_view path;
  std::optional<std::string_view> query;
  std::optional<std::string_view> fragment;
};

Tail split_tail(std::string_view text) {
  Tail tail;
  if (const size_t hash = text.find('#'); hash != std::string_view::npos) {
    tail.fragment = text.substr(hash + 1);
    text = text.substr(0, hash);
  }
  if (const size_t mark = text.find('?'); mark != std::string_view::npos) {
    tail.query = text.substr(mark + 1);
    text = text.substr(0, mark);
  }
  tail.path = text;
  return tail;
}

Result<void> set_part(std::optional<std::string>& part, std::optional<std::string_view> text) {
  part.reset();
  if (!text) return {};
  part = normalise(*text);
  if (!part) return usage_error("a \"%\" in the URL that two hexadecimal digits do not follow");
  return {};
}

/// `tail.path` begins with "/" or is empty.
Result<void> set_tail(Url& url, const Tail& tail) {
  std::optional<std::string> path = normalise(tail.path);
  if (!path) return usage_error("a \"%\" in the URL that two hexadecimal digits do not follow");
  url.path = remove_dot_segments(*path);
  if (url.path.empty()) url.path = "/";
  if (const Result<void> set = set_part(url.query, tail.query); !set) return set;
  if (const Result<void> set = set_part(url.fragment, tail.fragment); !set) return set;
  // Escapes make it longer than what was given.
  const size_t size = url.path.size() + (url.query ? url.query->size() : 0) + (url.fragment ? url.fragment->size() : 0);
  if (size > Url::kSizeMax - kHostSizeMax - kOtherSizeMax) return usage_error("a URL that is too long");
  return {};
}

Result<void> set_authority(Url& url, std::string_view authority) {
  if (authority.find('@') != std::string_view::npos) return usage_error("a URL with a user name or password");
  size_t host_size = authority.find(':');
  if (authority.starts_with('[')) {
    const size_t close = authority.find(']');
    if (close == std::string_view::npos) return usage_error("a URL whose host has a \"[\" without a \"]\"");
    host_size = close + 1;
  }
  const std::string_view host = authority.substr(0, host_size);
  std::string_view after = authority.substr(host.size());
  if (host.empty()) return usage_error("a URL without a host");
  std::optional<std::string> parsed = parse_host(host);
  const bool is_ascii = std::ranges::all_of(host, [](char c) { return static_cast<uint8_t>(c) < 0x80; });
  if (!parsed && !is_ascii) return usage_error("a URL with a host name beyond ASCII; write it as xn--... (RFC 5890)");
  if (!parsed) return usage_error("a URL with a host name that cannot be");
  url.host = std::move(*parsed);
  url.port = default_port(url.scheme);
  if (after.empty() || after == ":") return {};
  const std::optional<uint16_t> port = after[0] == ':' ? parse_port(after.substr(1)) : std::nullopt;
  if (!port) return usage_error("a URL with a port that is no number from 1 to 65535");
  url.port = *port;
  return {};
}

/// The size of the scheme in front of a colon; empty: the reference has none (RFC 3986 §4.2).
std::optional<size_t> scheme_size(std::string_view text) {
  const size_t end = text.find_first_of(":/?#");
  if (end == std::string_view::npos || text[end] != ':') return {};
  return end;
}

}  // namespace

Result<Url> Url::parse(std::string_view text) {
  if (text.size() > kSizeMax) return usage_error("a URL that is too long");
  if (has_control(text)) return usage_error("a URL with a space or a control character; write a space as %20");
  const std::optional<size_t> size = scheme_size(text);
  if (!size) return usage_error("a URL without a scheme; it begins with https://");
  Url url;
  for (const char c : text.substr(0, *size)) url.scheme.push_back(to_lower(c));
  if (url.scheme != "https" && url.scheme != "http") return usage_error("a URL that is neither https nor http");
  text.remove_prefix(*size + 1);
  if (!text.starts_with("//")) return usage_error("a URL without \"//\" after its scheme");
  text.remove_prefix(2);
  const std::string_view authority = text.substr(0, text.find_first_of("/?#"));
  if (const Result<void> set = set_authority(url, authority); !set) return std::unexpected(set.error());
  if (const Result<void> set = set_tail(url, split_tail(text.substr(authority.size()))); !set) {
    return std::unexpected(set.error());
  }
  return url;
}

Result<Url> Url::resolve(std::string_view reference) const {
  if (reference.size() > kSizeMax) return usage_error("a URL that is too long");
  if (has_control(reference)) return usage_error("a URL with a space or a control character");
  if (scheme_size(reference)) return parse(reference);
  if (reference.starts_with("//")) return parse(scheme + ":" + std::string(reference));

  Tail tail = split_tail(reference);
  Url url = *this;
  std::string merged;
  if (tail.path.empty()) {
    merged = path;
    if (!tail.query && query) tail.query = *query;
  } else if (tail.path.starts_with('/')) {
    merged = tail.path;
  } else {
    // RFC 3986 §5.2.3: the last segment gives way.
    merged = path.substr(0, path.rfind('/') + 1).append(tail.path);
    if (!merged.starts_with('/')) merged.insert(0, "/");
  }
  if (merged.size() > kSizeMax) return usage_error("a URL that is too long");
  tail.path = merged;
  if (const Result<void> set = set_tail(url, tail); !set) return std::unexpected(set.error());
  return url;
}

std::string Url::authority() const {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  std::string text = is_ipv6 ? "[" + host + "]" : host;
  if (port != default_port(scheme)) text.append(":").append(std::to_string(port));
  return text;
}

std::string Url::request_target() const { return query ? path + "?" + *query : path; }

std::string Url::to_string() const {
  std::string text = scheme + "://" + authority() + request_target();
  if (fragment) text.append("#").append(*fragment);
  return text;
}

std::optional<std::string> parse_host(std::string_view text) {
  if (text.starts_with('[')) {
    if (!text.ends_with(']')) return {};
    const std::optional<IpAddress> address = IpAddress::parse(text.substr(1, text.size() - 2));
    // A scope is a matter of one machine, and no part of a URL (RFC 9844 took RFC 6874 back).
    if (!address || address->family() != IpAddress::Family::ipv6 || address->scope() != 0) return {};
    return address->to_string();
  }
  // RFC 3986 §3.2.2 allows more in names; what DNS and certificates do not have is refused.
  std::optional<std::string> host = percent_decode(text);
  if (!host || host->empty() || host->size() > kHostSizeMax) return {};
  for (char& c : *host) {
    if (!is_unreserved(c)) return {};
    c = to_lower(c);
  }
  return host->front() == '.' || host->find("..") != std::string::npos ? std::nullopt : host;
}

std::optional<uint16_t> parse_port(std::string_view digits) {
  if (digits.empty()) return {};
  uint32_t value = 0;
  for (const char c : digits) {
    if (!is_digit(c)) return {};
    value = value * 10 + static_cast<uint32_t>(c - '0');
    if (value > 65535) return {};
  }
  if (value == 0) return {};
  return static_cast<uint16_t>(value);
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); i++) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    const int byte = escaped_byte(text.substr(i));
    if (byte <= 0) return {};
    out.push_back(static_cast<char>(byte));
    i += 2;
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
    } else {
      const auto byte = static_cast<uint8_t>(c);
      out.append(1, '%').append(1, kDigits[byte >> 4]).append(1, kDigits[byte & 15]);
    }
  }
  return out;
}

std::string remove_dot_segments(std::string_view path) {
  std::string out;
  out.reserve(path.size());
  while (!path.empty()) {
    if (path.starts_with("../")) {
      path.remove_prefix(3);
    } else if (path.starts_with("./") || path.starts_with("/./")) {
      path.remove_prefix(2);
    } else if (path == "/.") {
      path = "/";
    } else if (path.starts_with("/../") || path == "/..") {
      path = path.size() == 3 ? std::string_view("/") : path.substr(3);
      const size_t last = out.rfind('/');
      out.erase(last == std::string::npos ? 0 : last);
    } else if (path == "." || path == "..") {
      path = {};
    } else {
      const size_t end = std::min(path.find('/', 1), path.size());
      out.append(path.substr(0, end));
      path.remove_prefix(end);
    }
  }
  return out;
}

}  // namespace quoll::http
