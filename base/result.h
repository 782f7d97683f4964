// Result<T>: a value, or an Error that says why there is none.
//
// An Error is a trivially copyable value with static text, so returning one costs no allocation and keeps no reference.
// "Nothing to do" is never an Error: such functions return an empty std::optional.
#pragma once

#include <cstdint>
#include <expected>

namespace quoll {

/// Whose number space Error::code belongs to.
enum class ErrorDomain : uint8_t {
  usage,        // the caller broke a function's contract; code is 0
  crypto,       // code is a crypto::Failure
  tls,          // code is an alert description, RFC 8446 §6
  certificate,  // code is an x509::Failure
  transport,    // code is a transport error code, RFC 9000 §20.1
  application,  // code belongs to the application protocol, RFC 9000 §20.2
  system,       // code is an errno value
};

struct Error {
  ErrorDomain domain = ErrorDomain::usage;
  uint64_t code = 0;
  uint64_t frame_type = 0;  // the frame that provoked a transport error, 0 if none (RFC 9000 §19.19)
  const char* reason = "";  // static text
};

template <class T>
using Result = std::expected<T, Error>;

/// The Error of a broken contract, ready to return from a function that returns Result.
inline std::unexpected<Error> usage_error(const char* reason) {
  return std::unexpected(Error{.domain = ErrorDomain::usage, .reason = reason});
}

}  // namespace quoll
