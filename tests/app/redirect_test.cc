#include "app/redirect.h"

#include <doctest/doctest.h>

namespace quoll::app {
namespace {

http::Url url_of(std::string_view text) {
  const Result<http::Url> url = http::Url::parse(text);
  REQUIRE(url);
  return *url;
}

struct Row {
  unsigned status;
  const char* method;
  const char* next;
  bool keeps_body;
};

}  // namespace

TEST_SUITE("app/redirect") {
  // RFC 9110 §15.4.2: a POST may become a GET; so does every client.
  // RFC 9110 §15.4.4: after See Other comes a GET, or a HEAD.
  // RFC 9110 §15.4.8: a temporary redirect changes no method.
  // RFC 9110 §15.4.9: nor does a permanent one.
  TEST_CASE("a redirect's status decides on the method and the body of the next request") {
    const Row rows[] = {
        {301, "GET", "GET", true},   {301, "POST", "GET", false}, {301, "PUT", "PUT", true},
        {302, "POST", "GET", false}, {302, "HEAD", "HEAD", true}, {302, "DELETE", "DELETE", true},
        {303, "POST", "GET", false}, {303, "PUT", "GET", false},  {303, "HEAD", "HEAD", true},
        {307, "POST", "POST", true}, {307, "PUT", "PUT", true},   {308, "POST", "POST", true},
        {300, "GET", "GET", true},
    };
    for (const Row& row : rows) {
      CAPTURE(row.status);
      CAPTURE(row.method);
      CHECK(is_redirect(row.status));
      const auto next = follow_redirect(row.status, "/b", row.method, url_of("https://a.example/a"));
      REQUIRE(next);
      CHECK_EQ(next->method, row.next);
      CHECK_EQ(next->keeps_body, row.keeps_body);
      CHECK_FALSE(next->changes_origin);
      CHECK_EQ(next->url.to_string(), "https://a.example/b");
    }
  }

  TEST_CASE("other statuses lead nowhere") {
    for (const unsigned status : {200u, 201u, 304u, 305u, 306u, 309u, 404u}) CHECK_FALSE(is_redirect(status));
  }

  TEST_CASE("another scheme, host or port is another origin") {
    const http::Url from = url_of("https://a.example/x/y?q");
    const auto changes = [&](const char* location) {
      const auto next = follow_redirect(302, location, "GET", from);
      REQUIRE(next);
      return next->changes_origin;
    };
    CHECK_FALSE(changes("z"));
    CHECK_FALSE(changes("https://A.example:443/z"));
    CHECK(changes("https://b.example/z"));
    CHECK(changes("//www.a.example/z"));
    CHECK(changes("https://a.example:4433/z"));
    CHECK(changes("http://a.example/z"));
  }

  // RFC 9110 §10.2.2
  TEST_CASE("a fragment is inherited unless Location has its own") {
    const http::Url from = url_of("https://a.example/x#one");
    CHECK_EQ(follow_redirect(302, "/z", "GET", from)->url.fragment, "one");
    CHECK_EQ(follow_redirect(302, "/z#two", "GET", from)->url.fragment, "two");
  }

  TEST_CASE("a Location that is no URL is an error") {
    CHECK_FALSE(follow_redirect(302, "https://:x/", "GET", url_of("https://a.example/")));
  }
}

}  // namespace quoll::app
