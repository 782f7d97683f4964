#include "app/get_request.h"

#include <algorithm>
#include <vector>

#include "app/text.h"
#include "base/bytes.h"
#include "tls/x509/pem.h"

namespace quoll::app {
namespace {

// RFC 9114 §4.2: they belong to a connection of HTTP/1.1, and make a message malformed.
constexpr std::string_view kConnectionFields[] = {"connection", "keep-alive", "proxy-connection", "transfer-encoding",
                                                  "upgrade"};

struct Field {
  std::string name;
  std::string value;
  bool remove = false;
};

bool is_token(std::string_view text) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [kOthers](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kOthers.find(c) != std::string_view::npos;
  });
}

/// RFC 9110 §5.5: no control characters but the tab.
bool is_field_value(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    const auto byte = static_cast<uint8_t>(c);
    return (byte >= 0x20 && byte != 0x7f) || c == '\t';
  });
}

/// "name: value"; "name:" takes the field away; "name;" gives it an empty value.
std::expected<Field, std::string> parse_field(std::string_view text) {
  const size_t colon = text.find(':');
  Field field;
  if (colon != std::string_view::npos) {
    field.name = lower_case(trimmed(text.substr(0, colon)));
    field.value = std::string(trimmed(text.substr(colon + 1)));
    field.remove = field.value.empty();
  } else if (text.ends_with(';')) {
    field.name = lower_case(trimmed(text.substr(0, text.size() - 1)));
  } else {
    return std::unexpected("-H wants 'NAME: VALUE', not '" + std::string(text) + "'");
  }
  if (!is_token(field.name)) return std::unexpected("-H '" + std::string(text) + "': that is no name of a field");
  if (!is_field_value(field.value)) return std::unexpected("-H " + field.name + ": a value has no control characters");
  if (field.name == "host") {
    return std::unexpected("-H host: the URL's host is what is asked for; --connect-to and --resolve lead elsewhere");
  }
  return field;
}

/// Defaults and what -H makes of them.
class Builder {
 public:
  explicit Builder(std::vector<Field> given) : given_(std::move(given)) {}

  /// A field that -H may replace or take away.
  void add_default(std::string_view name, std::string_view value, bool never_indexed = false) {
    if (std::ranges::find(given_, name, &Field::name) == given_.end()) fields_.add(name, value, never_indexed);
  }
  http::FieldSection finish(bool same_origin) {
    for (const Field& field : given_) {
      const bool is_secret = field.name == "authorization" || field.name == "cookie";
      if (field.remove || std::ranges::find(kConnectionFields, field.name) != std::end(kConnectionFields)) continue;
      if (is_secret && !same_origin) continue;
      fields_.add(field.name, field.value, is_secret);
    }
    return std::move(fields_);
  }

 private:
  std::vector<Field> given_;
  http::FieldSection fields_;
};

std::optional<uint64_t> take_number(std::string_view& text) {
  const size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = parse_number(text.substr(0, end), INT64_MAX);
  text.remove_prefix(end);
  return number;
}

bool take(std::string_view& text, std::string_view what) {
  if (!text.starts_with(what)) return false;
  text.remove_prefix(what.size());
  return true;
}

}  // namespace

std::expected<TypedUrl, UrlFault> parse_typed_url(std::string_view text) {
  std::string whole(trimmed(text));
  const size_t mark = whole.find("://");
  if (mark == std::string::npos || mark > whole.find_first_of("/?#@")) whole.insert(0, "https://");
  TypedUrl typed;
  const size_t authority = whole.find("://") + 3;
  const size_t end = std::min(whole.find_first_of("/?#", authority), whole.size());
  if (const size_t at = whole.rfind('@', end); at != std::string::npos && at >= authority && at < end) {
    const auto user = http::percent_decode(std::string_view(whole).substr(authority, at - authority));
    if (!user) return std::unexpected(UrlFault{"the user name is not percent-encoded rightly"});
    typed.user = user->find(':') == std::string::npos ? *user + ":" : *user;
    whole.erase(authority, at + 1 - authority);
  }
  const std::string scheme = lower_case(std::string_view(whole).substr(0, authority - 3));
  Result<http::Url> url = http::Url::parse(whole);
  if (scheme != "https" && is_token(scheme)) {
    return std::unexpected(UrlFault{scheme + " is not spoken here: HTTP/3 is for https", true});
  }
  if (!url) return std::unexpected(UrlFault{url.error().reason});
  typed.url = std::move(*url);
  return typed;
}

std::string method_of(const GetOptions& options) {
  if (!options.method.empty()) return options.method;
  if (options.head) return "HEAD";
  if (options.data) return "POST";
  return options.upload ? "PUT" : "GET";
}

std::expected<http::FieldSection, std::string> request_fields(const GetOptions& options, const RequestFacts& facts) {
  std::vector<Field> given;
  for (const std::string& text : options.fields) {
    auto field = parse_field(text);
    if (!field) return std::unexpected(field.error());
    given.push_back(std::move(*field));
  }
  const std::string_view user = facts.user.empty() ? std::string_view(options.user) : facts.user;
  Builder builder(std::move(given));
  if (!user.empty() && facts.same_origin) {
    builder.add_default("authorization", "Basic " + x509::base64_encode(as_bytes(user)), true);
  }
  if (!facts.range.empty()) builder.add_default("range", "bytes=" + std::string(facts.range));
  if (!options.agent.empty()) builder.add_default("user-agent", options.agent);
  builder.add_default("accept", "*/*");
  if (!options.referer.empty()) builder.add_default("referer", options.referer);
  if (facts.has_body && facts.body_size) builder.add_default("content-length", std::to_string(*facts.body_size));
  if (facts.has_body && options.data) builder.add_default("content-type", "application/x-www-form-urlencoded");
  return builder.finish(facts.same_origin);
}

std::optional<ContentRange> parse_content_range(std::string_view value) {
  ContentRange range;
  value = trimmed(value);
  if (!take(value, "bytes ")) return {};
  if (!take(value, "*")) {
    range.first = take_number(value);
    if (!range.first || !take(value, "-")) return {};
    range.last = take_number(value);
    if (!range.last || *range.last < *range.first) return {};
  }
  if (!take(value, "/")) return {};
  if (!take(value, "*")) {
    range.complete = take_number(value);
    if (!range.complete) return {};
  }
  if (!value.empty() || (range.last && range.complete && *range.last >= *range.complete)) return {};
  if (!range.first && !range.complete) return {};
  return range;
}

}  // namespace quoll::app
