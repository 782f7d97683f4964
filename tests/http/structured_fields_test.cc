#include "http/structured_fields.h"

#include <algorithm>

#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::http::sf;

namespace {

Item item(BareItem value, Parameters parameters = {}) {
  return {.value = std::move(value), .parameters = std::move(parameters)};
}

/// An item of that value without parameters.
bool reads_as(std::string_view text, const BareItem& value) { return parse_item(text) == item(value); }

std::string random_key(tests::SeededRng& rng) {
  std::string key(1, "abz*"[rng.below(4)]);
  for (uint64_t i = rng.below(3); i > 0; i--) key.push_back("ab0_-.*"[rng.below(7)]);
  return key;
}

BareItem random_bare_item(tests::SeededRng& rng) {
  const auto number = [&] { return static_cast<int64_t>(rng.below(1'999'999'999'999'999)) - 999'999'999'999'999; };
  const auto text = [&](uint64_t first, uint64_t count) {
    std::string out;
    for (uint64_t i = rng.below(6); i > 0; i--) out.push_back(static_cast<char>(first + rng.below(count)));
    return out;
  };
  switch (rng.below(8)) {
    case 0:
      return rng.below(2) == 0 ? number() : static_cast<int64_t>(rng.below(100));
    case 1:
      return Decimal{rng.below(2) == 0 ? number() : static_cast<int64_t>(rng.below(2000)) - 1000};
    case 2:
      return text(0x20, 0x5f);
    case 3:
      return Token{"*" + text('a', 26) + "/:%"};
    case 4:
      return ByteSequence{rng.bytes(rng.below(9))};
    case 5:
      return Date{number()};
    case 6:
      return DisplayString{text(0, 0x80) + "é\x01%\""};
    default:
      return rng.below(2) == 0;
  }
}

Parameters random_parameters(tests::SeededRng& rng) {
  Parameters parameters;
  for (uint64_t i = rng.below(3); i > 0; i--) {
    parameters.emplace_back(std::to_string(i).insert(0, random_key(rng)), random_bare_item(rng));
  }
  return parameters;
}

Item random_item(tests::SeededRng& rng) { return item(random_bare_item(rng), random_parameters(rng)); }

Member random_member(tests::SeededRng& rng) {
  if (rng.below(3) != 0) return random_item(rng);
  InnerList list{.items = {}, .parameters = random_parameters(rng)};
  for (uint64_t i = rng.below(4); i > 0; i--) list.items.push_back(random_item(rng));
  return list;
}

}  // namespace

TEST_SUITE("http structured fields") {
  // RFC 9651 §4.2.4
  TEST_CASE("numbers have as many digits as they may") {
    CHECK(reads_as("0", int64_t{0}));
    CHECK(reads_as("-0", int64_t{0}));
    CHECK(reads_as("007", int64_t{7}));
    CHECK(reads_as("999999999999999", int64_t{999999999999999}));
    CHECK(reads_as("-999999999999999", int64_t{-999999999999999}));
    CHECK(reads_as("1.5", Decimal{1500}));
    CHECK(reads_as("-0.125", Decimal{-125}));
    CHECK(reads_as("999999999999.999", Decimal{999999999999999}));
    for (const char* text :
         {"", "-", "--1", "+1", "1000000000000000", "1.", ".1", "1.0000", "1000000000000.0", "1e3", "1.2.3"}) {
      CAPTURE(text);
      CHECK_FALSE(parse_item(text));
    }
  }

  // RFC 9651 §4.2.5
  // RFC 9651 §4.2.6
  // RFC 9651 §4.2.10
  TEST_CASE("strings, tokens and display strings have their characters") {
    CHECK(reads_as("\"a\\\"\\\\b\"", std::string("a\"\\b")));
    CHECK(reads_as("*a/b:c", Token{"*a/b:c"}));
    CHECK(reads_as("%\"f%c3%bc\"", DisplayString{"fü"}));
    for (const char* text : {"\"", "\"a", "\"\\", "\"\\a\"", "\"\x7f\"", "\"ü\"", "%", "%\"", "%\"%\"", "%\"%4\"",
                             "%\"%C3%BC\"", "%\"%c3\"", "%\"ü\"", "%\"%ff\"", "a b", "a\"", "_a"}) {
      CAPTURE(text);
      CHECK_FALSE(parse_item(text));
    }
  }

  // RFC 9651 §4.2.7
  // RFC 9651 §4.2.8
  // RFC 9651 §4.2.9
  TEST_CASE("byte sequences, booleans and dates") {
    CHECK(reads_as(":aGk=:", ByteSequence{{'h', 'i'}}));
    CHECK(reads_as("?1", true));
    CHECK(reads_as("?0", false));
    CHECK(reads_as("@-5", Date{-5}));
    for (const char* text : {":", ":aGk=", ":a:", ":a b=:", "?", "?2", "?true", "@", "@1.5", "@a"}) {
      CAPTURE(text);
      CHECK_FALSE(parse_item(text));
    }
  }

  // RFC 9651 §4.2
  TEST_CASE("spaces stand around a value, tabs only between members") {
    CHECK(parse_item("  1  "));
    CHECK_FALSE(parse_item("\t1"));
    CHECK_FALSE(parse_item("1\t"));
    CHECK(parse_list("1\t,\t2 , 3").value().size() == 3);
    CHECK_FALSE(parse_list("1,"));
    CHECK_FALSE(parse_list(",1"));
    CHECK_FALSE(parse_list("1 2"));
    CHECK(parse_list(""));
    CHECK(parse_dictionary("  ").value().empty());
    CHECK_FALSE(parse_dictionary("a=1, "));
    CHECK_FALSE(parse_dictionary("a= 1"));
    CHECK(parse_item("1; a;  b=2").value().parameters.size() == 2);
    CHECK_FALSE(parse_item("1 ;a"));
    CHECK_FALSE(parse_list("(1\t2)"));
    CHECK_FALSE(parse_list("(1"));
    CHECK_FALSE(parse_list("("));
    CHECK_FALSE(parse_list("((1))"));
    CHECK_FALSE(parse_item("(1)"));
    CHECK_FALSE(parse_list(std::string_view("1\0", 2)));
  }

  // RFC 9651 §4.2.2
  // RFC 9651 §4.2.3.2
  TEST_CASE("of a key that comes twice the last value counts, at the place of the first") {
    const Dictionary dictionary = parse_dictionary("a=1;x, b, a=(2);y").value();
    REQUIRE_EQ(dictionary.size(), 2);
    CHECK(dictionary[0].first == "a");
    CHECK(dictionary[0].second == Member(InnerList{.items = {item(int64_t{2})}, .parameters = {{"y", true}}}));
    CHECK(find(dictionary, "b") == &dictionary[1].second);
    CHECK(find(dictionary, "c") == nullptr);
    CHECK(parse_item("1;a=1;b;a=2").value().parameters == Parameters{{"a", int64_t{2}}, {"b", true}});
  }

  TEST_CASE("keys that come again are found among many") {
    const uint64_t seed = tests::test_seed(24);
    INFO("seed " << seed);
    tests::SeededRng rng(seed);
    for (int round = 0; round < 50; round++) {
      std::string text;
      Dictionary expected;
      for (int64_t i = 0, count = static_cast<int64_t>(1 + rng.below(200)); i < count; i++) {
        const std::string key = "k" + std::to_string(rng.below(100));
        text += (i == 0 ? "" : ", ") + key + "=" + std::to_string(i);
        const auto known = std::ranges::find(expected, key, &std::pair<std::string, Member>::first);
        if (known == expected.end()) {
          expected.emplace_back(key, item(i));
        } else {
          known->second = item(i);
        }
      }
      CHECK(parse_dictionary(text) == expected);
    }
  }

  // RFC 9651 §3.1
  // RFC 9651 §3.1.2
  TEST_CASE("limits of members, parameters and inner items") {
    const auto repeated = [](std::string_view first, std::string_view each, size_t count, std::string_view last) {
      std::string text(first);
      for (size_t i = 0; i < count; i++) text.append(each).append(std::to_string(i));
      return text.append(last);
    };
    CHECK(parse_list(repeated("0", ",", kMembersMax - 1, "")));
    CHECK_FALSE(parse_list(repeated("0", ",", kMembersMax, "")));
    CHECK(parse_dictionary(repeated("a", ",b", kMembersMax - 1, "")));
    CHECK_FALSE(parse_dictionary(repeated("a", ",b", kMembersMax, "")));
    CHECK(parse_dictionary(repeated("a", ",b", kMembersMax - 1, ",b1,b2=2")));
    CHECK(parse_item(repeated("1", ";a", kParametersMax, "")));
    CHECK_FALSE(parse_item(repeated("1", ";a", kParametersMax + 1, "")));
    CHECK(parse_list(repeated("(", " ", kInnerItemsMax, ")")));
    CHECK_FALSE(parse_list(repeated("(", " ", kInnerItemsMax + 1, ")")));
  }

  // RFC 9651 §4.1
  TEST_CASE("what has no text is not written") {
    CHECK_FALSE(serialise(item(int64_t{1'000'000'000'000'000})));
    CHECK_FALSE(serialise(item(int64_t{INT64_MIN})));
    CHECK_FALSE(serialise(item(Decimal{1'000'000'000'000'000})));
    CHECK_FALSE(serialise(item(Date{-1'000'000'000'000'000})));
    CHECK_FALSE(serialise(item(std::string("é"))));
    CHECK_FALSE(serialise(item(std::string("a\n"))));
    CHECK_FALSE(serialise(item(Token{""})));
    CHECK_FALSE(serialise(item(Token{"1a"})));
    CHECK_FALSE(serialise(item(Token{"a b"})));
    CHECK_FALSE(serialise(item(DisplayString{"\xff"})));
    for (const char* key : {"", "A", "1", "a b", "aB", "-a"}) {
      CHECK_FALSE(serialise(item(true, {{key, true}})));
      CHECK_FALSE(serialise(Dictionary{{key, item(true)}}));
    }
    CHECK_FALSE(serialise(List{item(true), item(Token{})}));
    CHECK(serialise(List{}) == "");
  }

  // RFC 9651 §4.1
  TEST_CASE("canonical text") {
    CHECK(serialise(item(Decimal{-500})) == "-0.5");
    CHECK(serialise(item(Decimal{2000})) == "2.0");
    CHECK(serialise(item(Decimal{1})) == "0.001");
    CHECK(serialise(item(false, {{"a", true}, {"b", false}})) == "?0;a;b=?0");
    CHECK(serialise(Dictionary{{"a", item(true, {{"x", int64_t{1}}})}, {"b", InnerList{}}}) == "a;x=1, b=()");
    CHECK(serialise(item(DisplayString{"ü%\"\n"})) == "%\"%c3%bc%25%22%0a\"");
  }

  TEST_CASE("what is written reads the same") {
    const uint64_t seed = tests::test_seed(25);
    INFO("seed " << seed);
    tests::SeededRng rng(seed);
    for (int round = 0; round < 2000; round++) {
      const Item one = random_item(rng);
      List list;
      Dictionary dictionary;
      for (uint64_t i = rng.below(5); i > 0; i--) {
        list.push_back(random_member(rng));
        dictionary.emplace_back(random_key(rng) + std::to_string(i), random_member(rng));
      }
      const auto text = serialise(one);
      const auto list_text = serialise(list);
      const auto dictionary_text = serialise(dictionary);
      REQUIRE((text && list_text && dictionary_text));
      CAPTURE(*text);
      CHECK(parse_item(*text) == one);
      CHECK(parse_list(*list_text) == list);
      CHECK(parse_dictionary(*dictionary_text) == dictionary);
    }
  }
}
