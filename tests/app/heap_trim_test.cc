#include "app/heap_trim.h"

#include <doctest/doctest.h>

namespace quoll::app {

TEST_SUITE("app/heap_trim") {
  TEST_CASE("memory is given back once after each rush") {
    TrimPolicy policy;
    CHECK_FALSE(policy.is_due({0, 0}));
    CHECK_FALSE(policy.is_due({99, 5}));
    CHECK_FALSE(policy.is_due({99, 5}));
    CHECK_FALSE(policy.is_due({1000, 5}));
    CHECK_FALSE(policy.is_due({1000, 6}));
    CHECK(policy.is_due({1000, 6}));
    CHECK_FALSE(policy.is_due({1000, 6}));
    CHECK_FALSE(policy.is_due({1099, 6}));
    CHECK_FALSE(policy.is_due({1099, 6}));
    CHECK_FALSE(policy.is_due({1100, 6}));
    CHECK(policy.is_due({1100, 6}));
  }

  TEST_CASE("it ends at once") {
    const HeapTrimmer trimmer([] { return Activity(); });
  }
}

}  // namespace quoll::app
