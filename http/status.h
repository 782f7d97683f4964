// Status codes (RFC 9110 §15, and the registry of IANA): their classes, and names for people. HTTP/3 sends no reason phrase.
#pragma once

#include <string_view>

namespace quoll::http {

namespace status {
inline constexpr unsigned kOk = 200, kNoContent = 204, kPartialContent = 206;
inline constexpr unsigned kMovedPermanently = 301, kNotModified = 304;
inline constexpr unsigned kBadRequest = 400, kForbidden = 403, kNotFound = 404, kMethodNotAllowed = 405;
inline constexpr unsigned kPreconditionFailed = 412, kContentTooLarge = 413, kRangeNotSatisfiable = 416;
inline constexpr unsigned kTooEarly = 425;  // RFC 8470 §5.2
inline constexpr unsigned kInternalServerError = 500, kNotImplemented = 501, kServiceUnavailable = 503;
}  // namespace status

/// RFC 9110 §15.2: a response that another one follows.
constexpr bool is_informational(unsigned status) { return status >= 100 && status <= 199; }
constexpr bool is_successful(unsigned status) { return status >= 200 && status <= 299; }
constexpr bool is_redirection(unsigned status) { return status >= 300 && status <= 399; }
constexpr bool is_error(unsigned status) { return status >= 400 && status <= 599; }
/// RFC 9110 §6.4.1: whatever the request's method was, such a response has no content.
constexpr bool has_no_content(unsigned status) { return is_informational(status) || status == 204 || status == 304; }

/// "Not Found"; empty when nobody has registered the code.
std::string_view reason_phrase(unsigned status);

}  // namespace quoll::http
