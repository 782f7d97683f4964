#include "os/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <span>

#include "crypto/ct.h"

namespace quoll::os {
namespace {

constexpr size_t kFirstSize = 4096;  // bytes, where the file does not tell its size

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  int number() const { return number_; }

 private:
  int number_;
};

int open_to_read(const char* path) {
  while (true) {
    // O_NOCTTY: a path that names a terminal does not become ours.
    const int number = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (number >= 0 || errno != EINTR) return number;
  }
}

ssize_t read_some(int number, std::span<uint8_t> into) {
  while (true) {
    const ssize_t got = read(number, into.data(), into.size());
    if (got >= 0 || errno != EINTR) return got;
  }
}

/// Doubles the room, up to `size_max`; the old memory is wiped, which vector's own growth would not do.
void grow(std::vector<uint8_t>& buffer, size_t size_max) {
  std::vector<uint8_t> larger(buffer.size() > size_max / 2 ? size_max : buffer.size() * 2);
  std::copy(buffer.begin(), buffer.end(), larger.begin());
  crypto::ct::wipe(buffer.data(), buffer.size());
  buffer = std::move(larger);
}

/// A first size: one byte more than the file says it has, so that its end is seen without growing.
size_t first_size(int number, size_t room_max) {
  struct stat status;
  size_t size = kFirstSize;
  if (fstat(number, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0) {
    size = std::min(static_cast<size_t>(status.st_size), room_max - 1) + 1;
  }
  return std::min(size, room_max);
}

}  // namespace

Error system_error(int error_number) {
  const char* reason = "the operating system refused";
  switch (error_number) {
    case ENOENT:
      reason = "no such file or directory";
      break;
    case EACCES:
      reason = "permission denied";
      break;
    case EISDIR:
      reason = "is a directory";
      break;
    case ENOTDIR:
      reason = "is not a directory";
      break;
    case ELOOP:
      reason = "too many symbolic links";
      break;
    case ENAMETOOLONG:
      reason = "the path is too long";
      break;
    case EMFILE:
    case ENFILE:
      reason = "too many open files";
      break;
    case EIO:
      reason = "input or output error";
      break;
    case EFBIG:
      reason = "the file is larger than allowed";
      break;
    case EOPNOTSUPP:
      reason = "is no regular file";
      break;
    case EINVAL:
      reason = "the path is not valid";
      break;
  }
  return Error{.domain = ErrorDomain::system, .code = static_cast<uint64_t>(error_number), .reason = reason};
}

Result<std::vector<uint8_t>> read_file(const char* path, size_t size_max) {
  const Descriptor file(open_to_read(path));
  if (file.number() < 0) return std::unexpected(system_error(errno));
  // One byte more than is allowed tells a file that is too large from one that just fits.
  const size_t room_max = size_max == SIZE_MAX ? size_max : size_max + 1;
  std::vector<uint8_t> buffer(first_size(file.number(), room_max));
  size_t size = 0;
  int failed = 0;
  while (true) {
    if (size == buffer.size()) grow(buffer, room_max);
    const ssize_t got = read_some(file.number(), std::span(buffer).subspan(size));
    if (got < 0) failed = errno;
    if (got <= 0) break;
    size += static_cast<size_t>(got);
    if (size > size_max) failed = EFBIG;
    if (failed != 0) break;
  }
  if (failed != 0) {
    crypto::ct::wipe(buffer.data(), buffer.size());
    return std::unexpected(system_error(failed));
  }
  buffer.resize(size);
  return buffer;
}

}  // namespace quoll::os
