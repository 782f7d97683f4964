#include "base/hex.h"

#include <doctest/doctest.h>

using namespace quoll;

TEST_SUITE("hex") {
  TEST_CASE("bytes print in lower case and read in either") {
    const uint8_t bytes[] = {0x00, 0x0f, 0xa5, 0xff};
    CHECK_EQ(to_hex(bytes), "000fa5ff");
    CHECK(*from_hex("000FA5ff") == std::vector<uint8_t>(std::begin(bytes), std::end(bytes)));
    CHECK_EQ(to_hex({}), "");
    CHECK(from_hex("")->empty());
  }

  TEST_CASE("odd lengths and other characters are refused") {
    for (const char* text : {"0", "000", "0g", "g0", "0x00", " 00", "0 ", "-1", "/0", ":0", "@0", "`0"}) {
      CAPTURE(text);
      CHECK_FALSE(from_hex(text));
    }
  }
}
