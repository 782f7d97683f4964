#include "base/interval_set.h"

#include <algorithm>
#include <optional>
#include <set>
#include <vector>

#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace quoll;

namespace {

using WhenFull = IntervalSet::WhenFull;

std::vector<Interval> list(const IntervalSet& set) { return {set.begin(), set.end()}; }

/// The values themselves, one by one.
struct Model {
  std::set<uint64_t> values;

  std::vector<Interval> intervals() const {
    std::vector<Interval> found;
    for (const uint64_t value : values) {
      if (!found.empty() && found.back().end == value) {
        found.back().end++;
      } else {
        found.push_back({value, value + 1});
      }
    }
    return found;
  }
  void add(Interval interval) {
    for (uint64_t value = interval.start; value < interval.end; value++) values.insert(value);
  }
  void remove(Interval interval) {
    for (uint64_t value = interval.start; value < interval.end; value++) values.erase(value);
  }

  /// Applies the policy to what an operation made of the set: the new set, or nothing if it is refused.
  std::optional<Model> limited(size_t limit, WhenFull when_full) const {
    const std::vector<Interval> found = intervals();
    if (found.size() <= limit) return *this;
    if (when_full == WhenFull::refuse) return std::nullopt;
    Model kept = *this;
    kept.remove(found.front());
    return kept;
  }
};

void check_against(const IntervalSet& set, const Model& model, tests::SeededRng& rng, uint64_t span) {
  const std::vector<Interval> expected = model.intervals();
  REQUIRE_EQ(list(set).size(), expected.size());
  REQUIRE(list(set) == expected);
  REQUIRE_LE(set.size(), set.limit());
  for (int i = 0; i < 4; i++) {
    const uint64_t value = rng.below(span + 2);
    REQUIRE_EQ(set.contains(value), model.values.contains(value));
    uint64_t missing = value;
    while (model.values.contains(missing)) missing++;
    REQUIRE_EQ(set.first_missing(value), missing);
    const auto present = model.values.lower_bound(value);
    REQUIRE_EQ(set.first_present(value), present == model.values.end() ? UINT64_MAX : *present);
    const uint64_t end = value + 1 + rng.below(5);
    REQUIRE_EQ(set.contains(Interval{value, end}), missing >= end);
  }
}

void run_random(uint64_t seed, WhenFull when_full) {
  tests::SeededRng rng(seed);
  const uint64_t span = 1 + rng.below(150);
  const size_t limit = 1 + rng.below(20);
  IntervalSet set(limit, when_full);
  Model model;
  for (int step = 0; step < 300; step++) {
    const uint64_t start = rng.below(span);
    const Interval interval{start, start + rng.below(rng.below(8) == 0 ? span : 5)};
    Model changed = model;
    switch (rng.below(6)) {
      case 0:
      case 1:
      case 2: {
        changed.add(interval);
        const std::optional<Model> kept = changed.limited(limit, when_full);
        bool all = kept.has_value();
        for (uint64_t value = interval.start; all && value < interval.end; value++) {
          all = kept->values.contains(value);
        }
        REQUIRE_EQ(set.insert(interval), all);
        if (kept) model = *kept;
        break;
      }
      case 3:
      case 4: {
        changed.remove(interval);
        const std::optional<Model> kept = changed.limited(limit, when_full);
        REQUIRE_EQ(set.erase(interval), kept.has_value());
        if (kept) model = *kept;
        break;
      }
      case 5:
        if (rng.below(8) == 0) {
          set.erase_below(start);
          model.remove({0, start});
        } else if (rng.below(8) == 0) {
          set.trim();
        } else if (rng.below(50) == 0) {
          set.clear();
          model.values.clear();
        }
        break;
    }
    check_against(set, model, rng, span);
  }
}

}  // namespace

