// What makes a message well-formed (RFC 9114 §4.1.2 to §4.5, §10.3; RFC 9110 §5.5, §8.6; RFC 8441 §4; RFC 9220 §3): pure
// checks of decoded field sections. A malformed one is an Error with H3_MESSAGE_ERROR, a stream error.
//
// The same checks serve what we receive and what an application wants sent. Views in results are into the section that
// was checked. Whether frames come in the right order is not looked at here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/field_section.h"

namespace quoll::h3 {

struct RequestHead {
  std::string_view method = {};
  std::string_view scheme = {};     // empty for CONNECT
  std::string_view authority = {};  // of :authority, or of Host where that alone was given
  std::string_view path = {};       // empty for CONNECT
  std::string_view protocol = {};   // of extended CONNECT; empty otherwise
  std::optional<uint64_t> content_length = {};

  /// CONNECT, extended or not: what follows is no content but the bytes of a tunnel.
  bool is_connect() const { return method == "CONNECT"; }
};

struct ResponseHead {
  unsigned status = 0;  // 100 to 999
  std::optional<uint64_t> content_length = {};

  bool is_interim() const { return status < 200; }
};

/// `extended_connect`: the server has announced that it takes :protocol (RFC 8441 §3).
[[nodiscard]] Result<RequestHead> check_request(const http::FieldSection& fields, bool extended_connect);
/// Of PUSH_PROMISE (RFC 9114 §4.6): well-formed, safe and cacheable by method, without content, with :authority. What is
/// well-formed and yet not to be pushed has the code H3_REQUEST_CANCELLED: the answer is CANCEL_PUSH.
[[nodiscard]] Result<RequestHead> check_promised_request(const http::FieldSection& fields);
[[nodiscard]] Result<ResponseHead> check_response(const http::FieldSection& fields);
[[nodiscard]] Result<void> check_trailers(const http::FieldSection& fields);

/// RFC 9110 §5.6.2, in lower case as RFC 9114 §4.2 wants it; not a pseudo-header field's.
bool is_field_name(std::string_view name);
/// RFC 9110 §5.5: no control characters but tabs within, and no space around.
bool is_field_value(std::string_view value);
/// RFC 9114 §4.2: a field that speaks of a connection of HTTP/1.1, and has no place here.
bool is_connection_specific(std::string_view name);

/// RFC 9110 §8.6: digits, or a list of the same number over and over. Empty: neither.
std::optional<uint64_t> parse_content_length(std::string_view value);

/// RFC 9114 §4.2.1: all cookie lines as one, for who is no HTTP/3; empty when there is none.
std::optional<std::string> joined_cookie(const http::FieldSection& fields);

/// Sums a message's DATA and holds it against its content-length (RFC 9114 §4.1.2).
class ContentCheck {
 public:
  /// Nothing is expected, anything goes: a tunnel's.
  ContentCheck() = default;
  static ContentCheck of(const RequestHead& request);
  /// Of a final response, which may be one that never has content (RFC 9110 §6.4.1).
  static ContentCheck of(const ResponseHead& response, std::string_view request_method);

  /// Bytes of DATA that come; an Error once there are too many.
  [[nodiscard]] Result<void> add(uint64_t size);
  /// The message is over; an Error when bytes are missing.
  [[nodiscard]] Result<void> finish() const;
  /// Bytes that must still come; empty: unknown.
  std::optional<uint64_t> left() const { return left_; }

 private:
  explicit ContentCheck(std::optional<uint64_t> left) : left_(left) {}

  std::optional<uint64_t> left_;
};

}  // namespace quoll::h3
