// What the tests of HTTP/3's parts share: errors by name, and sections written as text.
#pragma once

#include <string_view>

#include "h3/error.h"

namespace quoll::tests {

/// "" for a value, else the name of the error's code: H3_FRAME_ERROR.
template <class T>
std::string_view h3_error(const Result<T>& result) {
  if (result) return "";
  return result.error().domain == ErrorDomain::application ? h3::name_of(result.error().code) : "another domain";
}

}  // namespace quoll::tests
