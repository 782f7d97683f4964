// The request that `quoll get` sends for its options: the URL as a person types it, method, fields. Pure.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "app/get_options.h"
#include "http/field_section.h"
#include "http/url.h"

namespace quoll::app {

/// A URL of the command line. Without a scheme it is https; user and password before the host are taken out.
struct TypedUrl {
  http::Url url{};
  std::string user{};  // "user:password", decoded; empty: none
};
/// What is wrong with it otherwise, for a person. `unsupported`: it is a URL, of a scheme that is not for us.
struct UrlFault {
  std::string text{};
  bool unsupported = false;
};
[[nodiscard]] std::expected<TypedUrl, UrlFault> parse_typed_url(std::string_view text);

/// The method that the options ask for in the first request.
std::string method_of(const GetOptions& options);

/// What the fields depend on beside the options.
struct RequestFacts {
  std::string_view user{};  // of the URL; empty: that of the options
  bool same_origin = true;  // as the URL of the command line: a redirect elsewhere gets no secrets
  bool has_body = false;
  std::optional<uint64_t> body_size{};
  std::string_view body_type{};  // empty: that of the -d, if there is one
  std::string_view range{};      // "500-"; empty: none
};
/// The fields of a request, in the order of curl's, or what is wrong with a -H.
[[nodiscard]] std::expected<http::FieldSection, std::string> request_fields(const GetOptions& options,
                                                                            const RequestFacts& facts);

}  // namespace quoll::app
