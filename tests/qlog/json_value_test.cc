#include "qlog/json_value.h"

#include <nlohmann/json.hpp>

#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace quoll;
using Kind = qlog::JsonValue::Kind;

namespace {

bool is_json(std::string_view text) { return qlog::parse_json(text).has_value(); }
std::string text_in(std::string_view json) {
  const auto value = qlog::parse_json(json);
  return value && value->kind == Kind::text ? value->text : "(none)";
}

/// The same tree, as the other parser sees it.
bool same(const qlog::JsonValue& ours, const nlohmann::json& theirs) {
  switch (ours.kind) {
    case Kind::null:
      return theirs.is_null();
    case Kind::boolean:
      return theirs == ours.boolean;
    case Kind::number:
      return theirs.is_number();
    case Kind::text:
      return theirs == ours.text;
    case Kind::array:
      if (!theirs.is_array() || theirs.size() != ours.elements.size()) return false;
      for (size_t i = 0; i < ours.elements.size(); i++) {
        if (!same(ours.elements[i], theirs[i])) return false;
      }
      return true;
    case Kind::object:
      return theirs.is_object() && theirs.empty() == ours.members.empty();
  }
  return false;
}

}  // namespace

TEST_SUITE("qlog json value") {
  TEST_CASE("values of all kinds are read") {
    const auto value = qlog::parse_json(R"( {"a":[1,-2.5e3,"x",true,false,null,{}],"b":{"c":"d"}} )");
    REQUIRE(value);
    const qlog::JsonValue* a = value->find("a");
    REQUIRE(a);
    REQUIRE(a->elements.size() == 7);
    CHECK(a->elements[0].as_integer() == 1);
    CHECK(a->elements[1].as_double() == -2500);
    CHECK_FALSE(a->elements[1].as_integer());
    CHECK(a->elements[3].boolean);
    CHECK_FALSE(a->elements[4].boolean);
    CHECK(a->elements[5].kind == Kind::null);
    CHECK(value->find("b", "c")->text == "d");
    CHECK(value->find("b")->text_of("c") == "d");
    CHECK(value->find("x", "c") == nullptr);
    CHECK(value->text_of("a").empty());
  }

  // draft-ietf-quic-qlog-main-schema §11.3
  TEST_CASE("integers come as numbers or as strings") {
    CHECK(qlog::parse_json("18446744073709551615")->as_integer() == UINT64_MAX);
    CHECK(qlog::parse_json("\"18446744073709551615\"")->as_integer() == UINT64_MAX);
    for (const char* text : {"18446744073709551616", "-1", "1.0", "\"\"", "\"1 \"", "true", "[1]"}) {
      CAPTURE(text);
      CHECK_FALSE(qlog::parse_json(text)->as_integer());
    }
    CHECK_FALSE(qlog::parse_json("1e999")->as_double());
  }

  TEST_CASE("escapes, with pairs of surrogates") {
    CHECK(text_in(R"("\"\\\/\b\f\n\r\t\u0041\u00e9\u20ac\ud83d\ude00")") ==
          "\"\\/\b\f\n\r\tA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
    for (const char* text :
         {R"("\x")", R"("\u12")", R"("\u12g4")", R"("\ud83d")", R"("\ude00")", R"("\ud83d\u0041")", R"("\)"}) {
      CAPTURE(text);
      CHECK_FALSE(is_json(text));
    }
  }

  TEST_CASE("what is no JSON is refused, with the place") {
    for (const char* text : {"",           " ",   "{",   "[",      "[1,]",     "[1 2]", "{\"a\"}", "{\"a\":}", "{a:1}",
                             "{\"a\":1,}", "01",  "-",   "1.",     "1e",       "1e+",   ".5",      "+1",       "tru",
                             "nul",        "'a'", "\"a", "\"\n\"", "\"\x80\"", "1 2",   "{}}",     "NaN"}) {
      CAPTURE(text);
      CHECK_FALSE(is_json(text));
    }
    CHECK(qlog::parse_json("[1,x]").error().offset == 3);
    CHECK(std::string_view(qlog::parse_json("[1,x]").error().what) == "not a JSON value");
  }

  TEST_CASE("depth is limited") {
    const auto nested = [](size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
    CHECK(is_json(nested(qlog::kJsonDepthMax)));
    CHECK_FALSE(is_json(nested(qlog::kJsonDepthMax + 2)));
    CHECK_FALSE(is_json(std::string(1'000'000, '[')));
  }

  TEST_CASE("changed texts are taken or refused as another parser does") {
    const uint64_t rng_seed = tests::test_seed(1);
    INFO("seed ", rng_seed);
    tests::SeededRng rng(rng_seed);
    constexpr std::string_view kChanges = "{}[]\",:0123456789.eE+-\\utfn \x80\xc3";
    const std::string seed = R"({"a":[1,-2.5e3,"x\u00e9\n",true,null,{}],"b":{"c":"d"}})";
    for (int round = 0; round < 20000; round++) {
      std::string text = seed;
      for (size_t i = rng.below(3); i < 3; i++) {
        const size_t at = rng.below(text.size());
        switch (rng.below(3)) {
          case 0:
            text[at] = kChanges[rng.below(kChanges.size())];
            break;
          case 1:
            text.erase(at, 1 + rng.below(3));
            break;
          default:
            text.insert(at, text.substr(rng.below(text.size()), rng.below(5)));
        }
        if (text.empty()) text = "x";
      }
      const auto ours = qlog::parse_json(text);
      // Numbers that no double holds are the other's limit, not ours.
      const auto theirs = nlohmann::json::parse(text, nullptr, false);
      CAPTURE(text);
      if (text.find('e') == std::string::npos && text.find('E') == std::string::npos) {
        REQUIRE(ours.has_value() == !theirs.is_discarded());
      }
      if (ours && !theirs.is_discarded()) REQUIRE(same(*ours, theirs));
    }
  }
}
