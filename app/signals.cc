#include "app/signals.h"

#include <pthread.h>

#include <utility>

namespace quoll::app {
namespace {

sigset_t set_of(const std::vector<int>& signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  return set;
}

}  // namespace

void SignalThread::block(const std::vector<int>& signals) {
  const sigset_t set = set_of(signals);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

SignalThread::SignalThread(const std::vector<int>& signals, std::function<void(int)> told) : waking_(signals.front()) {
  thread_ = std::thread([this, set = set_of(signals), told = std::move(told)] {
    for (;;) {
      int signal = 0;
      if (sigwait(&set, &signal) != 0) continue;
      if (ending_) return;
      told(signal);
    }
  });
}

SignalThread::~SignalThread() {
  ending_ = true;
  pthread_kill(thread_.native_handle(), waking_);
  thread_.join();
}

}  // namespace quoll::app
