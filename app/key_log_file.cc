#include "app/key_log_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "crypto/ct.h"

namespace quoll::app {

std::expected<std::unique_ptr<KeyLogFile>, std::string> KeyLogFile::open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
  if (fd < 0) return std::unexpected(std::string(std::strerror(errno)));
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

std::optional<std::string> option_or_environment(std::optional<std::string_view> option, const char* variable) {
  if (option) return std::string(*option);
  const char* const value = std::getenv(variable);
  if (!value || *value == '\0') return {};
  return std::string(value);
}

}  // namespace quoll::app
