#include "base/shrink.h"

#include <memory>
#include <vector>

#include <doctest/doctest.h>

using namespace quoll;

TEST_SUITE("shrink") {
  TEST_CASE("a vector keeps its elements and no room beside them") {
    std::vector<std::unique_ptr<int>> numbers;
    for (int i = 0; i < 100; i++) numbers.push_back(std::make_unique<int>(i));
    numbers.resize(3);
    shrink(numbers);
    CHECK_EQ(numbers.capacity(), 3);
    REQUIRE_EQ(numbers.size(), 3);
    for (int i = 0; i < 3; i++) CHECK_EQ(*numbers[static_cast<size_t>(i)], i);

    numbers.clear();
    shrink(numbers);
    CHECK_EQ(numbers.capacity(), 0);
  }
}
