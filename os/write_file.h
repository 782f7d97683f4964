// Writing files whole: a reader sees the old contents or the new ones, never a part.
//
// The contents go to a temporary file beside the path, are flushed to the disk, and take the path's name in one step. A
// symbolic link at the path is replaced, not followed; but devices and pipes, and links to them, are left alone.
#pragma once

#include "base/bytes.h"
#include "base/result.h"

namespace quoll::os {

enum class Existing : uint8_t { replace, keep };

/// `mode` is that of a new file from its first moment on, less the umask: 0600 for what is secret. ErrorDomain::system
/// with the errno value; EEXIST when the path exists and Existing::keep; EOPNOTSUPP when it leads to a device,
/// a pipe or a socket.
[[nodiscard]] Result<void> write_file(const char* path, Bytes contents, unsigned mode, Existing existing);

}  // namespace quoll::os
