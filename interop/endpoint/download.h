// Download: a file of a client's, written as its bytes arrive; a file that did not come whole is removed.
#pragma once

#include <memory>
#include <string>

#include "base/bytes.h"

namespace quoll::interop {

class Download {
 public:
  /// Null when the file cannot be made.
  [[nodiscard]] static std::unique_ptr<Download> create(const std::string& folder, const std::string& name);
  Download(const Download&) = delete;
  Download& operator=(const Download&) = delete;
  ~Download();

  /// False when the disk takes no more.
  [[nodiscard]] bool write(Bytes data);
  /// The file is whole.
  [[nodiscard]] bool finish();

 private:
  Download(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}

  int fd_;
  std::string path_;
};

}  // namespace quoll::interop
