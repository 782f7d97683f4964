// SIGINT, SIGTERM and SIGHUP for a program that wants to end in order: a thread waits for them, so that no code of ours runs
// in a signal handler. The first one calls back; a second one, or a second of time, ends the process by that signal.
#pragma once

#include <signal.h>

#include <atomic>
#include <functional>
#include <thread>

namespace quoll::app {

class InterruptWatch {
 public:
  /// Before the program starts other threads. `on_interrupt` is called by the thread.
  explicit InterruptWatch(std::function<void()> on_interrupt);
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;
  ~InterruptWatch();

  /// The signal that came; 0: none.
  int signal() const { return signal_.load(); }
  /// Ends the process by the signal that came, so that whoever started it sees that. Nothing when none came.
  void end_process() const;

 private:
  void run();

  std::function<void()> on_interrupt_;
  sigset_t signals_;
  sigset_t before_;
  std::atomic<int> signal_ = 0;
  std::atomic<bool> ending_ = false;
  std::thread thread_;
};

}  // namespace quoll::app
