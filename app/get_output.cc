#include "app/get_output.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/hex.h"
#include "os/entropy.h"
#include "os/file.h"

namespace quoll::app {
namespace {

constexpr mode_t kNewFileMode = 0666, kNewFolderMode = 0777;  // less the umask
constexpr size_t kSlicesPerCall = 1024;                       // IOV_MAX of Linux
constexpr int kPipeSize = 1024 * 1024;                        // bytes; what an unprivileged process may ask for
constexpr int kWaitMilliseconds = 10;  // less than the delay of acknowledgments that peers reckon with

std::unexpected<Error> failed(int error_number) { return std::unexpected(os::system_error(error_number)); }

/// The path that the links lead to, so that a link to a file stays one.
std::string without_links(const std::string& path) {
  char* const resolved = realpath(path.c_str(), nullptr);
  if (!resolved) return path;
  std::string out(resolved);
  free(resolved);
  return out;
}

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string temporary_name(const std::string& path) {
  std::array<uint8_t, 8> random;
  os::fill_with_entropy(random);
  return path + ".new-" + to_hex(random);
}

std::string descriptor_path(int number) { return "/proc/self/fd/" + std::to_string(number); }

/// Standard output may be shared with other programs, which would be surprised by O_NONBLOCK: it is opened anew.
int open_nonblocking(int number) {
  return open(descriptor_path(number).c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
}

bool wait_until_writable(int number) {
  pollfd entry{.fd = number, .events = POLLOUT, .revents = 0};
  return poll(&entry, 1, kWaitMilliseconds) > 0;
}

}  // namespace

Result<void> GetOutput::open_standard_output() {
  number_ = STDOUT_FILENO;
  struct stat status{};
  if (fstat(STDOUT_FILENO, &status) != 0) return failed(errno);
  if (!S_ISFIFO(status.st_mode) && !S_ISCHR(status.st_mode)) return {};
  const int own = open_nonblocking(STDOUT_FILENO);
  if (own < 0) return {};  // it blocks then, as everything did once
  number_ = own;
  owned_ = true;
  if (S_ISFIFO(status.st_mode)) fcntl(own, F_SETPIPE_SZ, kPipeSize);  // a wish
  return {};
}

Result<void> GetOutput::open_file(const std::string& path) {
  struct stat status{};
  const bool exists = stat(path.c_str(), &status) == 0;
  if (exists && S_ISDIR(status.st_mode)) return failed(EISDIR);
  if (exists && !S_ISREG(status.st_mode)) {
    number_ = open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY);
    owned_ = true;
    return number_ < 0 ? Result<void>(failed(errno)) : Result<void>();
  }
  // What may not be written is not replaced either.
  if (exists && access(path.c_str(), W_OK) != 0) return failed(errno);
  const std::string target = exists ? without_links(path) : path;
  // finish() names the file by way of /proc, which a container may lack.
  const bool can_be_named = access("/proc/self/fd", X_OK) == 0;
  number_ = can_be_named ? open(folder_of(target).c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, kNewFileMode) : -1;
  if (!can_be_named) errno = EOPNOTSUPP;
  if (number_ < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT || errno == EINVAL)) {
    temporary_ = temporary_name(target);
    number_ = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kNewFileMode);
    if (number_ < 0) temporary_.clear();
  }
  if (number_ < 0) return failed(errno);
  owned_ = true;
  path_ = target;
  if (exists) (void)!fchmod(number_, status.st_mode & 0777);  // as it was, if that can be had
  return {};
}

Result<void> GetOutput::open_partial(const std::string& path, uint64_t offset) {
  number_ = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY, kNewFileMode);
  if (number_ < 0) return failed(errno);
  owned_ = true;
  struct stat status{};
  if (fstat(number_, &status) != 0) return failed(errno);
  if (!S_ISREG(status.st_mode)) return {};
  if (ftruncate(number_, static_cast<off_t>(offset)) != 0) return failed(errno);
  return lseek(number_, static_cast<off_t>(offset), SEEK_SET) < 0 ? Result<void>(failed(errno)) : Result<void>();
}

