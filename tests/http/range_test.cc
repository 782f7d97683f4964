// Range and Content-Range.
#include <algorithm>
#include <random>
#include <string>

#include "http/range.h"

#include <doctest/doctest.h>

namespace quoll::http {
namespace {

using Ranges = std::vector<ByteRange>;

Ranges partial(std::string_view field, uint64_t size) {
  const SelectedRanges selected = select_ranges(field, size);
  REQUIRE_MESSAGE(selected.verdict == RangeVerdict::partial, field);
  return selected.ranges;
}

RangeVerdict verdict(std::string_view field, uint64_t size = 10'000) { return select_ranges(field, size).verdict; }

}  // namespace

// RFC 9110 §14.1.2: the examples.
TEST_CASE("ranges of bytes are read as the RFC's examples are") {
  CHECK(partial("bytes=0-499", 10'000) == Ranges{{0, 500}});
  CHECK(partial("bytes=500-999", 10'000) == Ranges{{500, 500}});
  CHECK(partial("bytes=-500", 10'000) == Ranges{{9500, 500}});
  CHECK(partial("bytes=9500-", 10'000) == Ranges{{9500, 500}});
  CHECK(partial("bytes=0-0,-1", 10'000) == Ranges{{0, 1}, {9999, 1}});
  CHECK(partial("bytes= 0-999, 4500-5499, -1000", 10'000) == Ranges{{0, 1000}, {4500, 1000}, {9000, 1000}});
  CHECK(partial("bytes=500-600,601-999", 10'000) == Ranges{{500, 500}});
  CHECK(partial("bytes=500-700,601-999", 10'000) == Ranges{{500, 500}});
}

// RFC 9110 §14.1.2: last-pos beyond the end is the end, and a suffix longer than all is all.
TEST_CASE("ranges end where the representation ends") {
  CHECK(partial("bytes=9999-20000", 10'000) == Ranges{{9999, 1}});
  CHECK(partial("bytes=-20000", 10'000) == Ranges{{0, 10'000}});
  CHECK(partial("bytes=0-", 1) == Ranges{{0, 1}});
}

// RFC 9110 §14.1.2: recipients anticipate large numerals.
TEST_CASE("numbers that no integer holds are the largest") {
  const std::string huge(400, '9');
  CHECK(partial("bytes=5-" + huge, 10) == Ranges{{5, 5}});
  CHECK(partial("bytes=-" + huge, 10) == Ranges{{0, 10}});
  CHECK(verdict("bytes=" + huge + "-", 10) == RangeVerdict::unsatisfiable);
  CHECK(verdict("bytes=" + huge + "-5", 10) == RangeVerdict::whole);
  CHECK(partial("bytes=18446744073709551614-18446744073709551615", UINT64_MAX) == Ranges{{UINT64_MAX - 1, 1}});
  CHECK(partial("bytes=0-18446744073709551615", UINT64_MAX) == Ranges{{0, UINT64_MAX}});
}

// RFC 9110 §14.1.1, §14.2: an invalid ranges-specifier, and a unit that is not understood, are ignored.
TEST_CASE("what is malformed or in another unit is ignored") {
  for (const char* const field :
       {"",          "bytes",       "bytes=",    "bytes=,",    "bytes=-",     "bytes=a-b",     "bytes=1",
        "bytes=5-4", "bytes=1-2-3", "bytes=--1", "bytes=+1-2", "bytes=1 -2",  "bytes=0x1-2",   "bytes=0-1;2-3",
        "lines=0-1", "byte=0-1",    "=0-1",      "bytes 0-1",  "bytes=0-1,x", "bytes=0-1,5-4", "items=1"}) {
    CHECK_MESSAGE(verdict(field) == RangeVerdict::whole, field);
  }
  CHECK(partial("BYTES=0-1", 10) == Ranges{{0, 2}});  // §14.1: names of units have no case
  CHECK(partial("bytes=,0-1, ,", 10) == Ranges{{0, 2}});
}

// RFC 9110 §14.1.2, §14.2.
TEST_CASE("ranges that are valid but lie outside are unsatisfiable, unless others do not") {
  CHECK(verdict("bytes=10000-") == RangeVerdict::unsatisfiable);
  CHECK(verdict("bytes=10000-10001,20000-") == RangeVerdict::unsatisfiable);
  CHECK(verdict("bytes=-0") == RangeVerdict::unsatisfiable);
  CHECK(partial("bytes=20000-,5-5", 10'000) == Ranges{{5, 1}});
  CHECK(partial("bytes=-0,5-5", 10'000) == Ranges{{5, 1}});
}

// RFC 9110 §14.2: of a representation without data a range may be ignored.
TEST_CASE("an empty representation is sent whole") {
  CHECK(verdict("bytes=0-", 0) == RangeVerdict::whole);
  CHECK(verdict("bytes=-5", 0) == RangeVerdict::whole);
}

// RFC 9110 §15.3.7.2: parts in the order that was asked for, less those that became parts of others.
TEST_CASE("ranges that overlap or touch become one, where the first of them stood") {
  CHECK(partial("bytes=50-59,0-9", 100) == Ranges{{50, 10}, {0, 10}});
  CHECK(partial("bytes=50-59,0-9,55-70", 100) == Ranges{{50, 21}, {0, 10}});
  CHECK(partial("bytes=0-9,10-19,90-,20-29", 100) == Ranges{{0, 30}, {90, 10}});
  CHECK(partial("bytes=0-,0-,0-,-1", 100) == Ranges{{0, 100}});
  CHECK(partial("bytes=0-9,11-19", 100) == Ranges{{0, 10}, {11, 9}});
}

TEST_CASE("a field with too many ranges is ignored") {
  std::string field = "bytes=0-0";
  for (size_t i = 1; i < kRangesMax; i++) field += "," + std::to_string(2 * i) + "-" + std::to_string(2 * i);
  CHECK(partial(field, 10'000).size() == kRangesMax);
  CHECK(verdict(field + ",9000-9001") == RangeVerdict::whole);
}

TEST_CASE("whatever is asked for, what is selected is the union of the ranges, each byte once") {
  const unsigned seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (int run = 0; run < 3000; run++) {
    const uint64_t size = 1 + random() % 60;
    std::vector<bool> wanted(size);
    std::string field = "bytes=";
    const size_t count = 1 + random() % 8;
    for (size_t i = 0; i < count; i++) {
      const uint64_t first = random() % 70, last = first + random() % 20;
      if (i > 0) field += ',';
      if (random() % 5 == 0) {
        field += "-" + std::to_string(first);
        for (uint64_t at = size - std::min(first, size); at < size; at++) wanted[at] = true;
      } else {
        field += std::to_string(first) + "-" + std::to_string(last);
        for (uint64_t at = first; at <= last && at < size; at++) wanted[at] = true;
      }
    }
    CAPTURE(field);
    std::vector<bool> selected(size);
    const SelectedRanges result = select_ranges(field, size);
    for (const ByteRange& range : result.ranges) {
      REQUIRE(range.size > 0);
      REQUIRE(range.end() <= size);
      for (uint64_t at = range.offset; at < range.end(); at++) {
        REQUIRE_FALSE(selected[at]);
        selected[at] = true;
      }
    }
    REQUIRE(selected == wanted);
    REQUIRE((result.verdict == RangeVerdict::partial) == !result.ranges.empty());
  }
}

// RFC 9110 §14.4: the examples.
TEST_CASE("Content-Range is written as the RFC's examples are, and read back") {
  CHECK(content_range({42, 1192}, 1234) == "bytes 42-1233/1234");
  CHECK(unsatisfied_range(1234) == "bytes */1234");
  CHECK(parse_content_range("bytes 42-1233/1234") == ContentRange{ByteRange{42, 1192}, 1234});
  CHECK(parse_content_range("bytes 42-1233/*") == ContentRange{ByteRange{42, 1192}, std::nullopt});
  CHECK(parse_content_range("bytes */1234") == ContentRange{std::nullopt, 1234});
}

// RFC 9110 §14.4: last-pos below first-pos, and a length that does not reach it, are invalid.
TEST_CASE("a Content-Range that contradicts itself is none") {
  for (const char* const field :
       {"", "bytes", "bytes 0-1", "bytes 5-4/10", "bytes 0-9/9", "bytes 0-9/5", "bytes */*", "bytes -1/5", "bytes 0-/5",
        "bytes 0-1/5 ,", "items 0-1/5", "bytes=0-1/5", "bytes 0-18446744073709551615/*", "bytes 0-1/x"}) {
    CHECK_MESSAGE(!parse_content_range(field), field);
  }
}

}  // namespace quoll::http
