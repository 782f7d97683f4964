#include "web/root_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <utility>

#ifdef __linux__
#include <linux/openat2.h>
#include <sys/syscall.h>
#endif

#include "os/file.h"

namespace quoll::web {
namespace {

constexpr int kFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
/// The kernel gives up (EAGAIN) when somebody renames folders just then; so do we after as many times.
constexpr int kAttemptsMax = 8;

/// A descriptor, or -1 with errno.
int open_with_kernel(int folder, const char* path) {
#if defined(__linux__) && defined(SYS_openat2)
  open_how how{};
  how.flags = kFlags;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  for (int attempt = 0;; attempt++) {
    const long fd = syscall(SYS_openat2, folder, path, &how, sizeof how);
    if (fd >= 0 || (errno != EAGAIN && errno != EINTR) || attempt == kAttemptsMax) return static_cast<int>(fd);
  }
#else
  (void)folder;
  (void)path;
  errno = ENOSYS;
  return -1;
#endif
}

}  // namespace

FileHandle& FileHandle::operator=(FileHandle&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = other.release();
  }
  return *this;
}

FileHandle::~FileHandle() {
  if (fd_ >= 0) ::close(fd_);
}

Result<RootFolder> RootFolder::open(const char* path, Backend backend) {
  FileHandle folder(::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return std::unexpected(os::system_error(errno));
  // Kernels before 5.6 and sandboxes do not know the call: one try tells.
  const FileHandle itself(backend == Backend::best ? open_with_kernel(folder.fd(), ".") : -1);
  return RootFolder(std::move(folder), static_cast<bool>(itself));
}

Result<FileHandle> RootFolder::open_below(const std::string& path) const {
  const char* const name = path.empty() ? "." : path.c_str();
  FileHandle file(kernel_resolves_ ? open_with_kernel(folder_.fd(), name) : walk(path));
  if (!file) return std::unexpected(os::system_error(errno));
  return file;
}

/// Folder by folder, following no link. A descriptor, or -1 with errno.
int RootFolder::walk(const std::string& path) const {
  FileHandle folder;
  int at = folder_.fd();
  size_t begin = 0;
  for (;;) {
    const size_t slash = path.find('/', begin);
    std::string name = path.substr(begin, slash == std::string::npos ? slash : slash - begin);
    if (name == "..") return errno = EXDEV, -1;
    if (name.empty()) name = ".";
    const bool is_last = slash == std::string::npos;
    const int fd = openat(at, name.c_str(), kFlags | O_NOFOLLOW | (is_last ? 0 : O_DIRECTORY));
    // BSDs say EMLINK for a link that is not followed. Linux says ENOTDIR for one in the midst, as for a file.
    if (fd < 0 && errno == EMLINK) errno = ELOOP;
    if (fd < 0 || is_last) return fd;
    folder = FileHandle(fd);
    at = fd;
    begin = slash + 1;
  }
}

}  // namespace quoll::web
