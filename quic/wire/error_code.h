// Transport error codes (RFC 9000 §20.1, RFC 9368 §10.2) and how an Error carries them.
#pragma once

#include "base/result.h"

namespace quoll::quic {

enum class TransportError : uint64_t {
  no_error = 0x00,
  internal_error = 0x01,
  connection_refused = 0x02,
  flow_control_error = 0x03,
  stream_limit_error = 0x04,
  stream_state_error = 0x05,
  final_size_error = 0x06,
  frame_encoding_error = 0x07,
  transport_parameter_error = 0x08,
  connection_id_limit_error = 0x09,
  protocol_violation = 0x0a,
  invalid_token = 0x0b,
  application_error = 0x0c,
  crypto_buffer_exceeded = 0x0d,
  key_update_error = 0x0e,
  aead_limit_reached = 0x0f,
  no_viable_path = 0x10,
  version_negotiation_error = 0x11,  // RFC 9368
  crypto_error_base = 0x100,         // plus a TLS alert
};

/// An error code that an application defined (RFC 9000 §20.2), at most 2^62-1.
enum class ApplicationErrorCode : uint64_t {};

/// An Error that closes the connection with this code; `frame_type` is the frame that provoked it, 0 if none.
inline std::unexpected<Error> close_with(TransportError code, const char* reason, uint64_t frame_type = 0) {
  return std::unexpected(Error{.domain = ErrorDomain::transport,
                               .code = static_cast<uint64_t>(code),
                               .frame_type = frame_type,
                               .reason = reason});
}

}  // namespace quoll::quic
