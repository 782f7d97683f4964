// Entity tags and preconditions.
#include <string>

#include "http/conditional.h"
#include "http/date.h"

#include <doctest/doctest.h>

namespace quoll::http {
namespace {

const UnixTime kNow = UnixTime::from_seconds(1'795'000'000);
const UnixTime kModified = UnixTime::from_seconds(784'111'777);
constexpr std::string_view kDate = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr std::string_view kEarlier = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr std::string_view kLater = "Sun, 06 Nov 1994 08:49:38 GMT";

Validators strong() {
  return {.entity_tag = EntityTag{.opaque = "\"tag\""}, .last_modified = kModified, .last_modified_is_strong = true};
}
Validators weak() {
  Validators validators = strong();
  validators.entity_tag->weak = true;
  return validators;
}

Precondition evaluate(std::initializer_list<FieldLine> lines, std::string_view method = "GET",
                      const Validators& validators = strong()) {
  return evaluate_preconditions(FieldSection(lines), method, validators, kNow);
}

}  // namespace

// RFC 9110 §8.8.3.
TEST_CASE("an entity tag is a quoted string, weak after W/") {
  CHECK(parse_entity_tag("\"xyzzy\"")->opaque == "\"xyzzy\"");
  CHECK_FALSE(parse_entity_tag("\"xyzzy\"")->weak);
  CHECK(parse_entity_tag("W/\"xyzzy\"")->weak);
  CHECK(parse_entity_tag("\"\"")->opaque == "\"\"");
  CHECK(parse_entity_tag("\"\xff!#~\""));
  for (const char* const text : {"", "xyzzy", "\"", "\"a", "a\"", "\"a\"b", "w/\"a\"", "W/a", "W/", "\"a b\"",
                                 "\"a\\\"b\"", "\"a\",", "\"\x7f\"", "*"}) {
    CHECK_MESSAGE(!parse_entity_tag(text), text);
  }
}

// RFC 9110 §8.8.3.2: the table.
TEST_CASE("entity tags are compared strongly or weakly") {
  const EntityTag w1{"\"1\"", true}, w2{"\"2\"", true}, s1{"\"1\"", false};
  CHECK_FALSE(match_strongly(w1, w1));
  CHECK(match_weakly(w1, w1));
  CHECK_FALSE(match_strongly(w1, w2));
  CHECK_FALSE(match_weakly(w1, w2));
  CHECK_FALSE(match_strongly(w1, s1));
  CHECK(match_weakly(w1, s1));
  CHECK(match_strongly(s1, s1));
  CHECK(match_weakly(s1, s1));
}

// RFC 9110 §13.1.1: strong comparison; "*" is true for any representation.
TEST_CASE("If-Match lets pass who names our tag") {
  CHECK(evaluate({}) == Precondition::passed);
  CHECK(evaluate({{"if-match", "*"}}) == Precondition::passed);
  CHECK(evaluate({{"if-match", "\"tag\""}}) == Precondition::passed);
  CHECK(evaluate({{"if-match", "\"a\", \"tag\" ,\"b\""}}) == Precondition::passed);
  CHECK(evaluate({{"if-match", "\"a,\" , , \"tag\""}}) == Precondition::passed);
  CHECK(evaluate({{"if-match", "\"a\""}, {"if-match", "\"tag\""}}) == Precondition::passed);
  CHECK(evaluate({{"if-match", "\"a\""}}) == Precondition::failed);
  CHECK(evaluate({{"if-match", ""}}) == Precondition::failed);
  CHECK(evaluate({{"if-match", "W/\"tag\""}}) == Precondition::failed);
  CHECK(evaluate({{"if-match", "\"tag\""}}, "GET", weak()) == Precondition::failed);
  CHECK(evaluate({{"if-match", "\"a\""}}, "PUT") == Precondition::failed);
}

TEST_CASE("nothing matches a malformed If-Match") {
  for (const char* const text : {"tag", "\"tag\" \"b\"", "\"tag\", *", "*, *", "\"tag", "\"tag\"x"}) {
    CHECK_MESSAGE(evaluate({{"if-match", text}}) == Precondition::failed, text);
  }
}

// RFC 9110 §13.1.2: weak comparison; 304 for GET and HEAD, 412 for others.
TEST_CASE("If-None-Match holds back what the client has") {
  for (const char* const text : {"*", "\"tag\"", "W/\"tag\"", "\"a\",W/\"tag\""}) {
    CAPTURE(text);
    CHECK(evaluate({{"if-none-match", text}}) == Precondition::not_modified);
    CHECK(evaluate({{"if-none-match", text}}, "HEAD") == Precondition::not_modified);
    CHECK(evaluate({{"if-none-match", text}}, "PUT") == Precondition::failed);
    CHECK(evaluate({{"if-none-match", text}}, "GET", weak()) == Precondition::not_modified);
  }
  for (const char* const text : {"\"a\"", "", "tag", "\"tag\" x", "*, \"tag\""}) {
    CHECK_MESSAGE(evaluate({{"if-none-match", text}}) == Precondition::passed, text);
  }
}

// RFC 9110 §13.1.3: false when the modification is not later; only for GET and HEAD; only without If-None-Match.
TEST_CASE("If-Modified-Since holds back what did not change") {
  CHECK(evaluate({{"if-modified-since", kDate}}) == Precondition::not_modified);
  CHECK(evaluate({{"if-modified-since", kLater}}) == Precondition::not_modified);
  CHECK(evaluate({{"if-modified-since", kEarlier}}) == Precondition::passed);
  CHECK(evaluate({{"if-modified-since", kDate}}, "HEAD") == Precondition::not_modified);
  CHECK(evaluate({{"if-modified-since", kDate}}, "POST") == Precondition::passed);
  CHECK(evaluate({{"if-modified-since", kDate}, {"if-none-match", "\"a\""}}) == Precondition::passed);
  CHECK(evaluate({{"if-modified-since", kEarlier}, {"if-none-match", "\"tag\""}}) == Precondition::not_modified);
  CHECK(evaluate({{"if-modified-since", "yesterday"}}) == Precondition::passed);
  CHECK(evaluate({{"if-modified-since", kDate}, {"if-modified-since", kDate}}) == Precondition::passed);
  CHECK(evaluate({{"if-modified-since", kDate}}, "GET", {}) == Precondition::passed);
}

// RFC 9110 §13.1.3: parts of a second count for nothing, since dates have none.
TEST_CASE("times are compared in whole seconds") {
  Validators validators = strong();
  validators.last_modified = UnixTime::from_milliseconds(kModified.as_milliseconds() + 900);
  CHECK(evaluate({{"if-modified-since", kDate}}, "GET", validators) == Precondition::not_modified);
  CHECK(evaluate({{"if-unmodified-since", kDate}}, "GET", validators) == Precondition::passed);
}

// RFC 9110 §13.1.4.
TEST_CASE("If-Unmodified-Since lets pass while nothing changed") {
  CHECK(evaluate({{"if-unmodified-since", kDate}}) == Precondition::passed);
  CHECK(evaluate({{"if-unmodified-since", kLater}}) == Precondition::passed);
  CHECK(evaluate({{"if-unmodified-since", kEarlier}}) == Precondition::failed);
  CHECK(evaluate({{"if-unmodified-since", kEarlier}}, "PUT") == Precondition::failed);
  CHECK(evaluate({{"if-unmodified-since", "then"}}) == Precondition::passed);
  CHECK(evaluate({{"if-unmodified-since", kEarlier}}, "GET", {}) == Precondition::passed);
  CHECK(evaluate({{"if-unmodified-since", kEarlier}, {"if-match", "\"tag\""}}) == Precondition::passed);
}

// RFC 9110 §13.2.2: the order of evaluation.
TEST_CASE("what a client wants to be sure of comes before what it has") {
  CHECK(evaluate({{"if-none-match", "\"tag\""}, {"if-match", "\"a\""}}) == Precondition::failed);
  CHECK(evaluate({{"if-none-match", "\"tag\""}, {"if-match", "\"tag\""}}) == Precondition::not_modified);
  CHECK(evaluate({{"if-none-match", "\"tag\""}, {"if-unmodified-since", kEarlier}}) == Precondition::failed);
}

// RFC 9110 §13.1.5: exact, and strong.
TEST_CASE("If-Range wants the very representation that the client has a part of") {
  const auto holds = [](std::initializer_list<FieldLine> lines, const Validators& validators = strong()) {
    return evaluate_if_range(FieldSection(lines), validators, kNow);
  };
  CHECK(holds({}));
  CHECK(holds({{"if-range", "\"tag\""}}));
  CHECK_FALSE(holds({{"if-range", "\"a\""}}));
  CHECK_FALSE(holds({{"if-range", "W/\"tag\""}}));
  CHECK_FALSE(holds({{"if-range", "\"tag\""}}, weak()));
  CHECK_FALSE(holds({{"if-range", "\"tag\", \"a\""}}));
  CHECK_FALSE(holds({{"if-range", "tag"}}));
  CHECK_FALSE(holds({{"if-range", "\"tag\""}, {"if-range", "\"tag\""}}));
  CHECK(holds({{"if-range", kDate}}));
  CHECK_FALSE(holds({{"if-range", kLater}}));
  CHECK_FALSE(holds({{"if-range", kEarlier}}));
  Validators young = strong();
  young.last_modified_is_strong = false;
  CHECK_FALSE(holds({{"if-range", kDate}}, young));
  CHECK_FALSE(holds({{"if-range", kDate}}, {}));
}

}  // namespace quoll::http
