#include "qpack/dynamic_table.h"

#include <deque>
#include <string>
#include <utility>

#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::qpack;

// RFC 9204 §3.2.2: entries are evicted from the end until the new one fits.
TEST_CASE("the dynamic table evicts the oldest entries for a new one") {
  DynamicTable table(100);
  CHECK_FALSE(table.insert("a", "b"));  // §3.2.2: the capacity is zero at first
  table.set_capacity(100);
  CHECK(table.insert("a", "1"));
  CHECK(table.insert("b", "2"));
  CHECK(table.size() == 68);
  CHECK(table.insert("c", "3"));
  CHECK(table.first() == 1);
  CHECK_FALSE(table.find(0));
  CHECK(table.find(2)->name == "c");
  CHECK_FALSE(table.insert("d", std::string(68, 'x')));
  CHECK(table.size() == 68);
  CHECK(table.insert("d", std::string(67, 'x')));
  CHECK(table.size() == 100);
  CHECK(table.first() == 3);
  table.set_capacity(99);
  CHECK(table.size() == 0);
  CHECK(table.insert_count() == 4);
}

// RFC 9204 §3.2.2: a new entry may take the name of an entry that it evicts.
TEST_CASE("an entry takes its name from, or is a copy of, an entry that it evicts") {
  DynamicTable table(100);
  table.set_capacity(100);
  CHECK(table.insert("long-name", std::string(50, 'v')));
  CHECK(table.insert(table.find(0)->name, std::string(55, 'w')));
  CHECK(table.first() == 1);
  CHECK(table.find(1)->name == "long-name");
  CHECK(table.find(1)->value == std::string(55, 'w'));
  table.duplicate(1);
  CHECK(table.first() == 2);
  CHECK(table.find(2)->name == "long-name");
  CHECK(table.find(2)->value == std::string(55, 'w'));
}

TEST_CASE("the dynamic table does what a list of pairs does") {
  const uint64_t seed = quoll::tests::test_seed(3);
  INFO("QUOLL_TEST_SEED=", seed);
  quoll::tests::SeededRng rng(seed);
  for (const uint64_t maximum : {40u, 64u, 200u, 1000u, 5000u}) {
    DynamicTable table(maximum);
    table.set_capacity(maximum);
    std::deque<std::pair<std::string, std::string>> model;
    uint64_t size = 0, dropped = 0, capacity = maximum;
    const auto evict_to = [&](uint64_t left) {
      while (size > left) {
        size -= entry_size(model.front().first, model.front().second);
        model.pop_front();
        dropped++;
      }
    };
    for (int step = 0; step < 4000; step++) {
      const std::vector<uint8_t> dice = rng.bytes(4);
      if (dice[0] == 0) {
        capacity = dice[1] * maximum / 255;
        table.set_capacity(capacity);
        evict_to(capacity);
      } else if (dice[0] < 60 && !model.empty()) {
        const size_t at = dice[1] % model.size();
        const auto copy = model[at];
        table.duplicate(dropped + at);
        evict_to(capacity - entry_size(copy.first, copy.second));
        model.push_back(copy);
        size += entry_size(copy.first, copy.second);
      } else {
        const bool own_name = dice[0] < 120 && !model.empty();
        const size_t at = own_name ? dice[1] % model.size() : 0;
        const std::string name = own_name ? model[at].first : std::string(dice[1] % 20, static_cast<char>(dice[2]));
        const std::string value(dice[0] == 255 ? dice[3] * 8u : dice[3] % 60, static_cast<char>(dice[3]));
        const bool fits = entry_size(name, value) <= capacity;
        CHECK(table.insert(own_name ? table.find(dropped + at)->name : std::string_view(name), value) == fits);
        if (fits) {
          evict_to(capacity - entry_size(name, value));
          model.emplace_back(name, value);
          size += entry_size(name, value);
        }
      }
      REQUIRE(table.size() == size);
      REQUIRE(table.first() == dropped);
      REQUIRE(table.insert_count() == dropped + model.size());
      for (size_t i = 0; i < model.size(); i++) {
        REQUIRE(table.find(dropped + i)->name == model[i].first);
        REQUIRE(table.find(dropped + i)->value == model[i].second);
      }
      table.check_invariants();
    }
  }
}
