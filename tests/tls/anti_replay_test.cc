// The strike register (RFC 8446 §8.2), alone and against a list that remembers everything.
#include "tls/anti_replay.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <thread>
#include <vector>

#include "tests/support/random.h"

#include <doctest/doctest.h>

namespace quoll::tls {
namespace {

using tests::SeededRng;

constexpr UnixTime kStart = UnixTime::from_seconds(1'700'000'000);
constexpr Duration kWindow = Duration::seconds(10);
constexpr StrikeRegister::Options kOptions = {.window = kWindow, .entries_max = 64, .start = kStart};
constexpr UnixTime kReady = kStart + 2 * kWindow;

std::array<uint8_t, 32> binder(uint64_t number) {
  std::array<uint8_t, 32> bytes{};
  store_be(bytes.data(), number);
  return bytes;
}

TEST_SUITE("anti_replay") {
  TEST_CASE("a binder is admitted once, and others are admitted too") {
    SeededRng rng(1);
    StrikeRegister strikes(kOptions, rng);
    CHECK(strikes.admit(binder(1), kReady));
    CHECK_FALSE(strikes.admit(binder(1), kReady));
    CHECK(strikes.admit(binder(2), kReady));
    CHECK_FALSE(strikes.admit(binder(1), kReady + Duration::milliseconds(1)));
    CHECK_FALSE(strikes.admit(binder(2), kReady + kWindow));
    CHECK(strikes.window() == kWindow);
  }

  // RFC 8446 §8.2.
  TEST_CASE("nothing is admitted while a predecessor may have admitted it") {
    SeededRng rng(2);
    StrikeRegister strikes(kOptions, rng);
    CHECK_FALSE(strikes.admit(binder(1), kStart - kWindow));
    CHECK_FALSE(strikes.admit(binder(1), kStart));
    CHECK_FALSE(strikes.admit(binder(1), kReady - Duration::milliseconds(1)));
    CHECK(strikes.admit(binder(1), kReady));
  }

  TEST_CASE("a binder is remembered for two windows after any time at which it was admitted") {
    for (int64_t milliseconds = 0; milliseconds < 60'000; milliseconds += 250) {
      SeededRng rng(3);
      StrikeRegister strikes(kOptions, rng);
      REQUIRE(strikes.admit(binder(0), kReady));
      const UnixTime admitted = kReady + Duration::milliseconds(milliseconds);
      REQUIRE(strikes.admit(binder(1), admitted));
      CHECK_FALSE(strikes.admit(binder(1), admitted + kWindow));
      CHECK_FALSE(strikes.admit(binder(1), admitted + 2 * kWindow));
    }
  }

  TEST_CASE("a binder is forgotten in the end, so that the memory does not fill up") {
    SeededRng rng(4);
    StrikeRegister strikes(kOptions, rng);
    UnixTime now = kReady;
    for (uint64_t round = 0; round < 20; round++) {
      for (uint64_t i = 0; i < kOptions.entries_max; i++) REQUIRE(strikes.admit(binder(100 * round + i), now));
      now = now + 2 * kWindow + StrikeRegister::kReorderingMax;
    }
    CHECK(strikes.admit(binder(0), now));
  }

  TEST_CASE("a full register refuses until a generation has passed") {
    SeededRng rng(5);
    StrikeRegister strikes(kOptions, rng);
    for (uint64_t i = 0; i < kOptions.entries_max; i++) REQUIRE(strikes.admit(binder(i), kReady));
    CHECK_FALSE(strikes.admit(binder(1'000), kReady));
    for (uint64_t i = 0; i < kOptions.entries_max; i++) CHECK_FALSE(strikes.admit(binder(i), kReady));
    const UnixTime later = kReady + 2 * kWindow;
    CHECK(strikes.admit(binder(1'000), later));
    for (uint64_t i = 0; i < kOptions.entries_max; i++) CHECK_FALSE(strikes.admit(binder(i), later));
  }

  TEST_CASE("a register without entries, and one without a window, are of use to nobody and harm nobody") {
    SeededRng rng(6);
    StrikeRegister empty({.window = kWindow, .entries_max = 0, .start = kStart}, rng);
    CHECK_FALSE(empty.admit(binder(1), kReady));
    StrikeRegister instant({.window = Duration::seconds(-5), .entries_max = 4, .start = kStart}, rng);
    CHECK(instant.window() == Duration());
    CHECK(instant.admit(binder(1), kStart));
    CHECK_FALSE(instant.admit(binder(1), kStart));
    StrikeRegister endless({.window = Duration::infinite(), .entries_max = 4, .start = kStart}, rng);
    CHECK(endless.window() == StrikeRegister::kWindowMax);
    CHECK_FALSE(endless.admit(binder(1), kStart + StrikeRegister::kWindowMax));
    CHECK(endless.admit(binder(1), kStart + 2 * StrikeRegister::kWindowMax));
  }

  TEST_CASE("a clock that was set back is in doubt until it has caught up") {
    SeededRng rng(7);
    StrikeRegister strikes(kOptions, rng);
    const UnixTime now = kReady + Duration::seconds(1'000);
    REQUIRE(strikes.admit(binder(1), now));
    CHECK(strikes.admit(binder(2), now - StrikeRegister::kReorderingMax));  // workers' clocks differ a little
    CHECK_FALSE(strikes.admit(binder(3), now - StrikeRegister::kReorderingMax - Duration::milliseconds(1)));
    CHECK_FALSE(strikes.admit(binder(3), kReady));
    CHECK(strikes.admit(binder(3), now));
  }

  TEST_CASE("setting the clock forth and back does not make it forget what is still fresh") {
    SeededRng rng(8);
    StrikeRegister strikes(kOptions, rng);
    REQUIRE(strikes.admit(binder(1), kReady));
    REQUIRE(strikes.admit(binder(2), kReady + Duration::seconds(3'600)));
    CHECK_FALSE(strikes.admit(binder(1), kReady + kWindow));
  }

  TEST_CASE("binders of any size are told apart") {
    SeededRng rng(9);
    StrikeRegister strikes(kOptions, rng);
    const std::vector<uint8_t> zeros(48);
    CHECK(strikes.admit({}, kReady));
    CHECK(strikes.admit(Bytes(zeros).first(32), kReady));
    CHECK(strikes.admit(zeros, kReady));
    CHECK_FALSE(strikes.admit({}, kReady));
    CHECK_FALSE(strikes.admit(Bytes(zeros).first(32), kReady));
    CHECK_FALSE(strikes.admit(zeros, kReady));
  }

  TEST_CASE("against a list of all admissions: never twice while fresh, and never refused without a reason") {
    const uint64_t seed = tests::test_seed(10);
    INFO("seed " << seed);
    SeededRng rng(seed);
    constexpr size_t kRoom = 400;
    StrikeRegister strikes({.window = kWindow, .entries_max = kRoom, .start = kStart}, rng);
    std::map<uint64_t, UnixTime> admitted;  // the last time of each
    std::vector<UnixTime> admissions;
    UnixTime latest = kStart;
    size_t twice_admitted = 0, refusals = 0;
    for (int step = 0; step < 60'000; step++) {
      // Mostly small steps, now and then one of several windows; and a worker that is a little behind.
      latest = latest + Duration::milliseconds(static_cast<int64_t>(rng.below(40)));
      if (rng.below(3'000) == 0) latest = latest + Duration::milliseconds(static_cast<int64_t>(rng.below(90'000)));
      const UnixTime now =
          latest - Duration::milliseconds(static_cast<int64_t>(rng.below(4) == 0 ? rng.below(1'000) : 0));
      const uint64_t number = rng.below(2'000);
      const bool admits = strikes.admit(binder(number), now);
      const auto known = admitted.find(number);
      const Duration since = known == admitted.end() ? Duration::infinite() : now - known->second;
      if (admits) {
        REQUIRE(now >= kReady);
        REQUIRE(since > 2 * kWindow);
        twice_admitted += known != admitted.end();
        admitted[number] = now;
        admissions.push_back(now);
        continue;
      }
      // A reason is: too early, seen within the two generations, or as many admissions within one as there is room.
      const Duration slack = 2 * StrikeRegister::kReorderingMax;
      const Duration generation = 2 * kWindow + StrikeRegister::kReorderingMax;
      const auto recent =
          std::ranges::count_if(admissions, [&](UnixTime time) { return now - time <= generation + slack; });
      REQUIRE((now < kReady || since <= 2 * generation + slack || recent >= static_cast<std::ptrdiff_t>(kRoom)));
      refusals++;
    }
    CHECK(twice_admitted > 1'000);  // long after, so that forgetting is tested as well
    CHECK(refusals > 1'000);
  }

  TEST_CASE("of threads that present the same binders, one is admitted for each") {
    SeededRng rng(11);
    StrikeRegister strikes({.window = kWindow, .entries_max = 4'096, .start = kStart}, rng);
    std::atomic<size_t> admissions = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; i++) {
      threads.emplace_back([&] {
        for (uint64_t number = 0; number < 2'000; number++) admissions += strikes.admit(binder(number), kReady);
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(admissions == 2'000);
  }
}

}  // namespace
}  // namespace quoll::tls
