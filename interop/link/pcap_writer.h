// PcapWriter: a capture file (pcap with nanoseconds, LINKTYPE_RAW), written by a thread of its own, so that a slow disk never
// holds up the link. What was added reaches the file within a second, and all of it before the writer is gone.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"

namespace quoll::link {

class PcapWriter {
 public:
  /// Creates or empties the file.
  [[nodiscard]] static Result<std::unique_ptr<PcapWriter>> create(const std::string& path);
  ~PcapWriter();
  PcapWriter(const PcapWriter&) = delete;
  PcapWriter& operator=(const PcapWriter&) = delete;

  /// `wall` is nanoseconds since 1970. By one thread only.
  void add(Instant wall, Bytes packet);
  /// To be called now and then: gives to the thread what was added. Never waits for it.
  void hand_over();
  /// Writes the rest; nothing can be added after it. Whether all of it could be written.
  bool close();

 private:
  explicit PcapWriter(int fd);
  void write_all();

  int fd_;
  std::string added_;  // of the thread that adds
  std::mutex mutex_;   // guards what follows
  std::condition_variable handed_;
  std::string pending_;
  bool ending_ = false;
  bool failed_ = false;  // at any time
  std::thread thread_;
};

}  // namespace quoll::link
