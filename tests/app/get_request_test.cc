#include "app/get_request.h"

#include "tests/support/random.h"

#include <doctest/doctest.h>

namespace quoll::app {
namespace {

std::string lines_of(const GetOptions& options, const RequestFacts& facts = {}) {
  const auto fields = request_fields(options, facts);
  if (!fields) return "refused: " + fields.error();
  std::string out;
  for (const http::FieldLine field : *fields) out.append(field.name).append(": ").append(field.value).append("\n");
  return out;
}

GetOptions with_fields(std::vector<std::string> fields) {
  GetOptions options;
  options.agent = "quoll/1";
  options.fields = std::move(fields);
  return options;
}

}  // namespace

TEST_SUITE("app/get_request") {
  TEST_CASE("a URL without a scheme is https, and its user is taken out") {
    const auto plain = parse_typed_url("localhost:4433/a?b");
    REQUIRE(plain);
    CHECK_EQ(plain->url.to_string(), "https://localhost:4433/a?b");
    CHECK(plain->user.empty());
    const auto user = parse_typed_url(" https://me:s%3ecret@a.example ");
    REQUIRE(user);
    CHECK_EQ(user->url.to_string(), "https://a.example/");
    CHECK_EQ(user->user, "me:s>cret");
    CHECK_EQ(parse_typed_url("https://me@a.example/")->user, "me:");
    CHECK_EQ(parse_typed_url("https://a.example/x@y")->url.path, "/x@y");
    CHECK_EQ(parse_typed_url("a.example?x=http://b")->url.host, "a.example");
  }

  TEST_CASE("what is no URL, and what is one of another scheme, are told apart") {
    for (const char* text :
         {"", "https://", "https://a b/", "https://a.example:99999/", "https://[::1/", "https://a%zz@b/"}) {
      CAPTURE(text);
      const auto parsed = parse_typed_url(text);
      REQUIRE_FALSE(parsed);
      CHECK_FALSE(parsed.error().unsupported);
      CHECK_FALSE(parsed.error().text.empty());
    }
    for (const char* text : {"http://a.example/", "ftp://a.example/", "FILE:///etc/passwd"}) {
      CAPTURE(text);
      const auto parsed = parse_typed_url(text);
      REQUIRE_FALSE(parsed);
      CHECK(parsed.error().unsupported);
    }
  }

  TEST_CASE("the method follows from what is sent") {
    GetOptions options;
    CHECK_EQ(method_of(options), "GET");
    options.upload = "f";
    CHECK_EQ(method_of(options), "PUT");
    options.upload.reset();
    options.data = "";
    CHECK_EQ(method_of(options), "POST");
    options.method = "PATCH";
    CHECK_EQ(method_of(options), "PATCH");
    options = {};
    options.head = true;
    CHECK_EQ(method_of(options), "HEAD");
  }

  TEST_CASE("-H adds, replaces, empties and removes fields") {
    CHECK_EQ(lines_of(with_fields({})), "user-agent: quoll/1\naccept: */*\n");
    CHECK_EQ(lines_of(with_fields({"X-A:  1 ", "x-a: 2", "Accept:", "X-Empty;", "User-Agent: me"})),
             "x-a: 1\nx-a: 2\nx-empty: \nuser-agent: me\n");
  }

  TEST_CASE("fields that are malformed in HTTP/3 do not go out") {
    CHECK_EQ(lines_of(with_fields({"Connection: close", "Transfer-Encoding: chunked", "Upgrade: x"})),
             "user-agent: quoll/1\naccept: */*\n");
    CHECK(lines_of(with_fields({"no colon"})).starts_with("refused"));
    CHECK(lines_of(with_fields({"a b: c"})).starts_with("refused"));
    CHECK(lines_of(with_fields({":path: /"})).starts_with("refused"));
    CHECK(lines_of(with_fields({"x: a\nb: c"})).starts_with("refused"));
    CHECK(lines_of(with_fields({"Host: b.example"})).find("--connect-to") != std::string::npos);
  }

  TEST_CASE("a body brings its length and its type") {
    GetOptions options = with_fields({});
    options.data = "a=b";
    CHECK_EQ(lines_of(options, {.has_body = true, .body_size = 3}),
             "user-agent: quoll/1\naccept: */*\ncontent-length: 3\ncontent-type: application/x-www-form-urlencoded\n");
    options.fields = {"Content-Type: application/json"};
    CHECK_EQ(lines_of(options, {.has_body = true, .body_size = 3}),
             "user-agent: quoll/1\naccept: */*\ncontent-length: 3\ncontent-type: application/json\n");
    CHECK_EQ(lines_of(with_fields({}), {.has_body = true}), "user-agent: quoll/1\naccept: */*\n");
  }

  // RFC 9110 §15.4: Authorization and Cookie were for the first server.
  TEST_CASE("what proves who the user is goes to the server of the URL alone") {
    GetOptions options = with_fields({"Authorization: Bearer x", "Cookie: a=b", "X-Other: y"});
    options.user = "me:secret";
    CHECK_EQ(lines_of(options), "user-agent: quoll/1\naccept: */*\nauthorization: Bearer x\ncookie: a=b\nx-other: y\n");
    CHECK_EQ(lines_of(options, {.same_origin = false}), "user-agent: quoll/1\naccept: */*\nx-other: y\n");
    options.fields.clear();
    const auto fields = request_fields(options, {.user = "you:there"});
    REQUIRE(fields);
    CHECK_EQ(fields->find("authorization"), "Basic eW91OnRoZXJl");
    CHECK((*fields)[0].never_indexed);
    CHECK_FALSE(request_fields(options, {.user = "you:there", .same_origin = false})->find("authorization"));
  }

  TEST_CASE("a range and a referer are told") {
    GetOptions options = with_fields({});
    options.referer = "https://b.example/";
    CHECK_EQ(lines_of(options, {.range = "5-"}),
             "range: bytes=5-\nuser-agent: quoll/1\naccept: */*\nreferer: https://b.example/\n");
  }
}

}  // namespace quoll::app
