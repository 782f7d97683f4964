#include "qpack/static_table.h"

#include <doctest/doctest.h>

using namespace quoll::qpack;

// RFC 9204 appendix A.
TEST_CASE("the static table has 99 entries, and every one is found") {
  for (uint64_t index = 0; index < kStaticEntries; index++) {
    const StaticEntry* entry = static_entry(index);
    REQUIRE(entry);
    const auto match = find_static(entry->name, entry->value);
    REQUIRE(match);
    CHECK(match->exact_index == index);
    CHECK(static_entry(match->name_index)->name == entry->name);
    CHECK(match->name_index <= index);
  }
  CHECK(static_entry(kStaticEntries) == nullptr);
  CHECK(static_entry(UINT64_MAX) == nullptr);
  CHECK(static_entry(98)->name == "x-frame-options");
  CHECK(static_entry(98)->value == "sameorigin");
}

TEST_CASE("names are found with other values, and nothing else is") {
  CHECK(find_static(":status", "418")->name_index == 24);
  CHECK_FALSE(find_static(":status", "418")->exact_index);
  CHECK(find_static(":status", "500")->exact_index == 71);
  CHECK_FALSE(find_static("", ""));
  CHECK_FALSE(find_static(":statu", ""));
  CHECK_FALSE(find_static("Content-Type", "text/css"));
}
