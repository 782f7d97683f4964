// Gives memory back to the system after a rush: the allocator keeps what thousands of connections have freed, for it cannot
// know that the next rush is hours away. Under glibc alone; elsewhere nothing is done.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

#include "base/time.h"

namespace quoll::app {

/// What a server has done since it began.
struct Activity {
  uint64_t connections = 0;  // begun
  uint64_t requests = 0;
};

/// Decides, from looks at regular times, when it is worth the while. Pure.
class TrimPolicy {
 public:
  /// What fewer connections leave behind is not worth a system call for each page.
  static constexpr uint64_t kConnectionsMin = 100;

  /// True once after each rush, when nothing has come since the look before.
  bool is_due(const Activity& now);

 private:
  Activity before_;
  uint64_t trimmed_at_ = 0;  // connections
};

/// A thread that looks now and then.
class HeapTrimmer {
 public:
  static constexpr Duration kInterval = Duration::seconds(10);

  explicit HeapTrimmer(std::function<Activity()> look);
  ~HeapTrimmer();
  HeapTrimmer(const HeapTrimmer&) = delete;
  HeapTrimmer& operator=(const HeapTrimmer&) = delete;

 private:
  void run();

  const std::function<Activity()> look_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace quoll::app
