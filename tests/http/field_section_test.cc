#include "http/field_section.h"

#include <doctest/doctest.h>

using namespace quoll::http;

TEST_CASE("a field section keeps its lines in their order") {
  const FieldSection section = {{":method", "GET"}, {"cookie", "a=1", true}, {"cookie", "b=2"}, {"empty", ""}};
  REQUIRE(section.size() == 4);
  CHECK(section[0] == FieldLine{":method", "GET"});
  CHECK(section[1] == FieldLine{"cookie", "a=1", true});
  CHECK(section[3].value.empty());
  size_t lines = 0;
  for (const FieldLine line : section) {
    CHECK(line == section[lines]);
    lines++;
  }
  CHECK(lines == 4);
}

// RFC 9110 §5.2: lines of one name are one value.
TEST_CASE("lines of one name are found, counted and combined") {
  const FieldSection section = {{"a", "1"}, {"b", "x"}, {"a", ""}, {"a", "3"}};
  CHECK(section.find("a") == "1");
  CHECK(section.find("A") == std::nullopt);
  CHECK(section.count("a") == 3);
  CHECK(section.count("c") == 0);
  CHECK(section.combined("a") == "1, , 3");
  CHECK(section.combined("b") == "x");
  CHECK(section.combined("c") == std::nullopt);
}

// RFC 9114 §4.2.2: each line counts 32 bytes beside its texts.
TEST_CASE("the decoded size counts names, values and 32 bytes a line") {
  FieldSection section;
  CHECK(section.decoded_size() == 0);
  section.add("name", "value");
  CHECK(section.decoded_size() == 41);
  section.add("", "");
  CHECK(section.decoded_size() == 73);
}

TEST_CASE("a field section is appended to, also to itself") {
  FieldSection section = {{"a", "1"}, {"b", "2", true}};
  section.append(section);
  CHECK(section == FieldSection{{"a", "1"}, {"b", "2", true}, {"a", "1"}, {"b", "2", true}});
  section.append({});
  CHECK(section.size() == 4);
}

TEST_CASE("a field section is cut to its first lines") {
  FieldSection section = {{"a", "1"}, {"b", "2"}, {"c", "3"}};
  section.truncate(5);
  CHECK(section.size() == 3);
  section.truncate(1);
  CHECK(section == FieldSection{{"a", "1"}});
  CHECK(section.decoded_size() == 34);
  section.add("d", "4");
  CHECK(section == FieldSection{{"a", "1"}, {"d", "4"}});
  section.clear();
  CHECK(section.empty());
  CHECK(section.decoded_size() == 0);
}

TEST_CASE("field sections differ by names, values, order and what must not be indexed") {
  const FieldSection section = {{"a", "1"}, {"b", "2"}};
  CHECK(section == FieldSection{{"a", "1"}, {"b", "2"}});
  CHECK_FALSE(section == FieldSection{{"b", "2"}, {"a", "1"}});
  CHECK_FALSE(section == FieldSection{{"a", "1"}, {"b", "3"}});
  CHECK_FALSE(section == FieldSection{{"a", "1"}, {"b", "2", true}});
  CHECK_FALSE(section == FieldSection{{"a", "1"}});
  CHECK_FALSE(FieldSection{{"ab", "c"}} == FieldSection{{"a", "bc"}});
}
