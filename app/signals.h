// SignalThread: a thread that waits for signals and tells them, so that no code runs inside of a signal handler.
#pragma once

#include <signal.h>

#include <atomic>
#include <functional>
#include <thread>
#include <vector>

namespace quoll::app {

class SignalThread {
 public:
  /// Holds these signals back in the calling thread and in those that it will start. To be called before any is started.
  static void block(const std::vector<int>& signals);

  /// `told` is called by the thread for each of the signals, of which there is one at least and which are blocked already.
  SignalThread(const std::vector<int>& signals, std::function<void(int)> told);
  ~SignalThread();
  SignalThread(const SignalThread&) = delete;
  SignalThread& operator=(const SignalThread&) = delete;

 private:
  std::atomic<bool> ending_ = false;
  int waking_;
  std::thread thread_;
};

}  // namespace quoll::app
