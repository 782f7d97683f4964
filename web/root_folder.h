// RootFolder: opens files below one folder, and none beside it, whatever path is asked for.
//
// On Linux the kernel keeps watch (openat2 with RESOLVE_BENEATH): symbolic links are followed as long as they are relative
// and stay below the root. Where it cannot, paths are walked folder by folder and links are not followed at all. Neither
// leaves a gap between looking and opening in which a name could change its meaning.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace quoll::web {

/// A file descriptor with its owner.
class FileHandle {
 public:
  FileHandle() = default;
  explicit FileHandle(int fd) : fd_(fd) {}
  FileHandle(FileHandle&& other) noexcept : fd_(other.release()) {}
  FileHandle& operator=(FileHandle&& other) noexcept;
  ~FileHandle();

  int fd() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }

 private:
  int fd_ = -1;
};

class RootFolder {
 public:
  enum class Backend : uint8_t { best, portable };

  /// ErrorDomain::system; ENOTDIR when it is a file.
  [[nodiscard]] static Result<RootFolder> open(const char* path, Backend backend = Backend::best);

  /// A file or folder for reading; never waits (for the writer of a pipe). `path` is relative to the root without a slash in
  /// front; "" is the root itself. ErrorDomain::system: EXDEV for what leads out of the root, by ".." or by a link; ELOOP
  /// for links that are not followed or never end.
  [[nodiscard]] Result<FileHandle> open_below(const std::string& path) const;

 private:
  RootFolder(FileHandle folder, bool kernel_resolves) : folder_(std::move(folder)), kernel_resolves_(kernel_resolves) {}
  int walk(const std::string& path) const;

  FileHandle folder_;
  bool kernel_resolves_ = false;
};

}  // namespace quoll::web
