#include "app/heap_trim.h"

#include <stdlib.h>

#include <chrono>
#include <utility>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace quoll::app {

bool TrimPolicy::is_due(const Activity& now) {
  const bool is_quiet = now.connections == before_.connections && now.requests == before_.requests;
  before_ = now;
  if (!is_quiet || now.connections - trimmed_at_ < kConnectionsMin) return false;
  trimmed_at_ = now.connections;
  return true;
}

HeapTrimmer::HeapTrimmer(std::function<Activity()> look) : look_(std::move(look)) {
#ifdef __GLIBC__
  thread_ = std::thread([this] { run(); });
#endif
}

HeapTrimmer::~HeapTrimmer() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void HeapTrimmer::run() {
  TrimPolicy policy;
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, std::chrono::nanoseconds(kInterval.as_nanoseconds()), [this] { return ending_; })) {
#ifdef __GLIBC__
    if (policy.is_due(look_())) malloc_trim(0);
#endif
  }
}

}  // namespace quoll::app
