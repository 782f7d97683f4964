#include "h3/message.h"

#include <string>
#include <vector>

#include "tests/h3/support.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::h3;
using http::FieldLine;
using http::FieldSection;
using tests::h3_error;

namespace {

constexpr std::string_view kMalformed = "H3_MESSAGE_ERROR";

/// A good request, with `more` behind it.
FieldSection request(std::initializer_list<FieldLine> more = {}) {
  FieldSection fields{{":method", "GET"}, {":scheme", "https"}, {":authority", "a.example"}, {":path", "/"}};
  for (const FieldLine& line : more) fields.add(line);
  return fields;
}

/// A good request with another value of one pseudo-header field.
FieldSection request_with(std::string_view name, std::string_view value) {
  FieldSection fields;
  for (const FieldLine line : request()) fields.add(line.name, line.name == name ? value : line.value);
  return fields;
}

FieldSection without(const FieldSection& fields, std::string_view name) {
  FieldSection rest;
  for (const FieldLine line : fields) {
    if (line.name != name) rest.add(line);
  }
  return rest;
}

FieldSection response(std::initializer_list<FieldLine> more = {}, std::string_view status = "200") {
  FieldSection fields{{":status", status}};
  for (const FieldLine& line : more) fields.add(line);
  return fields;
}

std::string_view of_request(const FieldSection& fields) { return h3_error(check_request(fields, true)); }
std::string_view of_response(const FieldSection& fields) { return h3_error(check_response(fields)); }

/// A field that is wrong in a request, a response and trailers alike.
void expect_malformed_everywhere(std::string_view name, std::string_view value) {
  CAPTURE(name);
  CAPTURE(value);
  CHECK_EQ(of_request(request({{name, value}})), kMalformed);
  CHECK_EQ(of_response(response({{name, value}})), kMalformed);
  CHECK_EQ(h3_error(check_trailers({{name, value}})), kMalformed);
}

void expect_good_everywhere(std::string_view name, std::string_view value) {
  CAPTURE(name);
  CAPTURE(value);
  CHECK_EQ(of_request(request({{name, value}})), "");
  CHECK_EQ(of_response(response({{name, value}})), "");
  CHECK_EQ(h3_error(check_trailers({{name, value}})), "");
}

}  // namespace

