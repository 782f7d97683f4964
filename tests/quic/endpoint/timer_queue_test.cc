#include "quic/endpoint/timer_queue.h"

#include <map>
#include <memory>
#include <set>

#include "tests/quic/endpoint/support.h"
#include "tests/support/heap.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;
using tests::at_ms;

namespace {

struct Element : TimerHook {
  int name = 0;
};

}  // namespace

TEST_SUITE("quic timer queue") {
  TEST_CASE("the earliest timer comes first, and only when it is due") {
    Element a, b, c;
    TimerQueue<Element> queue;
    CHECK(queue.next().is_never());
    queue.set(a, at_ms(30));
    queue.set(b, at_ms(10));
    queue.set(c, at_ms(20));
    CHECK_EQ(queue.next(), at_ms(10));
    CHECK(queue.pop(at_ms(9)) == nullptr);
    CHECK(queue.pop(at_ms(25)) == &b);
    CHECK(queue.pop(at_ms(25)) == &c);
    CHECK(queue.pop(at_ms(25)) == nullptr);
    CHECK(a.has_timer());
    CHECK_FALSE(b.has_timer());
    queue.remove(a);
  }

  TEST_CASE("a timer is moved, and removed by never") {
    Element a, b;
    TimerQueue<Element> queue;
    queue.set(a, at_ms(10));
    queue.set(b, at_ms(20));
    queue.set(a, at_ms(30));
    CHECK_EQ(queue.next(), at_ms(20));
    queue.set(b, Instant::never());
    CHECK_EQ(queue.next(), at_ms(30));
    CHECK_EQ(queue.at(a), at_ms(30));
    CHECK(queue.at(b).is_never());
    queue.remove(b);
    queue.remove(a);
    CHECK(queue.empty());
  }

  TEST_CASE("it does what a sorted map does") {
    const uint64_t seed = tests::test_seed(7);
    INFO("seed " << seed);
    tests::SeededRng rng(seed);
    std::vector<std::unique_ptr<Element>> elements;
    for (int i = 0; i < 100; i++) elements.push_back(std::make_unique<Element>());
    TimerQueue<Element> queue;
    std::map<Element*, Instant> model;
    int64_t now = 0;
    for (int step = 0; step < 20'000; step++) {
      Element* element = elements[rng.below(elements.size())].get();
      const uint64_t choice = rng.below(10);
      if (choice < 6) {
        const Instant when = at_ms(now + static_cast<int64_t>(rng.below(50)));
        queue.set(*element, when);
        model[element] = when;
      } else if (choice < 8) {
        queue.remove(*element);
        model.erase(element);
      } else {
        now += static_cast<int64_t>(rng.below(10));
        while (Element* due = queue.pop(at_ms(now))) {
          REQUIRE(model.contains(due));
          for (const auto& [each, when] : model) CHECK(model[due] <= when);
          CHECK(model[due] <= at_ms(now));
          model.erase(due);
        }
      }
      queue.check_invariants();
      REQUIRE_EQ(queue.size(), model.size());
      Instant earliest = Instant::never();
      for (const auto& [each, when] : model) earliest = std::min(earliest, when);
      REQUIRE_EQ(queue.next(), earliest);
    }
  }

  TEST_CASE("nothing is allocated to set a timer anew") {
    std::vector<std::unique_ptr<Element>> elements;
    for (int i = 0; i < 100; i++) elements.push_back(std::make_unique<Element>());
    TimerQueue<Element> queue;
    for (auto& element : elements) queue.set(*element, at_ms(5));
    const size_t before = tests::heap_allocations();
    for (int round = 0; round < 10; round++) {
      for (auto& element : elements) queue.set(*element, at_ms(round * 7 % 5));
      for (auto& element : elements) queue.remove(*element);
      for (auto& element : elements) queue.set(*element, at_ms(round));
    }
    CHECK_EQ(tests::heap_allocations(), before);
  }

  TEST_CASE("a queue that goes leaves its elements without timers") {
    Element a;
    {
      TimerQueue<Element> queue;
      queue.set(a, at_ms(1));
    }
    CHECK_FALSE(a.has_timer());
  }
}
