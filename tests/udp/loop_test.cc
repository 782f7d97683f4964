#include "udp/loop.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include "tests/support/heap.h"
#include "tests/udp/loopback.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::tests;
using udp::Loop;

TEST_SUITE_BEGIN("udp loop");

namespace {

constexpr Loop::Backend kBackends[] = {Loop::Backend::best, Loop::Backend::poll};

Loop make_loop(Loop::Backend backend) {
  auto loop = Loop::create(backend);
  if (!loop) std::abort();
  return *std::move(loop);
}

Instant in(Duration time) { return udp::now() + time; }
const Duration kLong = Duration::seconds(30);

struct Pipe {
  Pipe() {
    if (pipe(ends) != 0) std::abort();
  }
  ~Pipe() {
    for (const int end : ends) close(end);
  }
  void write_some() { (void)!write(ends[1], "x", 1); }
  int ends[2];
};

std::atomic<Loop*> woken_by_signal = nullptr;

}  // namespace

TEST_CASE("what is readable is told by its key, until it is read or forgotten") {
  for (const Loop::Backend backend : kBackends) {
    Loop loop = make_loop(backend);
    Pipe one, two;
    REQUIRE(loop.watch(one.ends[0], UINT64_MAX, true, false));
    REQUIRE(loop.watch(two.ends[0], 0, true, false));
    CHECK(loop.wait(udp::now()).empty());
    one.write_some();
    for (int i = 0; i < 3; i++) {
      const auto ready = loop.wait(in(kLong));
      REQUIRE(ready.size() == 1);
      CHECK(ready[0].key == UINT64_MAX);
      CHECK(ready[0].readable);
      CHECK_FALSE(ready[0].writable);
    }
    two.write_some();
    CHECK(loop.wait(in(kLong)).size() == 2);
    loop.forget(one.ends[0]);
    REQUIRE(loop.wait(in(kLong)).size() == 1);
    CHECK(loop.wait(in(kLong))[0].key == 0);
    loop.forget(two.ends[0]);
    loop.forget(two.ends[0]);
    loop.forget(1000);
    CHECK(loop.wait(udp::now()).empty());
  }
}

TEST_CASE("what is watched for can be changed, with the key") {
  for (const Loop::Backend backend : kBackends) {
    Loop loop = make_loop(backend);
    udp::Socket socket = bind_socket("127.0.0.1:0");
    REQUIRE(loop.watch(socket.fd(), 1, true, false));
    CHECK(loop.wait(udp::now()).empty());
    REQUIRE(loop.watch(socket.fd(), 2, true, true));
    const auto ready = loop.wait(in(kLong));
    REQUIRE(ready.size() == 1);
    CHECK(ready[0].key == 2);
    CHECK(ready[0].writable);
    CHECK_FALSE(ready[0].readable);
    (void)socket.send(to(socket, socket.local_address(), pattern(1)));
    REQUIRE(loop.watch(socket.fd(), 2, false, false));
    CHECK(loop.wait(udp::now()).empty());
    REQUIRE(loop.watch(socket.fd(), 3, true, false));
    REQUIRE(loop.wait(in(kLong)).size() == 1);
    CHECK(loop.wait(in(kLong))[0].readable);
  }
}

TEST_CASE("a deadline has passed when a wait ends by it, and not by far") {
  for (const Loop::Backend backend : kBackends) {
    Loop loop = make_loop(backend);
    Duration least_late = Duration::infinite();
    for (const int64_t microseconds : {1, 100, 999, 1001, 3500}) {
      const Instant deadline = in(Duration::microseconds(microseconds));
      CHECK(loop.wait(deadline).empty());
      CHECK(udp::now() >= deadline);
      least_late = std::min(least_late, udp::now() - deadline);
    }
    CHECK(least_late < Duration::milliseconds(50));  // the machine may be busy
    CHECK(loop.wait(Instant()).empty());             // long past
  }
}