TEST_SUITE("h3 requests") {
  // RFC 9114 §4.3.1
  TEST_CASE("a request's head is taken apart") {
    const FieldSection fields = request({{"content-length", "12"}, {"te", "trailers"}});
    const Result<RequestHead> head = check_request(fields, false);
    REQUIRE(head);
    CHECK(head->method == "GET");
    CHECK(head->scheme == "https");
    CHECK(head->authority == "a.example");
    CHECK(head->path == "/");
    CHECK(head->protocol.empty());
    CHECK(head->content_length == 12);
    CHECK_FALSE(head->is_connect());
  }

  // RFC 9114 §4.3.1
  TEST_CASE("a pseudo-header field that is missing makes a request malformed") {
    for (const char* name : {":method", ":scheme", ":path", ":authority"}) {
      CAPTURE(name);
      CHECK_EQ(of_request(without(request(), name)), kMalformed);
    }
    CHECK_EQ(of_request({}), kMalformed);
  }

  // RFC 9114 §4.3
  // RFC 9114 §4.1.2
  TEST_CASE("a pseudo-header field that comes twice, late, or is unknown makes a request malformed") {
    for (const FieldLine line : request()) {
      FieldSection fields = request();
      fields.add(line);
      CHECK_EQ(of_request(fields), kMalformed);
      FieldSection late = without(request(), line.name);
      late.add("accept", "*/*");
      late.add(line);
      CHECK_EQ(of_request(late), kMalformed);
    }
    for (const char* name : {":status", ":foo", ":", ":Method", ":protocol "}) {
      FieldSection fields{{name, "200"}};
      fields.append(request());
      CAPTURE(name);
      CHECK_EQ(of_request(fields), kMalformed);
    }
  }

  // RFC 9114 §4.3.1
  TEST_CASE("values of pseudo-header fields have their syntax") {
    for (const char* value : {"", "GE T", "GET ", "G:T", "GET\x80"}) {
      CHECK_EQ(of_request(request_with(":method", value)), kMalformed);
    }
    CHECK_EQ(of_request(request_with(":method", "get")), "");
    for (const char* value : {"", "1https", "ht tp", "https:", "htt\tps"}) {
      CHECK_EQ(of_request(request_with(":scheme", value)), kMalformed);
    }
    for (const char* value : {"", "a", "a/b", "*", "?q", "/a b", "/a#b", "/a\x7f", "https://a.example/"}) {
      CAPTURE(value);
      CHECK_EQ(of_request(request_with(":path", value)), kMalformed);
    }
    for (const char* value : {"/", "/a?b", "//", "/?", "/%41", "/\xc3\xa4", "/a|b"}) {
      CAPTURE(value);
      CHECK_EQ(of_request(request_with(":path", value)), "");
    }
  }

  // RFC 9114 §4.3.1
  TEST_CASE("OPTIONS may ask about the server as a whole") {
    FieldSection fields{{":method", "OPTIONS"}, {":scheme", "https"}, {":authority", "a.example"}, {":path", "*"}};
    CHECK_EQ(of_request(fields), "");
  }

  // RFC 9114 §4.3.1
  TEST_CASE("schemes that are not HTTP's need neither authority nor path") {
    CHECK_EQ(of_request({{":method", "GET"}, {":scheme", "about"}, {":path", ""}}), "");
    CHECK_EQ(of_request({{":method", "GET"}, {":scheme", "coap+tcp"}, {":path", "a b"}}), kMalformed);
    CHECK_EQ(of_request({{":method", "GET"}, {":scheme", "HTTP"}, {":path", "/"}}), kMalformed);
  }

  // RFC 9114 §4.3.1
  TEST_CASE(":authority or Host name the host, and both say the same") {
    const FieldSection host_alone{{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {"host", "b.example"}};
    CHECK(check_request(host_alone, false).value().authority == "b.example");
    CHECK_EQ(of_request(request({{"host", "a.example"}})), "");
    CHECK_EQ(of_request(request({{"host", "b.example"}})), kMalformed);
    CHECK_EQ(of_request(request({{"host", ""}})), kMalformed);
    CHECK_EQ(of_request(request({{"host", "a.example"}, {"host", "a.example"}})), kMalformed);
    for (const char* value :
         {"", "user@a.example", "u:p@a.example", ":443", "a.example:x", "a.example:65536", "a.example:0", "a/b", "a b",
          "[::1", "[]", "[::1]x", "a[b]", "a?b", "a#b", "a\\b", "a:1:2"}) {
      CAPTURE(value);
      CHECK_EQ(of_request(request_with(":authority", value)), kMalformed);
    }
    for (const char* value : {"a.example:8443", "[2001:db8::1]", "[::1]:443", "192.0.2.1:1", "a.example:", "a_b"}) {
      CAPTURE(value);
      CHECK_EQ(of_request(request_with(":authority", value)), "");
    }
  }

  // RFC 9114 §4.4
  TEST_CASE("CONNECT has an authority with a port, and neither scheme nor path") {
    const FieldSection good{{":method", "CONNECT"}, {":authority", "a.example:443"}};
    const Result<RequestHead> head = check_request(good, false);
    REQUIRE(head);
    CHECK(head->is_connect());
    CHECK(head->authority == "a.example:443");
    CHECK(head->path.empty());
    CHECK_EQ(of_request({{":method", "CONNECT"}}), kMalformed);
    CHECK_EQ(of_request({{":method", "CONNECT"}, {"host", "a.example:443"}}), kMalformed);
    for (const char* authority : {"a.example", "a.example:", "a.example:0", ":443", "[::1]"}) {
      CHECK_EQ(of_request({{":method", "CONNECT"}, {":authority", authority}}), kMalformed);
    }
    CHECK_EQ(of_request({{":method", "CONNECT"}, {":authority", "[::1]:443"}}), "");
    CHECK_EQ(of_request({{":method", "CONNECT"}, {":authority", "a.example:443"}, {":path", "/"}}), kMalformed);
    CHECK_EQ(of_request({{":method", "CONNECT"}, {":scheme", "https"}, {":authority", "a.example:443"}}), kMalformed);
  }

  // RFC 8441 §4
  // RFC 9220 §3
  TEST_CASE("extended CONNECT has a protocol and a whole target, once it was announced") {
    const FieldSection good{{":method", "CONNECT"},
                            {":protocol", "websocket"},
                            {":scheme", "https"},
                            {":path", "/chat"},
                            {":authority", "a.example"}};
    const Result<RequestHead> head = check_request(good, true);
    REQUIRE(head);
    CHECK(head->is_connect());
    CHECK(head->protocol == "websocket");
    CHECK(head->path == "/chat");
    CHECK_EQ(h3_error(check_request(good, false)), kMalformed);
    for (const char* name : {":scheme", ":path", ":authority"}) CHECK_EQ(of_request(without(good, name)), kMalformed);
    FieldSection get;
    for (const FieldLine line : good) get.add(line.name, line.name == ":method" ? "GET" : line.value);
    CHECK_EQ(of_request(get), kMalformed);
    for (const char* protocol : {"", "web socket", "a/", "/b", "a/b/c", "a,b"}) {
      FieldSection other;
      for (const FieldLine line : good) other.add(line.name, line.name == ":protocol" ? protocol : line.value);
      CAPTURE(protocol);
      CHECK_EQ(of_request(other), kMalformed);
    }
    FieldSection versioned;
    for (const FieldLine line : good) versioned.add(line.name, line.name == ":protocol" ? "IRC/6.9" : line.value);
    CHECK_EQ(of_request(versioned), "");
  }

  // RFC 9114 §4.6
  TEST_CASE("a promised request is one that may be pushed") {
    CHECK(check_promised_request(request()));
    FieldSection head_request;
    for (const FieldLine line : request()) head_request.add(line.name, line.name == ":method" ? "HEAD" : line.value);
    CHECK(check_promised_request(head_request));
    CHECK_EQ(h3_error(check_promised_request(request_with(":method", "POST"))), "H3_REQUEST_CANCELLED");
    CHECK_EQ(h3_error(check_promised_request(request_with(":method", "OPTIONS"))), "H3_REQUEST_CANCELLED");
    CHECK_EQ(h3_error(check_promised_request(request({{"content-length", "1"}}))), "H3_REQUEST_CANCELLED");
    CHECK(check_promised_request(request({{"content-length", "0"}})));
    CHECK_EQ(h3_error(check_promised_request(without(request({{"host", "a.example"}}), ":authority"))), kMalformed);
    CHECK_EQ(h3_error(check_promised_request({{":method", "CONNECT"}, {":authority", "a:1"}})), "H3_REQUEST_CANCELLED");
    CHECK_EQ(h3_error(check_promised_request(without(request(), ":path"))), kMalformed);
  }
}

TEST_SUITE("h3 responses") {
  // RFC 9114 §4.3.2
  TEST_CASE("a response has a status of three digits") {
    CHECK_EQ(check_response(response()).value().status, 200);
    CHECK(check_response(response({}, "103")).value().is_interim());
    CHECK_EQ(check_response(response({}, "999")).value().status, 999);
    for (const char* status : {"", "20", "2000", "+20", "2 0", "20x", "099", "000", "-12"}) {
      CAPTURE(status);
      CHECK_EQ(of_response(response({}, status)), kMalformed);
    }
    CHECK_EQ(of_response({}), kMalformed);
    CHECK_EQ(of_response({{"server", "x"}, {":status", "200"}}), kMalformed);
    CHECK_EQ(of_response({{":status", "200"}, {":status", "200"}}), kMalformed);
    CHECK_EQ(of_response({{":status", "200"}, {":path", "/"}}), kMalformed);
    CHECK_EQ(of_response({{":method", "GET"}, {":status", "200"}}), kMalformed);
  }

  // RFC 9114 §4.5
  TEST_CASE("101 is no status of HTTP/3") { CHECK_EQ(of_response(response({}, "101")), kMalformed); }
}

TEST_SUITE("h3 fields") {
  // RFC 9114 §4.2
  TEST_CASE("names with upper case are malformed") {
    for (const char* name : {"Accept", "accepT", "X"}) expect_malformed_everywhere(name, "1");
  }

  // RFC 9114 §10.3
  TEST_CASE("names have the characters of tokens") {
    for (int c = 0; c < 256; c++) {
      const std::string name = {'x', static_cast<char>(c), 'y'};
      const bool lower_token =
          (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
          (c != 0 && std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) != std::string::npos);
      CAPTURE(c);
      lower_token ? expect_good_everywhere(name, "1") : expect_malformed_everywhere(name, "1");
    }
    expect_malformed_everywhere("", "1");
  }

  // RFC 9110 §5.5
  // RFC 9114 §10.3
  TEST_CASE("values have visible characters, with spaces and tabs between them") {
    for (int c = 0; c < 256; c++) {
      const std::string value = {'x', static_cast<char>(c), 'y'};
      const bool allowed = c == '\t' || (c >= 0x20 && c != 0x7f);
      CAPTURE(c);
      allowed ? expect_good_everywhere("a", value) : expect_malformed_everywhere("a", value);
    }
    expect_good_everywhere("a", "");
    for (const char* value : {" ", "\t", " x", "x ", "\tx", "x\t"}) expect_malformed_everywhere("a", value);
    CHECK_EQ(of_request(request_with(":path", "/\n")), kMalformed);
  }

  // RFC 9110 §5.5
  TEST_CASE("a character that is not allowed is found wherever it stands") {
    for (size_t size = 1; size <= 26; size++) {
      for (const char filler : {'x', '\x20', '\xff', '\x80', '~', '!'}) {
        std::string value(size + 2, filler);
        value.front() = value.back() = 'a';
        CHECK(is_field_value(value));
        for (size_t at = 1; at <= size; at++) {
          for (int c = 0; c < 256; c++) {
            value[at] = static_cast<char>(c);
            if (is_field_value(value) != (c == '\t' || (c >= 0x20 && c != 0x7f))) FAIL("byte " << c << " at " << at);
          }
          value[at] = filler;
        }
      }
    }
  }

  // RFC 9114 §4.2
  TEST_CASE("connection-specific fields are malformed") {
    for (const char* name : {"connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade"}) {
      expect_malformed_everywhere(name, "x");
    }
    expect_good_everywhere("connectiom", "x");
    expect_good_everywhere("upgrade-insecure-requests", "1");
  }

  // RFC 9114 §4.2
  TEST_CASE("TE asks for trailers, in a request's head alone") {
    CHECK_EQ(of_request(request({{"te", "trailers"}})), "");
    CHECK_EQ(of_request(request({{"te", "Trailers"}})), "");
    for (const char* value : {"", "gzip", "trailers, gzip", "trailers;q=1"}) {
      CHECK_EQ(of_request(request({{"te", value}})), kMalformed);
    }
    CHECK_EQ(of_response(response({{"te", "trailers"}})), kMalformed);
    CHECK_EQ(h3_error(check_trailers({{"te", "trailers"}})), kMalformed);
  }

  // RFC 9114 §4.3
  TEST_CASE("trailers have no pseudo-header fields") {
    CHECK_EQ(h3_error(check_trailers({{"digest", "x"}})), "");
    CHECK_EQ(h3_error(check_trailers({})), "");
    for (const char* name : {":method", ":path", ":status", ":x"}) {
      CHECK_EQ(h3_error(check_trailers({{name, "200"}})), kMalformed);
    }
  }

  // RFC 9114 §4.2.1
  TEST_CASE("cookies are joined again") {
    CHECK(joined_cookie({{"cookie", "a=1"}, {"accept", "x"}, {"cookie", "b=2; c=3"}}) == "a=1; b=2; c=3");
    CHECK(joined_cookie({{"cookie", ""}, {"cookie", "b"}}) == "; b");
    CHECK_FALSE(joined_cookie({{"cookies", "a=1"}}));
  }
}

TEST_SUITE("h3 content") {
  // RFC 9110 §8.6
  TEST_CASE("content-length is one number, however often it is said") {
    CHECK(parse_content_length("0") == 0);
    CHECK(parse_content_length("007") == 7);
    CHECK(parse_content_length("42, 42 ,\t42") == 42);
    CHECK(parse_content_length("18446744073709551615") == UINT64_MAX);
    for (const char* value : {"", "18446744073709551616", "99999999999999999999", "-1", "+1", "1.0", "1 2", "0x1",
                              "1,2", "1,", ",1", "1,,1", "a", " "}) {
      CAPTURE(value);
      CHECK_FALSE(parse_content_length(value));
    }
    CHECK(check_response(response({{"content-length", "5"}, {"content-length", "5"}})).value().content_length == 5);
    CHECK_EQ(of_response(response({{"content-length", "5"}, {"content-length", "6"}})), kMalformed);
    CHECK_EQ(of_request(request({{"content-length", "5, 6"}})), kMalformed);
    CHECK_FALSE(check_response(response()).value().content_length);
  }

  // RFC 9114 §4.1.2
  TEST_CASE("content that differs from content-length makes a message malformed") {
    ContentCheck exact = ContentCheck::of(RequestHead{.method = "POST", .content_length = 10});
    CHECK(exact.left() == 10);
    CHECK(exact.add(4));
    CHECK_EQ(h3_error(exact.finish()), kMalformed);
    CHECK(exact.add(6));
    CHECK(exact.finish());
    CHECK(exact.add(0));
    CHECK_EQ(h3_error(exact.add(1)), kMalformed);
    ContentCheck unknown = ContentCheck::of(RequestHead{.method = "POST"});
    CHECK(unknown.add(UINT64_MAX));
    CHECK(unknown.add(UINT64_MAX));
    CHECK(unknown.finish());
  }

  // RFC 9114 §4.1.2
  TEST_CASE("responses that never have content may announce some, and send none") {
    const auto check = [](unsigned status, std::string_view method) {
      return ContentCheck::of(ResponseHead{.status = status, .content_length = 10}, method);
    };
    for (ContentCheck none : {check(200, "HEAD"), check(204, "GET"), check(304, "GET")}) {
      CHECK(none.finish());
      CHECK_EQ(h3_error(none.add(1)), kMalformed);
    }
    CHECK_EQ(h3_error(check(200, "GET").finish()), kMalformed);
    CHECK_EQ(h3_error(check(404, "CONNECT").finish()), kMalformed);
  }

  // RFC 9110 §8.6
  // RFC 9110 §9.3.6
  TEST_CASE("a tunnel's bytes are not counted") {
    ContentCheck response = ContentCheck::of(ResponseHead{.status = 200, .content_length = 10}, "CONNECT");
    CHECK(response.add(11));
    CHECK(response.finish());
    ContentCheck request = ContentCheck::of(RequestHead{.method = "CONNECT", .content_length = 0});
    CHECK(request.add(11));
  }
}
