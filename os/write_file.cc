#include "os/write_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

#include "base/hex.h"
#include "os/entropy.h"
#include "os/file.h"

namespace quoll::os {
namespace {

/// Another name in the same folder, which nobody else has.
std::string temporary_name(const char* path) {
  std::array<uint8_t, 8> random;
  fill_with_entropy(random);
  return std::string(path) + ".new-" + to_hex(random);
}

/// 0, or the errno value.
int write_all(int number, Bytes contents) {
  while (!contents.empty()) {
    const ssize_t written = write(number, contents.data(), contents.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    contents = contents.subspan(static_cast<size_t>(written));
  }
  return fsync(number) == 0 ? 0 : errno;
}

int create(const char* path, Bytes contents, unsigned mode) {
  const int number = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (number < 0) return errno;
  const int failed = write_all(number, contents);
  return close(number) == 0 || failed != 0 ? failed : errno;
}

/// Gives the temporary file its name, when that is free.
int name_if_free(const char* temporary, const char* path) {
  if (renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;  // these two: the file system or the kernel cannot
  if (link(temporary, path) != 0) return errno;
  return unlink(temporary) == 0 ? 0 : errno;
}

int name(const char* temporary, const char* path, Existing existing) {
  if (existing == Existing::keep) return name_if_free(temporary, path);
  return rename(temporary, path) == 0 ? 0 : errno;
}

/// Whether something is there, possibly through links, that is neither a file nor a directory: renaming over it would
/// put a file in the place of /dev/null.
bool is_special(const char* path) {
  struct stat status{};
  return stat(path, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

}  // namespace

Result<void> write_file(const char* path, Bytes contents, unsigned mode, Existing existing) {
  if (existing == Existing::replace && is_special(path)) return std::unexpected(system_error(EOPNOTSUPP));
  const std::string temporary = temporary_name(path);
  if (const int failed = create(temporary.c_str(), contents, mode); failed != 0) {
    if (failed != EEXIST) unlink(temporary.c_str());  // else it is somebody else's
    return std::unexpected(system_error(failed));
  }
  if (const int failed = name(temporary.c_str(), path, existing); failed != 0) {
    unlink(temporary.c_str());
    return std::unexpected(system_error(failed));
  }
  return {};
}

}  // namespace quoll::os
