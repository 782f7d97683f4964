#include "h3/message.h"

#include <algorithm>

#include "base/bytes.h"
#include "h3/error.h"
#include "http/characters.h"

namespace quoll::h3 {
namespace {

using http::CharacterSet;

constexpr CharacterSet kNameCharacters =
    http::characters_where([](char c) { return http::is_token_char(c) && !http::is_upper(c); });
/// field-vchar, SP and HTAB.
constexpr bool is_value_character(uint8_t byte) { return byte == '\t' || (byte >= 0x20 && byte != 0x7f); }

/// Whether one of eight bytes may be below 0x20 or 0x7f, found without looking at each: a byte whose top bit is clear
/// borrows when less than 0x20 is taken from it, and one that equals 0x7f becomes zero and borrows from 1. A borrow can
/// reach the byte above and blame it wrongly, but nothing is missed.
constexpr bool may_have_control(uint64_t word) {
  constexpr uint64_t kEach = 0x0101010101010101;
  const uint64_t below = (word - 0x20 * kEach) & ~word;
  const uint64_t other = word ^ 0x7f * kEach;
  return ((below | ((other - kEach) & ~other)) & 0x80 * kEach) != 0;
}

bool all_value_characters(std::string_view text) {
  const uint8_t* at = as_bytes(text).data();
  const uint8_t* const end = at + text.size();
  const auto all_of = [](const uint8_t* from, const uint8_t* to) {
    for (; from != to; from++) {
      if (!is_value_character(*from)) return false;
    }
    return true;
  };
  if (text.size() < 8) return all_of(at, end);
  for (; end - at > 8; at += 8) {
    if (may_have_control(load_le<uint64_t>(at)) && !all_of(at, at + 8)) return false;
  }
  // The last eight, some of them a second time.
  return !may_have_control(load_le<uint64_t>(end - 8)) || all_of(end - 8, end);
}

/// RFC 3986 §3.3, §3.4 allow fewer; what is refused are spaces, controls and the fragment's sign, that change where a
/// target ends once it stands in a request line. Others, and bytes beyond ASCII, are sent by clients that do not escape.
constexpr CharacterSet kPathCharacters = http::characters_where([](char c) {
  const auto byte = static_cast<uint8_t>(c);
  return byte > 0x20 && byte != 0x7f && byte != '#';
});
/// RFC 3986 §3.2.2, §2.1: reg-name, IP literals and the port's colon.
constexpr CharacterSet kAuthorityCharacters = http::characters_where([](char c) {
  return http::is_alpha(c) || http::is_digit(c) ||
         (c != 0 && std::string_view("-._~!$&'()*+,;=%:[]@").find(c) != std::string_view::npos);
});

std::unexpected<Error> malformed(const char* reason) { return error(ErrorCode::message_error, reason); }

/// Where a section stands: which pseudo-header fields it has, and whether it may ask for trailers by TE.
enum class SectionKind : uint8_t { request, response, trailers };

/// What one pass over a section finds.
struct Found {
  std::optional<std::string_view> method, scheme, authority, path, protocol, status;
  std::optional<std::string_view> host;
  std::optional<uint64_t> content_length;
};

std::optional<std::string_view>* pseudo_header(Found& found, std::string_view name, SectionKind kind) {
  switch (kind) {
    case SectionKind::request:
      if (name == ":method") return &found.method;
      if (name == ":scheme") return &found.scheme;
      if (name == ":authority") return &found.authority;
      if (name == ":path") return &found.path;
      if (name == ":protocol") return &found.protocol;
      return nullptr;
    case SectionKind::response:
      return name == ":status" ? &found.status : nullptr;
    case SectionKind::trailers:
      return nullptr;
  }
  return nullptr;
}

/// A regular field that means something to a message's shape.
Result<void> note_field(Found& found, const http::FieldLine& line, SectionKind kind) {
  if (is_connection_specific(line.name)) return malformed("a connection-specific field");
  if (line.name == "te") {
    // RFC 9114 §4.2: in a request header alone, and with nothing but "trailers".
    if (kind != SectionKind::request || !http::equals_ignoring_case(line.value, "trailers")) {
      return malformed("TE with another value than trailers");
    }
  } else if (line.name == "host" && kind == SectionKind::request) {
    // RFC 9112 §3.2 asks the same of a server: which of the two would count is anybody's guess.
    if (found.host) return malformed("two Host fields");
    found.host = line.value;
  } else if (line.name == "content-length" && kind != SectionKind::trailers) {
    // RFC 9110 §8.6: one number, however often it is repeated.
    const std::optional<uint64_t> length = parse_content_length(line.value);
    if (!length) return malformed("a content-length that is no number");
    if (found.content_length && *found.content_length != *length) return malformed("content-lengths that differ");
    found.content_length = length;
  }
  return {};
}

Result<Found> scan(const http::FieldSection& fields, SectionKind kind) {
  Found found;
  bool regular_seen = false;
  for (const http::FieldLine line : fields) {
    if (line.name.starts_with(':')) {
      // RFC 9114 §4.3: only those that are defined for this kind, once each, in front.
      std::optional<std::string_view>* place = pseudo_header(found, line.name, kind);
      if (!place) return malformed("a pseudo-header field that does not belong here");
      if (regular_seen) return malformed("a pseudo-header field after regular ones");
      if (*place) return malformed("a pseudo-header field that is given twice");
      if (!is_field_value(line.value)) return malformed("a character that no field value may have");
      *place = line.value;
      continue;
    }
    regular_seen = true;
    if (!is_field_name(line.name)) return malformed("a field name with a character that it may not have");
    if (!is_field_value(line.value)) return malformed("a character that no field value may have");
    if (const Result<void> noted = note_field(found, line, kind); !noted) return std::unexpected(noted.error());
  }
  return found;
}

bool is_scheme(std::string_view text) {
  if (text.empty() || !http::is_alpha(text[0])) return false;
  return std::ranges::all_of(
      text, [](char c) { return http::is_alpha(c) || http::is_digit(c) || c == '+' || c == '-' || c == '.'; });
}

/// RFC 8441 §4: an upgrade token, a name with a version or without.
bool is_protocol(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return http::is_token(text);
  return http::is_token(text.substr(0, slash)) && http::is_token(text.substr(slash + 1));
}

struct HostPort {
  std::string_view host;
  std::optional<std::string_view> port;
};

/// RFC 3986 §3.2 without user information; empty: it is neither.
std::optional<HostPort> split_authority(std::string_view authority) {
  if (!http::consists_of(kAuthorityCharacters, authority) || authority.find('@') != std::string_view::npos) return {};
  size_t host_size = authority.find(':');
  if (authority.starts_with('[')) {
    const size_t close = authority.find(']');
    if (close == std::string_view::npos || close < 2) return {};
    host_size = close + 1;
  } else if (authority.find_first_of("[]") != std::string_view::npos) {
    return {};
  }
  HostPort parts{.host = authority.substr(0, host_size), .port = {}};
  if (host_size >= authority.size()) return parts;
  if (authority[host_size] != ':') return {};
  parts.port = authority.substr(host_size + 1);
  if (!std::ranges::all_of(*parts.port, http::is_digit)) return {};
  return parts;
}

/// 1 to 65535.
bool is_port(std::string_view digits) {
  uint32_t value = 0;
  for (const char c : digits) {
    value = value * 10 + static_cast<uint32_t>(c - '0');
    if (value > 65535) return false;
  }
  return value != 0;
}

/// RFC 9114 §4.3.1: :authority and Host, which say the same when both are there.
Result<std::string_view> check_authority(const Found& found, bool mandatory) {
  if (found.authority && found.host && *found.authority != *found.host) {
    return malformed(":authority and Host that differ");
  }
  if (!found.authority && !found.host) {
    if (mandatory) return malformed("neither :authority nor Host");
    return std::string_view();
  }
  const std::string_view authority = found.authority ? *found.authority : *found.host;
  if (!mandatory) return authority;
  const std::optional<HostPort> parts = split_authority(authority);
  if (!parts || parts->host.empty()) return malformed("an :authority that names no host");
  if (parts->port && !parts->port->empty() && !is_port(*parts->port)) return malformed("a port out of range");
  return authority;
}

/// RFC 9114 §4.4; RFC 9110 §9.3.6: host and port, both of them.
Result<RequestHead> check_connect(const Found& found) {
  if (found.scheme || found.path) return malformed("CONNECT with :scheme or :path");
  if (!found.authority) return malformed("CONNECT without :authority");
  const Result<std::string_view> authority = check_authority(found, true);
  if (!authority) return std::unexpected(authority.error());
  const std::optional<HostPort> parts = split_authority(*authority);
  if (!parts->port || !is_port(*parts->port)) return malformed("CONNECT without a port");
  return RequestHead{.method = *found.method,
                     .scheme = {},
                     .authority = *authority,
                     .path = {},
                     .protocol = {},
                     .content_length = found.content_length};
}

/// RFC 9114 §4.3.1: "/" and more, or "*" of OPTIONS, where the scheme is one of HTTP's.
bool is_path(std::string_view path, std::string_view method, bool is_http) {
  if (!http::consists_of(kPathCharacters, path)) return false;
  return !is_http || path.starts_with('/') || (path == "*" && method == "OPTIONS");
}

Result<RequestHead> check_with_target(const Found& found) {
  if (!found.scheme || !found.path) return malformed("a request without :scheme or :path");
  if (!is_scheme(*found.scheme)) return malformed("a :scheme that is none");
  const bool is_http =
      http::equals_ignoring_case(*found.scheme, "https") || http::equals_ignoring_case(*found.scheme, "http");
  if (!is_path(*found.path, *found.method, is_http)) return malformed("a :path that is none");
  const Result<std::string_view> authority = check_authority(found, is_http);
  if (!authority) return std::unexpected(authority.error());
  return RequestHead{.method = *found.method,
                     .scheme = *found.scheme,
                     .authority = *authority,
                     .path = *found.path,
                     .protocol = found.protocol.value_or(std::string_view()),
                     .content_length = found.content_length};
}

/// RFC 9110 §9.2.1 and §9.2.3: the safe methods with a definition of cacheability.
bool may_be_pushed(const RequestHead& head) {
  return (head.method == "GET" || head.method == "HEAD") && head.content_length.value_or(0) == 0;
}

}  // namespace

bool is_field_name(std::string_view name) { return !name.empty() && http::consists_of(kNameCharacters, name); }

bool is_connection_specific(std::string_view name) {
  // Told apart by size first: few names have one of these.
  switch (name.size()) {
    case 7:
      return name == "upgrade";
    case 10:
      return name == "connection" || name == "keep-alive";
    case 16:
      return name == "proxy-connection";
    case 17:
      return name == "transfer-encoding";
  }
  return false;
}

bool is_field_value(std::string_view value) {
  if (value.empty()) return true;
  const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
  return !is_space(value.front()) && !is_space(value.back()) && all_value_characters(value);
}

std::optional<uint64_t> parse_content_length(std::string_view value) {
  std::optional<uint64_t> all;
  while (true) {
    const size_t comma = std::min(value.find(','), value.size());
    std::string_view part = value.substr(0, comma);
    while (part.starts_with(' ') || part.starts_with('\t')) part.remove_prefix(1);
    while (part.ends_with(' ') || part.ends_with('\t')) part.remove_suffix(1);
    if (part.empty()) return {};
    uint64_t number = 0;
    for (const char c : part) {
      if (!http::is_digit(c)) return {};
      if (__builtin_mul_overflow(number, 10, &number)) return {};
      if (__builtin_add_overflow(number, static_cast<uint64_t>(c - '0'), &number)) return {};
    }
    if (all && *all != number) return {};
    all = number;
    if (comma == value.size()) return all;
    value.remove_prefix(comma + 1);
  }
}

Result<RequestHead> check_request(const http::FieldSection& fields, bool extended_connect) {
  const Result<Found> found = scan(fields, SectionKind::request);
  if (!found) return std::unexpected(found.error());
  if (!found->method) return malformed("a request without :method");
  if (!http::is_token(*found->method)) return malformed("a :method that is no token");
  const bool is_connect = *found->method == "CONNECT";
  if (!found->protocol) return is_connect ? check_connect(*found) : check_with_target(*found);

  // RFC 8441 §4: :protocol makes CONNECT a request with a target; without the setting it is not defined at all.
  if (!extended_connect) return malformed(":protocol, which was not announced");
  if (!is_connect) return malformed(":protocol with another method than CONNECT");
  if (!is_protocol(*found->protocol)) return malformed("a :protocol that is no token");
  if (!found->authority) return malformed("extended CONNECT without :authority");
  return check_with_target(*found);
}

Result<RequestHead> check_promised_request(const http::FieldSection& fields) {
  const Result<RequestHead> head = check_request(fields, false);
  if (!head) return head;
  // RFC 9114 §4.6: the server is authoritative for what :authority says; Host is no stand-in here.
  if (!fields.find(":authority")) return malformed("a promised request without :authority");
  if (!may_be_pushed(*head)) {
    return error(ErrorCode::request_cancelled, "a promised request that is not safe, not cacheable or has content");
  }
  return head;
}

Result<ResponseHead> check_response(const http::FieldSection& fields) {
  const Result<Found> found = scan(fields, SectionKind::response);
  if (!found) return std::unexpected(found.error());
  if (!found->status) return malformed("a response without :status");
  const std::string_view text = *found->status;
  if (text.size() != 3 || !std::ranges::all_of(text, http::is_digit) || text[0] == '0') {
    return malformed("a :status that is no number of three digits");
  }
  const unsigned status = static_cast<unsigned>((text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0'));
  // RFC 9114 §4.5: there is nothing to switch to.
  if (status == 101) return malformed("status 101");
  return ResponseHead{.status = status, .content_length = found->content_length};
}

Result<void> check_trailers(const http::FieldSection& fields) {
  const Result<Found> found = scan(fields, SectionKind::trailers);
  if (!found) return std::unexpected(found.error());
  return {};
}

std::optional<std::string> joined_cookie(const http::FieldSection& fields) {
  std::optional<std::string> joined;
  for (const http::FieldLine line : fields) {
    if (line.name != "cookie") continue;
    if (joined) {
      joined->append("; ").append(line.value);
    } else {
      joined.emplace(line.value);
    }
  }
  return joined;
}

ContentCheck ContentCheck::of(const RequestHead& request) {
  // RFC 9110 §9.3.6: what follows CONNECT is no content, whatever a field says of its length.
  return request.is_connect() ? ContentCheck() : ContentCheck(request.content_length);
}

ContentCheck ContentCheck::of(const ResponseHead& response, std::string_view request_method) {
  const bool is_success = response.status >= 200 && response.status < 300;
  // RFC 9110 §8.6: to be ignored in what opens a tunnel.
  if (request_method == "CONNECT" && is_success) return {};
  // RFC 9114 §4.1.2: these never have content; a content-length speaks of what another response would have had.
  if (request_method == "HEAD" || response.status == 204 || response.status == 304 || response.is_interim()) {
    return ContentCheck(0);
  }
  return ContentCheck(response.content_length);
}

Result<void> ContentCheck::add(uint64_t size) {
  if (!left_) return {};
  if (size > *left_) return malformed("more content than content-length announced");
  *left_ -= size;
  return {};
}

Result<void> ContentCheck::finish() const {
  if (left_.value_or(0) != 0) return malformed("less content than content-length announced");
  return {};
}

}  // namespace quoll::h3
