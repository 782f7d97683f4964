// What methods promise (RFC 9110 §9.2). Names of methods are compared byte by byte: they are case-sensitive (§9.1).
#pragma once

#include <string_view>

namespace quoll::http {

/// RFC 9110 §9.2.1: whoever asks so wants nothing changed, so that a replay does no harm (RFC 8470 §4).
constexpr bool is_safe_method(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "TRACE";
}

/// RFC 9110 §9.2.2: to do it twice is to do it once.
constexpr bool is_idempotent_method(std::string_view method) {
  return is_safe_method(method) || method == "PUT" || method == "DELETE";
}

}  // namespace quoll::http
