// Error codes of HTTP/3 (RFC 9114 §8.1, RFC 9297 §5.2), as they stand in resets, STOP_SENDING and CONNECTION_CLOSE.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace quoll::h3 {

enum class ErrorCode : uint64_t {
  datagram_error = 0x33,
  no_error = 0x0100,
  general_protocol_error = 0x0101,
  internal_error = 0x0102,
  stream_creation_error = 0x0103,
  closed_critical_stream = 0x0104,
  frame_unexpected = 0x0105,
  frame_error = 0x0106,
  excessive_load = 0x0107,
  id_error = 0x0108,
  settings_error = 0x0109,
  missing_settings = 0x010a,
  request_rejected = 0x010b,
  request_cancelled = 0x010c,
  request_incomplete = 0x010d,
  message_error = 0x010e,
  connect_error = 0x010f,
  version_fallback = 0x0110,
};

/// "H3_FRAME_ERROR"; "QPACK_DECOMPRESSION_FAILED" and its siblings too; empty for a code that nobody defined.
std::string_view name_of(uint64_t code);

/// RFC 9114 §8: whether a code that an end was given says that nothing went wrong; one that nobody defined says no more.
inline bool is_no_error(uint64_t code) {
  return code == static_cast<uint64_t>(ErrorCode::no_error) || name_of(code).empty();
}

inline std::unexpected<Error> error(ErrorCode code, const char* reason) {
  return std::unexpected(
      Error{.domain = ErrorDomain::application, .code = static_cast<uint64_t>(code), .reason = reason});
}

}  // namespace quoll::h3
