#include "base/ring.h"

#include <deque>
#include <memory>
#include <string>

#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace quoll;

namespace {

template <class T>
T made_of(uint64_t number) {
  if constexpr (std::is_same_v<T, uint64_t>) return number;
  if constexpr (std::is_same_v<T, std::unique_ptr<uint64_t>>) return std::make_unique<uint64_t>(number);
}
uint64_t value_of(uint64_t element) { return element; }
uint64_t value_of(const std::unique_ptr<uint64_t>& element) { return *element; }

}  // namespace

TEST_SUITE("ring") {
  TEST_CASE("elements are found by their number until they are popped") {
    Ring<std::string> ring(100);
    CHECK_EQ(ring.find(0), nullptr);
    for (int i = 0; i < 20; i++) REQUIRE(ring.emplace(std::to_string(i)));
    CHECK_EQ(ring.first(), 0);
    CHECK_EQ(ring.next(), 20);
    for (int i = 0; i < 5; i++) ring.pop();
    CHECK_EQ(ring.find(4), nullptr);
    CHECK_EQ(*ring.find(5), "5");
    CHECK_EQ(ring[19], "19");
    CHECK_EQ(ring.find(20), nullptr);
    CHECK_EQ(ring.find(UINT64_MAX), nullptr);
    CHECK_EQ(ring.front(), "5");
    CHECK_EQ(ring.back(), "19");
    ring.clear();
    CHECK(ring.empty());
    CHECK_EQ(ring.first(), 20);
  }

  TEST_CASE("an element beyond the limit is refused, whatever the limit is") {
    for (const size_t limit : {0u, 1u, 7u, 8u, 9u, 16u}) {
      CAPTURE(limit);
      Ring<int> ring(limit);
      for (size_t i = 0; i < limit; i++) CHECK(ring.emplace(1));
      CHECK_FALSE(ring.emplace(2));
      CHECK_EQ(ring.size(), limit);
      if (limit == 0) continue;
      ring.pop();
      CHECK(ring.emplace(3));
      CHECK_FALSE(ring.emplace(4));
    }
  }

  TEST_CASE("an element may be made from another one while the ring grows") {
    Ring<std::string> ring(100);
    REQUIRE(ring.emplace("a text too long to be stored inside the string itself"));
    while (ring.size() < 50) REQUIRE(ring.emplace(ring.front()));
    CHECK_EQ(ring.back(), ring.front());
  }

  TEST_CASE("memory follows the elements when trimmed, and not before") {
    Ring<int> ring(1000);
    CHECK_EQ(ring.capacity(), 0);
    for (int i = 0; i < 100; i++) CHECK(ring.emplace(i));
    CHECK_EQ(ring.capacity(), 128);
    while (ring.size() > 3) ring.pop();
    CHECK_EQ(ring.capacity(), 128);
    ring.trim();
    CHECK_EQ(ring.capacity(), 4);
    CHECK_EQ(ring[97], 97);
    CHECK_EQ(ring[99], 99);
    CHECK(ring.emplace(100));
    CHECK(ring.emplace(101));
    CHECK_EQ(ring.capacity(), 8);
    CHECK_EQ(ring[101], 101);
    ring.clear();
    ring.trim();
    CHECK_EQ(ring.capacity(), 0);
  }

  TEST_CASE_TEMPLATE("random operations agree with a deque", T, uint64_t, std::unique_ptr<uint64_t>) {
    const uint64_t seed = tests::test_seed(4);
    INFO("seed ", seed);
    tests::SeededRng rng(seed);
    const size_t limit = 1 + rng.below(200);
    Ring<T> ring(limit);
    std::deque<uint64_t> model;
    uint64_t first = 0;
    bool growing = true;
    for (int step = 0; step < 20000; step++) {
      if (rng.below(500) == 0) growing = !growing;
      const uint64_t choice = rng.below(100);
      if (choice < (growing ? 60u : 40u)) {
        const uint64_t value = rng.next_u64();
        REQUIRE_EQ(ring.emplace(made_of<T>(value)) != nullptr, model.size() < limit);
        if (model.size() < limit) model.push_back(value);
      } else if (choice < 98 && !model.empty()) {
        ring.pop();
        model.pop_front();
        first++;
      } else if (choice == 98) {
        ring.trim();
        REQUIRE_LT(ring.capacity(), 2 * model.size() + 1);
      } else if (choice == 99 && rng.below(20) == 0) {
        ring.clear();
        first += model.size();
        model.clear();
      }
      REQUIRE_EQ(ring.size(), model.size());
      REQUIRE_EQ(ring.first(), first);
      REQUIRE_EQ(ring.next(), first + model.size());
      for (size_t i = 0; i < model.size(); i += 1 + rng.below(4)) REQUIRE_EQ(value_of(ring[first + i]), model[i]);
      REQUIRE_EQ(ring.find(first - 1), nullptr);
      REQUIRE_EQ(ring.find(ring.next()), nullptr);
      if (model.empty()) continue;
      REQUIRE_EQ(value_of(ring.front()), model.front());
      REQUIRE_EQ(value_of(*ring.find(ring.next() - 1)), model.back());
    }
  }
}
