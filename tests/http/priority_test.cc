#include "http/priority.h"

#include "http/structured_fields.h"
#include "tests/support/heap.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace quoll;
using http::parse_priority;
using http::Priority;

TEST_SUITE("http priority") {
  // RFC 9218 §4.1
  // RFC 9218 §4.2
  TEST_CASE("urgency and incremental are read, in either order") {
    CHECK(parse_priority("") == Priority{});
    for (uint8_t urgency = 0; urgency <= 7; urgency++) {
      const std::string text = "u=" + std::to_string(urgency);
      CHECK(parse_priority(text) == Priority{.urgency = urgency});
      for (const std::string& value : {text + ",i", text + ", i", "i," + text, "i=?1 ,\t" + text, text + " , i;x=1"}) {
        CHECK(parse_priority(value) == Priority{.urgency = urgency, .incremental = true});
      }
      CHECK(parse_priority(text + ", i=?0") == Priority{.urgency = urgency});
    }
  }

  // RFC 9218 §4
  TEST_CASE("what is unknown, out of range or of another type is ignored") {
    for (const char* value : {"u=8", "u=-1", "u=1.0", "u=?1", "u", "u=a", "u=\"1\"", "u=(1)", "i=1", "i=a", "i=(?1)",
                              "x=?0, z", "u=999999999999999", "u=1, u=9"}) {
      CAPTURE(value);
      CHECK(parse_priority(value) == Priority{});
    }
    CHECK(parse_priority("a=1, u=2;q=3, b, i;x") == Priority{.urgency = 2, .incremental = true});
    CHECK(parse_priority("u=1, u=5, i, i=?0") == Priority{.urgency = 5});
  }

  // RFC 9218 §5
  TEST_CASE("a value that is no dictionary is none") {
    for (const char* value :
         {"u=", "=1", "u=1,", ",u=1", "U=1", "u=1 i", "u=1;", "u=10000000000000000", "i=?2", "\x80"}) {
      CAPTURE(value);
      CHECK_FALSE(parse_priority(value));
    }
  }

  // RFC 9218 §8
  TEST_CASE("a response changes what it names of the request's priority") {
    const Priority base{.urgency = 5, .incremental = true};
    CHECK(parse_priority("", base) == base);
    CHECK(parse_priority("u=1", base) == Priority{.urgency = 1, .incremental = true});
    CHECK(parse_priority("i=?0", base) == Priority{.urgency = 5, .incremental = false});
    CHECK(parse_priority("u=8, x", base) == base);
  }

  TEST_CASE("what is written is short, and reads the same") {
    CHECK(to_string(Priority{}) == "");
    CHECK(to_string(Priority{.urgency = 0}) == "u=0");
    CHECK(to_string(Priority{.incremental = true}) == "i");
    CHECK(to_string(Priority{.urgency = 7, .incremental = true}) == "u=7, i");
    for (uint8_t urgency = 0; urgency <= 7; urgency++) {
      for (const bool incremental : {false, true}) {
        const Priority priority{.urgency = urgency, .incremental = incremental};
        CHECK(parse_priority(to_string(priority)) == priority);
      }
    }
  }

  TEST_CASE("the quick way and the dictionary agree") {
    const uint64_t seed = tests::test_seed(21);
    INFO("seed " << seed);
    tests::SeededRng rng(seed);
    constexpr std::string_view kPieces[] = {"u", "i", "=", "?0", "?1", ",", ", ", "3", "7", "8", " ", ";", "x"};
    for (int round = 0; round < 20000; round++) {
      std::string text;
      for (uint64_t i = rng.below(9); i > 0; i--) text.append(kPieces[rng.below(std::size(kPieces))]);
      const auto parsed = parse_priority(text);
      // A parameter that is never looked at sends the same text the long way.
      const auto long_way = text.empty() ? parse_priority("zz") : parse_priority(text + ",zz");
      CAPTURE(text);
      CHECK((parsed == long_way || text.ends_with(' ') || text.ends_with(',')));
      CHECK_EQ(parsed.has_value(), http::sf::parse_dictionary(text).has_value());
    }
  }

  TEST_CASE("a usual value costs no allocation") {
    const size_t before = tests::heap_allocations();
    const bool read = parse_priority("u=1, i").has_value();
    const size_t after = tests::heap_allocations();
    CHECK(read);
    CHECK_EQ(after, before);
  }
}
