// The secrets of TLS in a file for Wireshark (SSLKEYLOGFILE): appended line by line, readable by its owner alone.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/result.h"
#include "tls/key_log.h"

namespace quoll::web {

class KeyLogFile final : public tls::KeyLog {
 public:
  /// ErrorDomain::system when it cannot be opened for writing.
  [[nodiscard]] static Result<std::unique_ptr<KeyLogFile>> open(const std::string& path);
  ~KeyLogFile() override;
  KeyLogFile(const KeyLogFile&) = delete;
  KeyLogFile& operator=(const KeyLogFile&) = delete;

  /// From any thread. Written at once: whoever reads along must find the secrets of the packets that he sees.
  void line(std::string_view text) override;

 private:
  explicit KeyLogFile(int fd) : fd_(fd) {}

  std::mutex mutex_;
  int fd_;
};

}  // namespace quoll::web
