#include "app/line_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace quoll::app {
namespace {

int open_for_appending(const std::string& path, unsigned mode) {
  if (path == "-") return ::dup(STDOUT_FILENO);
  return ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, static_cast<mode_t>(mode));
}

uint64_t lines_of(std::string_view text) { return static_cast<uint64_t>(std::ranges::count(text, '\n')); }

}  // namespace

std::expected<std::unique_ptr<LineFile>, std::string> LineFile::open(std::string_view path, unsigned mode) {
  const std::string name(path);
  const int fd = open_for_appending(name, mode);
  if (fd < 0) return std::unexpected(std::string(std::strerror(errno)));
  return std::unique_ptr<LineFile>(new LineFile(name, mode, fd));
}

LineFile::LineFile(std::string path, unsigned mode, int fd) : path_(std::move(path)), mode_(mode), fd_(fd) {
  thread_ = std::thread([this] { run(); });
}

LineFile::~LineFile() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
  ::close(fd_);
  if (next_fd_ >= 0) ::close(next_fd_);
}

void LineFile::append(std::string_view line) {
  {
    const std::lock_guard lock(mutex_);
    if (pending_.size() + line.size() > kPendingMax) {
      lost_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    pending_.append(line);
  }
  changed_.notify_one();
}

bool LineFile::reopen() {
  if (path_ == "-") return true;
  const int fd = open_for_appending(path_, mode_);
  if (fd < 0) return false;
  const std::lock_guard lock(mutex_);
  if (next_fd_ >= 0) ::close(next_fd_);
  next_fd_ = fd;
  return true;
}

void LineFile::run() {
  std::string writing;
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return ending_ || !pending_.empty(); });
    if (pending_.empty()) return;
    std::swap(writing, pending_);
    if (next_fd_ >= 0) {
      ::close(fd_);
      fd_ = std::exchange(next_fd_, -1);
    }
    lock.unlock();
    write_out(writing);
    writing.clear();
    lock.lock();
  }
}

void LineFile::write_out(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd_, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      lost_.fetch_add(lines_of(text), std::memory_order_relaxed);
      return;
    }
    text.remove_prefix(static_cast<size_t>(written));
  }
}

}  // namespace quoll::app
