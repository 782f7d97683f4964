#include "interop/endpoint/download.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace quoll::interop {

std::unique_ptr<Download> Download::create(const std::string& folder, const std::string& name) {
  std::string path = folder + "/" + name;
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return {};
  return std::unique_ptr<Download>(new Download(fd, std::move(path)));
}

Download::~Download() {
  if (fd_ < 0) return;
  close(fd_);
  unlink(path_.c_str());
}

bool Download::write(Bytes data) {
  while (!data.empty()) {
    const ssize_t written = ::write(fd_, data.data(), data.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    data = data.subspan(static_cast<size_t>(written));
  }
  return true;
}

bool Download::finish() { return close(std::exchange(fd_, -1)) == 0; }

}  // namespace quoll::interop
