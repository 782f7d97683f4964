// Reading files whole, with a bound: certificates, keys, configuration.
//
// What was read may hold a private key, so no copy of it stays behind in memory that was given back; the vector that is
// returned is the caller's to wipe. Works for pipes as well ("/dev/stdin"), which have no size in advance.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/result.h"

namespace quoll::os {

/// The contents of a file of at most `size_max` bytes. ErrorDomain::system with the errno value; EFBIG when it is
/// larger.
[[nodiscard]] Result<std::vector<uint8_t>> read_file(const char* path, size_t size_max);

/// An Error of the operating system, with a sentence for the values that users meet.
Error system_error(int error_number);

}  // namespace quoll::os
