#include "http/text_codecs.h"

#include "http/characters.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::http;

namespace {

std::string encoded(std::string_view text) {
  std::string out;
  base64_encode(as_bytes(text), out);
  return out;
}

std::optional<std::string> decoded(std::string_view text) {
  const auto bytes = base64_decode(text);
  return bytes ? std::optional(std::string(as_text(*bytes))) : std::nullopt;
}

/// RFC 3629 §3 by decoding: what is_utf8() does by ranges.
bool decodes_as_utf8(Bytes text) {
  while (!text.empty()) {
    const uint8_t first = text[0];
    const size_t size = first < 0x80 ? 1 : first >> 5 == 6 ? 2 : first >> 4 == 14 ? 3 : first >> 3 == 30 ? 4 : 0;
    if (size == 0 || text.size() < size) return false;
    uint32_t point = size == 1 ? first : first & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
      if (text[i] >> 6 != 2) return false;
      point = point << 6 | (text[i] & 0x3fu);
    }
    constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
    if (point < kLeast[size] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) return false;
    text = text.subspan(size);
  }
  return true;
}

}  // namespace

TEST_SUITE("http text codecs") {
  TEST_CASE("the vectors of RFC 4648 §10") {
    constexpr std::string_view kPlain[] = {"", "f", "fo", "foo", "foob", "fooba", "foobar"};
    constexpr std::string_view kCoded[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
    for (size_t i = 0; i < std::size(kPlain); i++) {
      CHECK(encoded(kPlain[i]) == kCoded[i]);
      CHECK(decoded(kCoded[i]) == kPlain[i]);
    }
  }

  // RFC 9651 §4.2.7
  TEST_CASE("padding may be missing or set, but other characters are errors") {
    CHECK(decoded("Zg") == "f");
    CHECK(decoded("Zm8") == "fo");
    CHECK(decoded("Zh==") == "f");
    for (const char* text :
         {"Z", "Zg=", "Zg===", "Zm9v=", "Zm9v====", "=", "====", "Z=g=", "Zg==Zg==", "Zm 9v", "Zm9\n", "Zm-_"}) {
      CAPTURE(text);
      CHECK_FALSE(decoded(text));
    }
  }

  TEST_CASE("random bytes come back") {
    const uint64_t seed = tests::test_seed(22);
    INFO("seed " << seed);
    tests::SeededRng rng(seed);
    for (int round = 0; round < 500; round++) {
      const std::vector<uint8_t> bytes = rng.bytes(rng.below(50));
      std::string text;
      base64_encode(bytes, text);
      CHECK(base64_decode(text) == bytes);
      while (text.ends_with('=')) text.pop_back();
      CHECK(base64_decode(text) == bytes);
    }
  }

  // RFC 3629 §4
  TEST_CASE("UTF-8 has shortest forms of characters that there are") {
    for (const char* text : {"", "a", "ä", "€", "😀", "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf", "\xee\x80\x80"})
      CHECK(is_utf8(text));
    for (const char* text :
         {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
          "\xf5\x80\x80\x80", "\xff", "\xc3", "\xe2\x82", "\xf0\x9f\x98", "\xc3x", "\xe2\x82x"}) {
      CHECK_FALSE(is_utf8(text));
    }
    // All of one to three bytes, and four at the ends of their ranges.
    for (uint32_t word = 0; word < 0x1000000; word += 7) {
      const uint8_t bytes[] = {static_cast<uint8_t>(word >> 16), static_cast<uint8_t>(word >> 8),
                               static_cast<uint8_t>(word)};
      if (is_utf8(as_text(bytes)) != decodes_as_utf8(bytes)) FAIL("bytes " << word);
    }
    for (uint32_t first = 0xf0; first <= 0xff; first++) {
      for (uint32_t second = 0; second < 256; second++) {
        const uint8_t bytes[] = {static_cast<uint8_t>(first), static_cast<uint8_t>(second), 0x80, 0xbf};
        CHECK_EQ(is_utf8(as_text(bytes)), decodes_as_utf8(bytes));
      }
    }
  }

  TEST_CASE("classes of characters are those of the grammars") {
    size_t token_characters = 0;
    for (int c = 0; c < 256; c++) token_characters += is_token_char(static_cast<char>(c));
    CHECK_EQ(token_characters, 77);
    CHECK(is_token("GET"));
    CHECK_FALSE(is_token(""));
    CHECK_FALSE(is_token("a b"));
    CHECK_EQ(hex_value('f'), 15);
    CHECK_EQ(hex_value('F'), 15);
    CHECK_EQ(hex_value('g'), -1);
    CHECK_EQ(escaped_byte("%4a!"), 0x4a);
    CHECK_EQ(escaped_byte("%4"), -1);
    CHECK_EQ(escaped_byte("%4g"), -1);
    CHECK(equals_ignoring_case("HtTp", "hTtP"));
    CHECK_FALSE(equals_ignoring_case("@", "`"));
  }
}
