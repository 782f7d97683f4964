#include "app/interrupt_watch.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <utility>
#include <vector>

namespace quoll::app {
namespace {

constexpr unsigned kGraceSeconds = 1;

/// SIGALRM says that the grace is over. What the program was started to ignore (nohup) stays ignored.
std::vector<int> signals_to_watch() {
  std::vector<int> signals = {SIGALRM};
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction action{};
    sigaction(number, nullptr, &action);
    if (action.sa_handler != SIG_IGN) signals.push_back(number);
  }
  SignalThread::block(signals);
  return signals;
}

void end_by(int number) {
  ::signal(number, SIG_DFL);
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, number);
  pthread_sigmask(SIG_UNBLOCK, &one, nullptr);
  raise(number);
}

}  // namespace

InterruptWatch::InterruptWatch(std::function<void()> on_interrupt)
    : on_interrupt_(std::move(on_interrupt)), thread_(signals_to_watch(), [this](int number) { take(number); }) {}

/// By the signal thread.
void InterruptWatch::take(int number) {
  if (signal_ != 0) return end_by(signal_);
  if (number == SIGALRM) return;  // nobody here has asked for it
  signal_ = number;
  alarm(kGraceSeconds);
  on_interrupt_();
}

void InterruptWatch::end_process() const {
  if (signal_ != 0) end_by(signal_);
}

}  // namespace quoll::app
