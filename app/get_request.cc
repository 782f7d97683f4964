#include "app/get_request.h"

#include <algorithm>
#include <vector>

#include "app/text.h"
#include "base/bytes.h"
#include "h3/message.h"
#include "http/characters.h"
#include "tls/x509/pem.h"

namespace quoll::app {
namespace {

struct Field {
  std::string name;
  std::string value;
  bool remove = false;
};

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
  if (!http::is_token(field.name)) return std::unexpected("-H '" + std::string(text) + "': that is no name of a field");
  if (!h3::is_field_value(field.value))
    return std::unexpected("-H " + field.name + ": a value has no control characters");
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
      if (field.remove || h3::is_connection_specific(field.name)) continue;
      if (is_secret && !same_origin) continue;
      fields_.add(field.name, field.value, is_secret);
    }
    return std::move(fields_);
  }

 private:
  std::vector<Field> given_;
  http::FieldSection fields_;
};

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
  if (scheme != "https" && http::is_token(scheme)) {
    return std::unexpected(UrlFault{scheme + " is not spoken here: HTTP/3 is for https", true});
  }
  if (!url) return std::unexpected(UrlFault{url.error().reason});
  typed.url = std::move(*url);
  return typed;
}

std::string method_of(const GetOptions& options) {
  if (!options.method.empty()) return options.method;
  if (options.head) return "HEAD";
  if ((options.data && !options.data_in_query) || !options.form.empty()) return "POST";
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
  builder.add_default("accept", options.is_json ? "application/json" : "*/*");
  if (options.compressed) builder.add_default("accept-encoding", "identity");
  if (!options.referer.empty()) builder.add_default("referer", options.referer);
  if (facts.has_body && facts.body_size) builder.add_default("content-length", std::to_string(*facts.body_size));
  if (facts.has_body && !facts.body_type.empty()) builder.add_default("content-type", facts.body_type);
  if (facts.has_body && options.data) {
    builder.add_default("content-type", options.is_json ? "application/json" : "application/x-www-form-urlencoded");
  }
  if (!options.cookie.empty() && facts.same_origin) builder.add_default("cookie", options.cookie, true);
  return builder.finish(facts.same_origin);
}

}  // namespace quoll::app