TEST_CASE("another thread ends a wait, and one that is yet to come") {
  for (const Loop::Backend backend : kBackends) {
    Loop loop = make_loop(backend);
    int told = 0;  // plain: wake() publishes it
    std::thread thread([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      told = 42;
      loop.wake();
    });
    CHECK(loop.wait(Instant::never()).empty());
    CHECK(told == 42);
    thread.join();
    for (int i = 0; i < 5; i++) loop.wake();
    CHECK(loop.wait(Instant::never()).empty());
    const Instant deadline = in(Duration::milliseconds(2));
    CHECK(loop.wait(deadline).empty());  // the five count once
    CHECK(udp::now() >= deadline);
  }
}

TEST_CASE("no wake-up is lost among many threads") {
  for (const Loop::Backend backend : kBackends) {
    Loop loop = make_loop(backend);
    constexpr uint64_t kEach = 2000;
    std::atomic<uint64_t> work = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; i++) {
      threads.emplace_back([&] {
        for (uint64_t k = 0; k < kEach; k++) {
          work.fetch_add(1, std::memory_order_relaxed);
          loop.wake();
        }
      });
    }
    uint64_t seen = 0;
    const Instant end = in(kLong);
    while (seen < 4 * kEach && udp::now() < end) {
      (void)loop.wait(end);
      seen = work.load(std::memory_order_relaxed);
    }
    CHECK(seen == 4 * kEach);
    CHECK(udp::now() < end);
    for (std::thread& thread : threads) thread.join();
  }
}

TEST_CASE("a signal handler ends a wait") {
  for (const Loop::Backend backend : kBackends) {
    Loop loop = make_loop(backend);
    woken_by_signal = &loop;
    struct sigaction action{}, before{};
    action.sa_handler = [](int) { woken_by_signal.load()->wake(); };
    REQUIRE(sigaction(SIGUSR1, &action, &before) == 0);
    REQUIRE(raise(SIGUSR1) == 0);  // before the wait: the wake-up stays
    CHECK(loop.wait(Instant::never()).empty());
    const pthread_t self = pthread_self();
    std::thread thread([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      (void)pthread_kill(self, SIGUSR1);
    });
    (void)loop.wait(Instant::never());
    thread.join();
    REQUIRE(sigaction(SIGUSR1, &before, nullptr) == 0);
  }
}

TEST_CASE("a descriptor with an error is ready, and one that cannot be watched is refused") {
  for (const Loop::Backend backend : kBackends) {
    Loop loop = make_loop(backend);
    Pipe pipe;
    REQUIRE(loop.watch(pipe.ends[0], 7, true, false));
    close(pipe.ends[1]);
    const auto ready = loop.wait(in(kLong));
    REQUIRE(ready.size() == 1);
    CHECK(ready[0].readable);
    loop.forget(pipe.ends[0]);
    pipe.ends[1] = dup(pipe.ends[0]);
    const auto refused = loop.watch(-1, 1, true, false);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().domain == ErrorDomain::system);
    CHECK(refused.error().code == EBADF);
  }
}

TEST_CASE("many descriptors are all told, over several waits if need be, and nothing is allocated once warm") {
  for (const Loop::Backend backend : kBackends) {
    Loop loop = make_loop(backend);
    std::vector<Pipe> pipes(200);
    for (size_t i = 0; i < pipes.size(); i++) {
      REQUIRE(loop.watch(pipes[i].ends[0], i, true, false));
      pipes[i].write_some();
    }
    std::vector<bool> seen(pipes.size(), false);
    const auto drain = [&] {
      size_t count = 0;
      for (const Loop::Ready& ready : loop.wait(udp::now())) {
        char byte;
        (void)!read(pipes[ready.key].ends[0], &byte, 1);
        seen[ready.key] = true;
        count++;
      }
      return count;
    };
    while (drain() != 0) continue;
    CHECK(std::ranges::count(seen, true) == 200);
    for (int round = 0; round < 2; round++) {
      const size_t before = heap_allocations();
      for (Pipe& pipe : pipes) pipe.write_some();
      while (drain() != 0) continue;
      if (round == 1) CHECK(heap_allocations() == before);
    }
  }
}

TEST_CASE("a loop can be moved") {
  Loop first = make_loop(Loop::Backend::best);
  Pipe pipe;
  REQUIRE(first.watch(pipe.ends[0], 5, true, false));
  Loop second = std::move(first);
  pipe.write_some();
  CHECK(second.wait(in(kLong)).size() == 1);
}

TEST_SUITE_END();
