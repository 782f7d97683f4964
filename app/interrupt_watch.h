// SIGINT, SIGTERM and SIGHUP for a program that wants to end in order. The first one calls back, from a thread of its own; a
// second one, or a second of time, ends the process by that signal.
#pragma once

#include <atomic>
#include <functional>

#include "app/signals.h"

namespace quoll::app {

class InterruptWatch {
 public:
  /// Before the program starts other threads. `on_interrupt` is called by the thread.
  explicit InterruptWatch(std::function<void()> on_interrupt);
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;

  /// The signal that came; 0: none.
  int signal() const { return signal_.load(); }
  /// Ends the process by the signal that came, so that whoever started it sees that. Nothing when none came.
  void end_process() const;

 private:
  void take(int number);

  std::function<void()> on_interrupt_;
  std::atomic<int> signal_ = 0;
  SignalThread thread_;  // last: it uses what stands above
};

}  // namespace quoll::app
