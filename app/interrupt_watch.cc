#include "app/interrupt_watch.h"

#include <pthread.h>
#include <time.h>

#include <utility>

namespace quoll::app {
namespace {

constexpr timespec kGrace = {.tv_sec = 1, .tv_nsec = 0};

void end_by(int number) {
  ::signal(number, SIG_DFL);
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, number);
  pthread_sigmask(SIG_UNBLOCK, &one, nullptr);
  raise(number);
}

}  // namespace

InterruptWatch::InterruptWatch(std::function<void()> on_interrupt) : on_interrupt_(std::move(on_interrupt)) {
  sigemptyset(&signals_);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction action{};
    sigaction(number, nullptr, &action);
    // What the program was started to ignore (nohup) stays ignored; a wait for it would see it.
    if (action.sa_handler != SIG_IGN) sigaddset(&signals_, number);
  }
  sigaddset(&signals_, SIGUSR2);  // ends the thread
  pthread_sigmask(SIG_BLOCK, &signals_, &before_);
  thread_ = std::thread([this] { run(); });
}

InterruptWatch::~InterruptWatch() {
  ending_ = true;
  pthread_kill(thread_.native_handle(), SIGUSR2);
  thread_.join();
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void InterruptWatch::run() {
  int number = 0;
  while (sigwait(&signals_, &number) != 0 || (number == SIGUSR2 && !ending_)) {
  }
  if (ending_) return;
  signal_ = number;
  on_interrupt_();
  do {
    number = sigtimedwait(&signals_, nullptr, &kGrace);
  } while (number == SIGUSR2 && !ending_);
  if (!ending_) end_by(signal_);
}

void InterruptWatch::end_process() const {
  if (signal_ != 0) end_by(signal_);
}

}  // namespace quoll::app
