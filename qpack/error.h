// Error codes of QPACK (RFC 9204 §6).
#pragma once

#include <cstdint>

#include "base/result.h"

namespace quoll::qpack {

enum class ErrorCode : uint64_t {
  decompression_failed = 0x0200,
  encoder_stream_error = 0x0201,
  decoder_stream_error = 0x0202,
};

inline std::unexpected<Error> error(ErrorCode code, const char* reason) {
  return std::unexpected(
      Error{.domain = ErrorDomain::application, .code = static_cast<uint64_t>(code), .reason = reason});
}

}  // namespace quoll::qpack
