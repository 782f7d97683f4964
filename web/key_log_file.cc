#include "web/key_log_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "crypto/ct.h"
#include "os/file.h"

namespace quoll::web {

Result<std::unique_ptr<KeyLogFile>> KeyLogFile::open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
  if (fd < 0) return std::unexpected(os::system_error(errno));
  return std::unique_ptr<KeyLogFile>(new KeyLogFile(fd));
}

KeyLogFile::~KeyLogFile() { ::close(fd_); }

void KeyLogFile::line(std::string_view text) {
  std::string whole(text);
  whole += '\n';
  const std::lock_guard lock(mutex_);
  std::string_view rest = whole;
  while (!rest.empty()) {
    const ssize_t written = ::write(fd_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) break;  // a full disk costs the log, not the connection
    rest.remove_prefix(static_cast<size_t>(written));
  }
  crypto::ct::wipe(whole.data(), whole.size());
}

}  // namespace quoll::web