TEST_SUITE("interval set") {
  TEST_CASE("touching and overlapping intervals become one") {
    IntervalSet set(10, WhenFull::refuse);
    CHECK(set.insert({10, 20}));
    CHECK(set.insert({30, 40}));
    CHECK(set.insert({50, 60}));
    CHECK(set.insert({20, 25}));
    CHECK(list(set) == std::vector<Interval>{{10, 25}, {30, 40}, {50, 60}});
    CHECK(set.insert({24, 55}));
    CHECK(list(set) == std::vector<Interval>{{10, 60}});
    CHECK(set.insert(9));
    CHECK(set.insert({5, 5}));  // nothing
    CHECK(list(set) == std::vector<Interval>{{9, 60}});
  }

  TEST_CASE("erasing cuts, splits and removes") {
    IntervalSet set(10, WhenFull::refuse);
    CHECK(set.insert({0, 100}));
    CHECK(set.erase({40, 60}));
    CHECK(list(set) == std::vector<Interval>{{0, 40}, {60, 100}});
    CHECK(set.erase({30, 70}));
    CHECK(list(set) == std::vector<Interval>{{0, 30}, {70, 100}});
    CHECK(set.erase({0, 30}));
    CHECK(set.erase({0, 70}));
    CHECK(list(set) == std::vector<Interval>{{70, 100}});
    set.erase_below(80);
    CHECK(list(set) == std::vector<Interval>{{80, 100}});
    set.erase_below(100);
    CHECK(set.empty());
  }

  TEST_CASE("a refusing set at its limit stays as it is") {
    IntervalSet set(2, WhenFull::refuse);
    CHECK(set.insert({10, 20}));
    CHECK(set.insert({30, 40}));
    CHECK_FALSE(set.insert({50, 60}));
    CHECK_FALSE(set.insert({0, 5}));
    CHECK_FALSE(set.erase({12, 14}));
    CHECK(list(set) == std::vector<Interval>{{10, 20}, {30, 40}});
    CHECK(set.insert({40, 60}));  // makes none more
    CHECK(set.insert({15, 35}));
    CHECK(set.insert({0, 5}));
    CHECK(list(set) == std::vector<Interval>{{0, 5}, {10, 60}});
  }

  TEST_CASE("a forgetting set at its limit loses its lowest interval") {
    IntervalSet set(2, WhenFull::forget_lowest);
    CHECK(set.insert({10, 20}));
    CHECK(set.insert({30, 40}));
    CHECK_FALSE(set.insert({0, 5}));  // itself the lowest
    CHECK(list(set) == std::vector<Interval>{{10, 20}, {30, 40}});
    CHECK(set.insert({50, 60}));
    CHECK(list(set) == std::vector<Interval>{{30, 40}, {50, 60}});
    CHECK(set.insert({45, 46}));
    CHECK(list(set) == std::vector<Interval>{{45, 46}, {50, 60}});
    CHECK(set.erase({52, 54}));
    CHECK(list(set) == std::vector<Interval>{{50, 52}, {54, 60}});
    CHECK(set.erase({51, 52}));
    CHECK(set.insert({40, 51}));
    CHECK(set.erase({45, 46}));  // the left piece is the lowest
    CHECK(list(set) == std::vector<Interval>{{46, 51}, {54, 60}});
  }

  TEST_CASE("the gaps of an interval are walked with first_missing and first_present") {
    IntervalSet set(10, WhenFull::refuse);
    CHECK(set.insert({5, 10}));
    CHECK(set.insert({20, 25}));
    std::vector<Interval> gaps;
    for (uint64_t at = set.first_missing(0); at < 30;) {
      const uint64_t end = std::min<uint64_t>(set.first_present(at), 30);
      gaps.push_back({at, end});
      at = set.first_missing(end);
    }
    CHECK(gaps == std::vector<Interval>{{0, 5}, {10, 20}, {25, 30}});
    CHECK_EQ(IntervalSet(1, WhenFull::refuse).first_present(0), UINT64_MAX);
  }

  TEST_CASE("the ends of the number range work") {
    IntervalSet set(4, WhenFull::refuse);
    CHECK(set.insert({UINT64_MAX - 1, UINT64_MAX}));
    CHECK(set.insert({0, 1}));
    CHECK(set.contains(0));
    CHECK(set.contains(UINT64_MAX - 1));
    CHECK_FALSE(set.contains(UINT64_MAX));
    CHECK_EQ(set.first_missing(UINT64_MAX - 1), UINT64_MAX);
    CHECK_EQ(set.first_present(UINT64_MAX), UINT64_MAX);
    CHECK(set.insert({0, UINT64_MAX}));
    CHECK_EQ(set.size(), 1);
    CHECK(set.erase({0, UINT64_MAX}));
    CHECK(set.empty());
  }

  TEST_CASE("subtracting removes all that the other set holds, as far as the limit lets it") {
    IntervalSet set(3, WhenFull::refuse), other(10, WhenFull::refuse);
    CHECK(set.insert({0, 100}));
    CHECK(other.insert({10, 20}));
    CHECK(other.insert({90, 200}));
    CHECK(set.subtract(other));
    CHECK(list(set) == std::vector<Interval>{{0, 10}, {20, 90}});
    other.clear();
    CHECK(other.insert({2, 3}));
    CHECK(other.insert({5, 6}));  // one too many
    CHECK(other.insert({80, 95}));
    CHECK_FALSE(set.subtract(other));
    CHECK(list(set) == std::vector<Interval>{{0, 2}, {3, 10}, {20, 80}});
  }

  TEST_CASE("random operations agree with a set of single values") {
    const uint64_t seed = tests::test_seed(7);
    INFO("seed ", seed);
    for (uint64_t run = 0; run < 100; run++) {
      CAPTURE(run);
      run_random(seed + run, WhenFull::refuse);
      run_random(seed + run, WhenFull::forget_lowest);
    }
  }
}
