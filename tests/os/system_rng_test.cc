// The generator of each thread: no two threads and no two processes may ever see the same stream.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <set>
#include <thread>
#include <vector>

#include "os/entropy.h"
#include "os/system_rng.h"

#include <doctest/doctest.h>

namespace {

using namespace quoll;
using Draw = std::array<uint8_t, 16>;

Draw draw() {
  Draw out;
  os::thread_rng().fill(out);
  return out;
}

/// The next draws of a forked child, which then ends.
std::vector<Draw> draws_of_a_child(size_t count) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    for (size_t i = 0; i < count; i++) {
      const Draw out = draw();
      if (write(ends[1], out.data(), out.size()) != static_cast<ssize_t>(out.size())) _exit(1);
    }
    _exit(0);
  }
  close(ends[1]);
  std::vector<Draw> draws(count);
  for (Draw& out : draws) REQUIRE(read(ends[0], out.data(), out.size()) == static_cast<ssize_t>(out.size()));
  close(ends[0]);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(status == 0);
  return draws;
}

/// Whether all are different, in which a stream that starts at another point of another stream fails too.
bool all_differ(const std::vector<std::vector<Draw>>& streams) {
  std::set<Draw> seen;
  for (const auto& stream : streams) {
    for (const Draw& out : stream) {
      if (!seen.insert(out).second) return false;
    }
  }
  return true;
}

std::vector<Draw> draws(size_t count) {
  std::vector<Draw> out(count);
  for (Draw& one : out) one = draw();
  return out;
}

}  // namespace

TEST_SUITE("os") {
  TEST_CASE("entropy fills every byte of a request, short, long or empty") {
    for (const size_t size : {size_t{0}, size_t{1}, size_t{256}, size_t{257}, size_t{100'000}}) {
      // A byte that stays zero in twenty requests was never written, but for a chance of 256^-20.
      std::vector<uint8_t> out(size), touched(size);
      for (int i = 0; i < 20; i++) {
        os::fill_with_entropy(out);
        for (size_t j = 0; j < size; j++) touched[j] |= out[j];
        out.assign(size, 0);
      }
      CHECK(std::set<uint8_t>(touched.begin(), touched.end()).count(0) == 0);
    }
  }

  TEST_CASE("a child forked before the first use has a stream of its own") {
    std::vector<std::vector<Draw>> streams;
    // A new thread has not used its generator yet.
    std::thread([&] {
      streams.push_back(draws_of_a_child(40));
      streams.push_back(draws_of_a_child(40));
      streams.push_back(draws(40));
    }).join();
    CHECK(all_differ(streams));
  }

  TEST_CASE("a child forked in the middle of the buffer has a stream of its own, and so has its sibling") {
    draw();
    std::vector<std::vector<Draw>> streams;
    streams.push_back(draws_of_a_child(100));
    streams.push_back(draws_of_a_child(100));
    streams.push_back(draws(100));
    CHECK(all_differ(streams));
  }

  TEST_CASE("a grandchild's stream is not its parent's") {
    draw();
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      draw();
      const pid_t grandchild = fork();
      for (int i = 0; i < 10; i++) {
        const Draw out = draw();
        if (write(ends[1], out.data(), out.size()) != static_cast<ssize_t>(out.size())) _exit(1);
      }
      if (grandchild > 0) waitpid(grandchild, nullptr, 0);
      _exit(0);
    }
    close(ends[1]);
    std::vector<Draw> both;
    for (Draw out; read(ends[0], out.data(), out.size()) == static_cast<ssize_t>(out.size());) both.push_back(out);
    close(ends[0]);
    REQUIRE(waitpid(child, nullptr, 0) == child);
    CHECK(both.size() == 20);
    CHECK(all_differ({both, draws(10)}));
  }

  TEST_CASE("threads have streams of their own") {
    std::vector<std::vector<Draw>> streams(8);
    std::vector<std::thread> threads;
    for (auto& stream : streams) threads.emplace_back([&stream] { stream = draws(100); });
    for (std::thread& thread : threads) thread.join();
    streams.push_back(draws(100));
    CHECK(all_differ(streams));
  }

  TEST_CASE("output goes on over many reseeds, in requests of every size") {
    std::vector<uint8_t> large(3'000'000);
    os::thread_rng().fill(large);
    std::vector<std::vector<Draw>> streams;
    for (int i = 0; i < 3; i++) streams.push_back(draws(70'000));  // more than a mebibyte each
    os::thread_rng().fill({});
    CHECK(all_differ(streams));
  }
}
