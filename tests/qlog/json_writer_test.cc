#include "qlog/json_writer.h"

#include <nlohmann/json.hpp>

#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace quoll;
using qlog::JsonWriter;

namespace {

template <class T>
std::string json_of(const T& value) {
  std::string out;
  JsonWriter(out).value(value);
  return out;
}

}  // namespace

TEST_SUITE("qlog json writer") {
  TEST_CASE("members and elements are separated by commas, at every depth") {
    std::string out;
    JsonWriter json(out);
    json.begin_object();
    json.member("a", uint64_t{1});
    json.begin_array("b");
    json.value("x");
    json.begin_array();
    json.end_array();
    json.begin_object();
    json.end_object();
    json.value(true);
    json.end_array();
    json.begin_object("c");
    json.member("d", false);
    json.end_object();
    json.end_object();
    CHECK(out == R"({"a":1,"b":["x",[],{},true],"c":{"d":false}})");
  }

  // draft-ietf-quic-qlog-main-schema §11.1
  TEST_CASE("texts are escaped, and what is no UTF-8 becomes U+FFFD") {
    CHECK(json_of("a\"b\\c") == R"("a\"b\\c")");
    CHECK(json_of(std::string_view("\x01\n\x7f\0", 4)) == R"("\u0001\u000a\u007f\u0000")");
    CHECK(json_of("\x1e") == R"("\u001e")");  // else it would begin a record
    CHECK(json_of("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80") == "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"");
    const std::string replaced = "\"\xef\xbf\xbd\"";
    CHECK(json_of("\x80") == replaced);
    CHECK(json_of("\xff") == replaced);
    CHECK(json_of("\xc3") == replaced);
    const std::string twice = "\"\xef\xbf\xbd\xef\xbf\xbd\"";
    CHECK(json_of("\xc0\x80") == twice);                                           // too long a form
    CHECK(json_of("\xed\xa0\x80") == "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");  // a surrogate
  }

  TEST_CASE("random bytes become JSON that another parser reads, and valid UTF-8 comes back as it was") {
    const uint64_t seed = tests::test_seed(1);
    INFO("seed ", seed);
    tests::SeededRng rng(seed);
    for (int round = 0; round < 2000; round++) {
      std::string text(rng.below(20), '\0');
      for (char& c : text) c = static_cast<char>(rng.below(4) == 0 ? rng.below(128) : 0x80 + rng.below(128));
      const auto parsed = nlohmann::json::parse(json_of(std::string_view(text)), nullptr, false);
      REQUIRE(parsed.is_string());
      if (qlog::is_utf8(text)) CHECK(parsed.get<std::string>() == text);
    }
  }

  TEST_CASE("utf8_size agrees with the ranges of RFC 3629 §4") {
    // Every pair of leading bytes with two continuations.
    for (int first = 0; first < 256; first++) {
      for (int second = 0; second < 256; second++) {
        const std::string text{static_cast<char>(first), static_cast<char>(second), '\x80', '\x80'};
        const bool tail = second >= 0x80 && second <= 0xbf;
        size_t size = 0;
        if (first >= 0xc2 && first <= 0xdf && tail) size = 2;
        if (first == 0xe0 && second >= 0xa0 && second <= 0xbf) size = 3;
        if (((first >= 0xe1 && first <= 0xec) || first == 0xee || first == 0xef) && tail) size = 3;
        if (first == 0xed && second >= 0x80 && second <= 0x9f) size = 3;
        if (first == 0xf0 && second >= 0x90 && second <= 0xbf) size = 4;
        if (first >= 0xf1 && first <= 0xf3 && tail) size = 4;
        if (first == 0xf4 && second >= 0x80 && second <= 0x8f) size = 4;
        REQUIRE(qlog::utf8_size(text) == size);
      }
    }
    CHECK(qlog::utf8_size("\xe2\x82") == 0);
    CHECK(qlog::utf8_size("") == 0);
  }

  // draft-ietf-quic-qlog-main-schema §11.3
  TEST_CASE("integers beyond 2^53-1 are strings") {
    CHECK(json_of(uint64_t{0}) == "0");
    CHECK(json_of(uint8_t{255}) == "255");
    CHECK(json_of((uint64_t{1} << 53) - 1) == "9007199254740991");
    CHECK(json_of(uint64_t{1} << 53) == "\"9007199254740992\"");
    CHECK(json_of(UINT64_MAX) == "\"18446744073709551615\"");
  }

  // draft-ietf-quic-qlog-main-schema §1.2, §7.1
  TEST_CASE("durations are milliseconds with the digits that they have") {
    CHECK(json_of(Duration()) == "0");
    CHECK(json_of(Duration::milliseconds(25)) == "25");
    CHECK(json_of(Duration::microseconds(1250)) == "1.25");
    CHECK(json_of(Duration::nanoseconds(1)) == "0.000001");
    CHECK(json_of(Duration::nanoseconds(-1'500'000)) == "-1.5");
    CHECK(json_of(Duration::nanoseconds(INT64_MIN)) == "-9223372036854.775808");
    CHECK(json_of(Duration::infinite()) == "9223372036854.775807");
  }

  TEST_CASE("bytes are lower-case hexadecimal") {
    const uint8_t bytes[] = {0x00, 0xab, 0xff};
    CHECK(json_of(Bytes(bytes)) == "\"00abff\"");
    CHECK(json_of(Bytes()) == "\"\"");
  }
}
