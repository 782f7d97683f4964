// What the tests of QPACK share: bytes from hexadecimal, and the code of an Error.
#pragma once

#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "qpack/decoder.h"
#include "qpack/encoder.h"
#include "qpack/error.h"

namespace quoll::qpack::tests {

inline std::vector<uint8_t> hex(std::string_view text) {
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i + 1 < text.size(); i += 2) {
    const auto digit = [](char c) { return static_cast<uint8_t>(c <= '9' ? c - '0' : c - 'a' + 10); };
    bytes.push_back(static_cast<uint8_t>(digit(text[i]) << 4 | digit(text[i + 1])));
  }
  return bytes;
}

template <class T>
bool failed_with(const Result<T>& result, ErrorCode code) {
  return !result && result.error().domain == ErrorDomain::application &&
         result.error().code == static_cast<uint64_t>(code) && result.error().reason[0] != '\0';
}

template <class T>
bool is(const Result<T>& result, T value) {
  return result && *result == value;
}

inline std::vector<uint8_t> copy_of(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

}  // namespace quoll::qpack::tests
