// The secrets of TLS in a file for Wireshark (SSLKEYLOGFILE, --keylog): appended line by line, readable by its owner alone.
#pragma once

#include <expected>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "tls/key_log.h"

namespace quoll::app {

class KeyLogFile final : public tls::KeyLog {
 public:
  /// The error is a text for people.
  [[nodiscard]] static std::expected<std::unique_ptr<KeyLogFile>, std::string> open(const std::string& path);
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

/// What was asked for on the command line, or else by the environment variable; empty: neither.
std::optional<std::string> option_or_environment(std::optional<std::string_view> option, const char* variable);

}  // namespace quoll::app
