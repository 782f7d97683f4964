// Callback: a function that its owner calls again and again, and that may replace or clear itself while it runs. A call
// that finds no function is remembered, since such news is told once: who sets one later learns that it was missed.
#pragma once

#include <functional>
#include <utility>

namespace quoll::web {

class Callback {
 public:
  /// True: it was called while there was none.
  bool set(std::function<void()> function) {
    function_ = std::move(function);
    replaced_ = true;
    return function_ && std::exchange(missed_, false);
  }
  /// There is one, perhaps at work.
  explicit operator bool() const { return function_ || (running_ && !replaced_); }

  void operator()() {
    missed_ = !function_;
    if (missed_) return;
    std::function<void()> running = std::exchange(function_, nullptr);
    replaced_ = false;
    running_ = true;
    running();
    running_ = false;
    if (!replaced_) function_ = std::move(running);
  }

 private:
  std::function<void()> function_;
  bool running_ = false;
  bool replaced_ = false;
  bool missed_ = false;
};

}  // namespace quoll::web
