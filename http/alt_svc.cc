#include "http/alt_svc.h"

#include <algorithm>

#include "http/characters.h"
#include "http/url.h"

namespace quoll::http {
namespace {

/// RFC 9111 §1.2.2: what is larger counts as this.
constexpr int64_t kDeltaSecondsMax = int64_t{1} << 31;

/// One function for each production of RFC 7838 §3; each takes its text off the front, or answers false.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  bool list(AltSvc& into);

 private:
  bool alternative(AlternativeService& into);
  bool parameter(AlternativeService& into);
  bool token(std::string_view& into);
  bool quoted_string(std::string& into);

  bool take(char c) {
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }
  void skip_whitespace() {
    while (text_.starts_with(' ') || text_.starts_with('\t')) text_.remove_prefix(1);
  }
  /// At the end of a member: RFC 9110 §5.6.1.2 lets members be empty.
  bool is_at_separator() const { return text_.empty() || text_.front() == ','; }

  std::string_view text_;
};

std::optional<std::string> decode_protocol(std::string_view token) {
  std::string name;
  for (size_t i = 0; i < token.size(); i++) {
    if (token[i] != '%') {
      name.push_back(token[i]);
      continue;
    }
    const int byte = escaped_byte(token.substr(i));
    if (byte < 0) return {};
    name.push_back(static_cast<char>(byte));
    i += 2;
  }
  return name;
}

bool parse_authority(std::string_view text, AlternativeService& into) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return false;
  const std::optional<uint16_t> port = parse_port(text.substr(colon + 1));
  if (!port) return false;
  into.port = *port;
  if (colon == 0) return true;
  std::optional<std::string> host = parse_host(text.substr(0, colon));
  if (!host) return false;
  into.host = std::move(*host);
  return true;
}

bool parse_max_age(std::string_view digits, Duration& into) {
  if (digits.empty() || !std::ranges::all_of(digits, is_digit)) return false;
  int64_t seconds = 0;
  for (const char c : digits) seconds = std::min(seconds * 10 + (c - '0'), kDeltaSecondsMax);
  into = Duration::seconds(seconds);
  return true;
}

bool Parser::list(AltSvc& into) {
  bool any = false;
  while (true) {
    skip_whitespace();
    if (!is_at_separator()) {
      any = true;
      if (into.services.size() == kAlternativesMax) return true;
      if (text_ == "clear" || text_.starts_with("clear,") || text_.starts_with("clear ") ||
          text_.starts_with("clear\t")) {
        into.clear = true;
        text_.remove_prefix(5);
      } else if (!alternative(into.services.emplace_back())) {
        return false;
      }
      skip_whitespace();
    }
    if (text_.empty()) return any;
    if (!take(',')) return false;
  }
}

bool Parser::alternative(AlternativeService& into) {
  std::string_view protocol;
  std::string authority;
  if (!token(protocol) || !take('=') || !quoted_string(authority)) return false;
  std::optional<std::string> name = decode_protocol(protocol);
  if (!name || !parse_authority(authority, into)) return false;
  into.protocol = std::move(*name);
  while (true) {
    skip_whitespace();
    if (!take(';')) return true;
    skip_whitespace();
    if (!parameter(into)) return false;
  }
}

bool Parser::parameter(AlternativeService& into) {
  std::string_view name;
  if (!token(name) || !take('=')) return false;
  std::string value;
  std::string_view plain;
  if (text_.starts_with('"')) {
    if (!quoted_string(value)) return false;
  } else {
    if (!token(plain)) return false;
    value = plain;
  }
  if (equals_ignoring_case(name, "ma")) return parse_max_age(value, into.max_age);
  // RFC 7838 §3.1: other values of persist, and other parameters, are as if they were not there.
  if (equals_ignoring_case(name, "persist") && value == "1") into.persist = true;
  return true;
}

bool Parser::token(std::string_view& into) {
  size_t size = 0;
  while (size < text_.size() && contains(kTokenCharacters, text_[size])) size++;
  into = text_.substr(0, size);
  text_.remove_prefix(size);
  return size != 0;
}

/// RFC 9110 §5.6.4.
bool Parser::quoted_string(std::string& into) {
  if (!take('"')) return false;
  while (!text_.empty()) {
    char c = text_.front();
    text_.remove_prefix(1);
    if (c == '"') return true;
    if (c == '\\') {
      if (text_.empty()) return false;
      c = text_.front();
      text_.remove_prefix(1);
    }
    const auto byte = static_cast<uint8_t>(c);
    if ((byte < 0x20 && c != '\t') || byte == 0x7f) return false;
    into.push_back(c);
  }
  return false;
}

void append_protocol(std::string& out, std::string_view name) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (const char c : name) {
    // RFC 7838 §3: exactly one way to write a name.
    if (contains(kTokenCharacters, c) && c != '%') {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back(kDigits[static_cast<uint8_t>(c) >> 4]);
      out.push_back(kDigits[static_cast<uint8_t>(c) & 15]);
    }
  }
}

void append_service(std::string& out, const AlternativeService& service) {
  append_protocol(out, service.protocol);
  const bool is_ipv6 = service.host.find(':') != std::string::npos;
  out.append("=\"").append(is_ipv6 ? "[" : "").append(service.host).append(is_ipv6 ? "]" : "");
  out.append(":").append(std::to_string(service.port)).append("\"");
  if (service.max_age != AlternativeService{}.max_age) {
    const int64_t seconds = std::clamp<int64_t>(service.max_age.as_milliseconds() / 1000, 0, kDeltaSecondsMax);
    out.append("; ma=").append(std::to_string(seconds));
  }
  if (service.persist) out.append("; persist=1");
}

}  // namespace

std::optional<AltSvc> parse_alt_svc(std::string_view value) {
  std::optional<AltSvc> parsed(std::in_place);
  if (!Parser(value).list(*parsed)) return {};
  // RFC 7838 §3: everything is invalidated, what stands beside it too.
  if (parsed->clear) parsed->services.clear();
  return parsed;
}

std::string to_string(const AltSvc& alt_svc) {
  if (alt_svc.clear) return "clear";
  std::string out;
  for (const AlternativeService& service : alt_svc.services) {
    if (!out.empty()) out.append(", ");
    append_service(out, service);
  }
  return out;
}

}  // namespace quoll::http