Result<void> GetOutput::write(std::vector<Slice>& slices) {
  if (waiting_.empty()) {
    waiting_.swap(slices);
    first_ = 0;
  } else {
    std::ranges::move(slices, std::back_inserter(waiting_));
  }
  slices.clear();
  return write_waiting();
}

Result<void> GetOutput::write(std::string_view text) {
  if (text.empty()) return {};
  waiting_.push_back(Slice::copy_of(as_bytes(text)));
  return write_waiting();
}

Result<void> GetOutput::flush() { return is_blocked() ? write_waiting() : Result<void>(); }

Result<void> GetOutput::write_waiting() {
  std::array<iovec, kSlicesPerCall> parts;
  while (first_ < waiting_.size()) {
    const size_t count = std::min(waiting_.size() - first_, kSlicesPerCall);
    for (size_t i = 0; i < count; i++) {
      const Bytes bytes = waiting_[first_ + i].bytes();
      parts[i] = {const_cast<uint8_t*>(bytes.data()), bytes.size()};
    }
    const ssize_t written = writev(number_, parts.data(), static_cast<int>(count));
    if (written < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK) return failed(errno);
      if (!wait_until_writable(number_)) return {};
      continue;
    }
    size_t left = static_cast<size_t>(written);
    while (first_ < waiting_.size() && left >= waiting_[first_].size()) {
      left -= waiting_[first_].size();
      waiting_[first_++] = Slice();
    }
    if (left != 0) waiting_[first_].drop_front(left);
  }
  waiting_.clear();
  first_ = 0;
  return {};
}

void GetOutput::set_modified(UnixTime time) {
  struct stat status{};
  if (!owned_ || fstat(number_, &status) != 0 || !S_ISREG(status.st_mode)) return;
  const timespec times[] = {{.tv_sec = 0, .tv_nsec = UTIME_OMIT},
                            {.tv_sec = static_cast<time_t>(time.as_seconds()), .tv_nsec = 0}};
  (void)!futimens(number_, times);  // the contents are what was asked for, and they are there
}

Result<void> GetOutput::finish() {
  if (!owned_) {
    number_ = -1;
    return {};
  }
  if (!path_.empty() && temporary_.empty()) {
    // A file without a name gets one that is not taken: its own when that is free, else one to rename from.
    const std::string from = descriptor_path(number_);
    if (linkat(AT_FDCWD, from.c_str(), AT_FDCWD, path_.c_str(), AT_SYMLINK_FOLLOW) == 0) {
      path_.clear();
    } else {
      const int error_number = errno;
      if (error_number != EEXIST) return failed(error_number);
      temporary_ = temporary_name(path_);
      if (linkat(AT_FDCWD, from.c_str(), AT_FDCWD, temporary_.c_str(), AT_SYMLINK_FOLLOW) != 0) {
        temporary_.clear();
        return failed(errno);
      }
    }
  }
  if (!path_.empty() && rename(temporary_.c_str(), path_.c_str()) != 0) return failed(errno);
  path_.clear();
  temporary_.clear();
  // Some file systems tell here alone that there was no room.
  const int closed = close(number_);
  number_ = -1;
  owned_ = false;
  return closed == 0 || errno == EINTR ? Result<void>() : Result<void>(failed(errno));
}

void GetOutput::discard() {
  waiting_.clear();
  first_ = 0;
  if (!temporary_.empty()) unlink(temporary_.c_str());
  temporary_.clear();
  path_.clear();
  if (owned_ && number_ >= 0) close(number_);
  number_ = -1;
  owned_ = false;
}

std::optional<uint64_t> file_size(const std::string& path) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
  return static_cast<uint64_t>(status.st_size);
}

std::string remote_file_name(std::string_view url_path) {
  const std::string_view name = url_path.substr(std::min(url_path.rfind('/') + 1, url_path.size()));
  return std::string(name == "." || name == ".." ? "" : name.substr(0, NAME_MAX));
}

Result<void> make_folders(const std::string& path) {
  for (size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    if (mkdir(path.substr(0, slash).c_str(), kNewFolderMode) != 0 && errno != EEXIST) return failed(errno);
  }
  return {};
}

}  // namespace quoll::app
