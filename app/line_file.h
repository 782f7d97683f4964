// LineFile: lines that many threads append to one file, and that none of them waits for.
//
// Lines are gathered under a lock and written by a thread of its own. What a slow or full disk cannot take is dropped and
// counted once kPendingMax bytes wait: a log must not stop what it logs.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <expected>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace quoll::app {

class LineFile {
 public:
  static constexpr size_t kPendingMax = 4 * 1024 * 1024;

  /// `path` is opened for appending, and made with `mode` if it is not there; "-" is standard output. The error is a text
  /// for people.
  [[nodiscard]] static std::expected<std::unique_ptr<LineFile>, std::string> open(std::string_view path, unsigned mode);
  /// Writes what is left.
  ~LineFile();
  LineFile(const LineFile&) = delete;
  LineFile& operator=(const LineFile&) = delete;

  /// With its newline.
  void append(std::string_view line);
  /// Opens the path anew, after somebody has moved the file away. False: it cannot be opened, and the old one goes on.
  bool reopen();
  /// Lines that were dropped, and lines that the system refused to write.
  uint64_t lost() const { return lost_.load(std::memory_order_relaxed); }

 private:
  LineFile(std::string path, unsigned mode, int fd);
  void run();
  void write_out(std::string_view text);

  const std::string path_;
  const unsigned mode_;
  std::atomic<uint64_t> lost_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string pending_;
  int fd_;
  int next_fd_ = -1;  // to go on with
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace quoll::app
