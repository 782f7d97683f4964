#include "http/url.h"

#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::http;

namespace {

/// The URL in its normal form; "error: …" where it is none.
std::string normal(std::string_view text) {
  const Result<Url> url = Url::parse(text);
  return url ? url->to_string() : std::string("error: ") + url.error().reason;
}

std::string resolved(std::string_view base, std::string_view reference) {
  const Result<Url> url = Url::parse(base).value().resolve(reference);
  return url ? url->to_string() : "error";
}

}  // namespace

TEST_SUITE("http urls") {
  TEST_CASE("a URL is taken apart") {
    const Url url = Url::parse("HTTPS://User.Example:8443/a/b?c=d&e#f").value();
    CHECK(url == Url{.scheme = "https",
                     .host = "user.example",
                     .port = 8443,
                     .path = "/a/b",
                     .query = "c=d&e",
                     .fragment = "f"});
    CHECK(url.authority() == "user.example:8443");
    CHECK(url.request_target() == "/a/b?c=d&e");
    const Url plain = Url::parse("http://a").value();
    CHECK(plain.port == 80);
    CHECK(plain.authority() == "a");
    CHECK(plain.request_target() == "/");
    CHECK_FALSE(plain.query);
    CHECK(Url::parse("https://a?").value().request_target() == "/?");
    const Url address = Url::parse("https://[2001:DB8:0::1]:443/").value();
    CHECK(address.host == "2001:db8::1");
    CHECK(address.authority() == "[2001:db8::1]");
  }

  // RFC 3986 §6.2.2
  // RFC 3986 §6.2.3
  TEST_CASE("URLs that mean the same become the same") {
    CHECK(normal("HTTPS://A.Example:443") == "https://a.example/");
    CHECK(normal("https://a.example:/") == "https://a.example/");
    CHECK(normal("https://a/%7euser/%2D%2f%3a") == "https://a/~user/-%2F%3A");
    CHECK(normal("https://a/b/./c/../%2e%2E/d") == "https://a/d");
    CHECK(normal("https://ex%61mple/") == "https://example/");
    CHECK(normal("https://a/?%7e/../b#%7e") == "https://a/?~/../b#~");
    CHECK(normal("https://a/|{}^`\"<>\\[]") == "https://a/%7C%7B%7D%5E%60%22%3C%3E%5C%5B%5D");
    CHECK(normal("https://a/ä?ö#ü") == "https://a/%C3%A4?%C3%B6#%C3%BC");
    CHECK(normal("https://a./") == "https://a./");
  }

  TEST_CASE("what is wrong with a URL is said") {
    for (const char* text : {"",
                             "a",
                             "/a",
                             "//a",
                             "https:",
                             "https:/",
                             "https:a",
                             "https:///",
                             "https://:443",
                             "ftp://a",
                             "1http://a",
                             "https//a",
                             " https://a",
                             "https://a ",
                             "https://a/b c",
                             "https://a/\n",
                             "https://a\t",
                             "https://a:x",
                             "https://a:0",
                             "https://a:65536",
                             "https://a:-1",
                             "https://u@a",
                             "https://u:p@a/",
                             "https://@a",
                             "https://a/%",
                             "https://a/%4",
                             "https://a/%zz",
                             "https://a/?%",
                             "https://a/#%g0",
                             "https://[::1",
                             "https://[::1]a",
                             "https://[a]",
                             "https://[1.2.3.4]",
                             "https://[fe80::1%251]",
                             "https://a]",
                             "https://ä",
                             "https://a%00b",
                             "https://a%2fb",
                             "https://a..b",
                             "https://.a",
                             "https://a,b",
                             "https://a\\b"}) {
      CAPTURE(text);
      CHECK(normal(text).starts_with("error: "));
    }
    CHECK(normal("https://" + std::string(254, 'a')).starts_with("https://"));
    CHECK(normal("https://" + std::string(255, 'a')).starts_with("error: "));
    CHECK(normal("https://a/" + std::string(Url::kSizeMax, 'b')).starts_with("error: "));
    CHECK(normal("https://a/" + std::string(Url::kSizeMax / 2, '|')).starts_with("error: "));
  }

  // RFC 3986 §5.4
  TEST_CASE("references resolve as the RFC's examples say") {
    constexpr std::string_view kBase = "http://a/b/c/d;p?q";
    constexpr std::string_view kExamples[][2] = {
        {"g", "http://a/b/c/g"},
        {"./g", "http://a/b/c/g"},
        {"g/", "http://a/b/c/g/"},
        {"/g", "http://a/g"},
        {"//g", "http://g/"},
        {"?y", "http://a/b/c/d;p?y"},
        {"g?y", "http://a/b/c/g?y"},
        {"#s", "http://a/b/c/d;p?q#s"},
        {"g#s", "http://a/b/c/g#s"},
        {"g?y#s", "http://a/b/c/g?y#s"},
        {";x", "http://a/b/c/;x"},
        {"g;x", "http://a/b/c/g;x"},
        {"g;x?y#s", "http://a/b/c/g;x?y#s"},
        {"", "http://a/b/c/d;p?q"},
        {".", "http://a/b/c/"},
        {"./", "http://a/b/c/"},
        {"..", "http://a/b/"},
        {"../", "http://a/b/"},
        {"../g", "http://a/b/g"},
        {"../..", "http://a/"},
        {"../../", "http://a/"},
        {"../../g", "http://a/g"},
        {"../../../g", "http://a/g"},
        {"../../../../g", "http://a/g"},
        {"/./g", "http://a/g"},
        {"/../g", "http://a/g"},
        {"g.", "http://a/b/c/g."},
        {".g", "http://a/b/c/.g"},
        {"g..", "http://a/b/c/g.."},
        {"..g", "http://a/b/c/..g"},
        {"./../g", "http://a/b/g"},
        {"./g/.", "http://a/b/c/g/"},
        {"g/./h", "http://a/b/c/g/h"},
        {"g/../h", "http://a/b/c/h"},
        {"g;x=1/./y", "http://a/b/c/g;x=1/y"},
        {"g;x=1/../y", "http://a/b/c/y"},
        {"g?y/./x", "http://a/b/c/g?y/./x"},
        {"g?y/../x", "http://a/b/c/g?y/../x"},
        {"g#s/./x", "http://a/b/c/g#s/./x"},
        {"g#s/../x", "http://a/b/c/g#s/../x"},
    };
    for (const auto& [reference, expected] : kExamples) {
      CAPTURE(reference);
      CHECK(resolved(kBase, reference) == expected);
    }
    CHECK(resolved(kBase, "g:h") == "error");
    CHECK(resolved(kBase, "http:g") == "error");
    CHECK(resolved(kBase, "https://b/") == "https://b/");
    CHECK(resolved("https://a#f", "b") == "https://a/b");
    CHECK(resolved("https://a:8443/x", "//b/y") == "https://b/y");
    CHECK(resolved("https://a:8443/x", "/y z") == "error");
    CHECK(resolved("https://a:8443/x", "/y%") == "error");
    CHECK(resolved("https://a:8443/x?q", "#") == "https://a:8443/x?q#");
  }

  // RFC 3986 §5.2.4
  TEST_CASE("dot segments are removed") {
    constexpr std::string_view kExamples[][2] = {{"/a/b/c/./../../g", "/a/g"},
                                                 {"mid/content=5/../6", "mid/6"},
                                                 {"", ""},
                                                 {"/", "/"},
                                                 {".", ""},
                                                 {"..", ""},
                                                 {"/.", "/"},
                                                 {"/..", "/"},
                                                 {"/../..", "/"},
                                                 {"a/../b", "/b"},
                                                 {"./a", "a"},
                                                 {"../a", "a"},
                                                 {"/a/..", "/"},
                                                 {"/a//../b", "/a/b"},
                                                 {"/...", "/..."},
                                                 {"//..", "/"},
                                                 {"/a/./", "/a/"}};
    for (const auto& [path, expected] : kExamples) {
      CAPTURE(path);
      CHECK(remove_dot_segments(path) == expected);
    }
  }

  TEST_CASE("no reference leads out of the root, and every URL is in its normal form") {
    const uint64_t seed = tests::test_seed(26);
    INFO("seed " << seed);
    tests::SeededRng rng(seed);
    constexpr std::string_view kPieces[] = {"/", "..", ".", "a", "%2e", "%2F", "?", "#", "//", "é", ":", ";"};
    for (int round = 0; round < 5000; round++) {
      std::string reference;
      for (uint64_t i = rng.below(12); i > 0; i--) reference.append(kPieces[rng.below(std::size(kPieces))]);
      CAPTURE(reference);
      const Result<Url> url = Url::parse("https://a.example/b/c?d").value().resolve(reference);
      if (!url) continue;
      CHECK(url->path.starts_with('/'));
      CHECK(remove_dot_segments(url->path) == url->path);
      CHECK(url->path.find("/../") == std::string::npos);
      const Result<Url> again = Url::parse(url->to_string());
      REQUIRE(again);
      CHECK(*again == *url);
    }
  }

  TEST_CASE("percent escapes are decoded, but no zero byte") {
    CHECK(percent_decode("a%20b%2Fc") == "a b/c");
    CHECK(percent_decode("") == "");
    for (const char* text : {"%", "%1", "a%", "%g1", "%00", "%%41"}) CHECK_FALSE(percent_decode(text));
  }

  // RFC 3986 §2.3
  TEST_CASE("a name is escaped but for unreserved characters, and decodes to itself") {
    CHECK(percent_encode("a-b.c_d~9") == "a-b.c_d~9");
    CHECK(percent_encode("a b/c?%\xc3\xa9&") == "a%20b%2Fc%3F%25%C3%A9%26");
    std::string all;
    for (int byte = 1; byte < 256; byte++) all += static_cast<char>(byte);
    CHECK(percent_decode(percent_encode(all)) == all);
  }

  TEST_CASE("ports are 1 to 65535") {
    CHECK(parse_port("1") == 1);
    CHECK(parse_port("65535") == 65535);
    CHECK(parse_port("00080") == 80);
    for (const char* text : {"", "0", "65536", "-1", "+1", "1 ", "99999999999999999999"}) CHECK_FALSE(parse_port(text));
  }
}
