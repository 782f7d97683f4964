#include "qpack/prefix_integer.h"

#include "tests/qpack/support.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::qpack;
using namespace quoll::qpack::tests;

namespace {

Parse parse(std::string_view text, unsigned prefix_bits, uint64_t& value, size_t& at) {
  at = 0;
  return read_prefix_integer(hex(text), at, prefix_bits, value);
}

}  // namespace

// RFC 7541 appendix C.1.
TEST_CASE("the examples of prefixed integers") {
  uint64_t value = 0;
  size_t at = 0;
  CHECK(parse("0a", 5, value, at) == Parse::complete);
  CHECK(value == 10);
  CHECK(parse("ff9a0a", 5, value, at) == Parse::complete);
  CHECK(value == 1337);
  CHECK(at == 3);
  CHECK(parse("2a", 8, value, at) == Parse::complete);
  CHECK(value == 42);
}

// RFC 9204 §4.1.1: integers of 62 bits are read.
TEST_CASE("prefixed integers survive writing and reading, in every prefix") {
  for (unsigned bits = 1; bits <= 8; bits++) {
    for (unsigned shift = 0; shift < 62; shift++) {
      for (const int64_t off : {-1, 0, 1}) {
        const uint64_t value = (uint64_t{1} << shift) + static_cast<uint64_t>(off);
        std::vector<uint8_t> out;
        write_prefix_integer(out, 0, bits, value);
        CHECK(out.size() == prefix_integer_size(bits, value));
        uint64_t read = 0;
        size_t at = 0;
        CHECK(read_prefix_integer(out, at, bits, read) == Parse::complete);
        CHECK(read == value);
        CHECK(at == out.size());
        at = 0;
        CHECK(read_prefix_integer(Bytes(out).first(out.size() - 1), at, bits, read) == Parse::incomplete);
        CHECK(at == 0);
      }
    }
  }
}

// RFC 9204 §7.4: a limit for values, and for the length of their encoding.
TEST_CASE("prefixed integers that are too large or too long are refused") {
  uint64_t value = 0;
  size_t at = 0;
  std::vector<uint8_t> largest;
  write_prefix_integer(largest, 0, 3, kPrefixIntegerMax);
  CHECK(read_prefix_integer(largest, at, 3, value) == Parse::complete);
  CHECK(value == kPrefixIntegerMax);
  largest[1]++;
  at = 0;
  CHECK(read_prefix_integer(largest, at, 3, value) == Parse::invalid);
  CHECK(parse("1fffffffffffffffffff7f", 5, value, at) == Parse::invalid);
  CHECK(parse("1f80808080808080808000", 5, value, at) == Parse::invalid);
  CHECK(parse("1f808080808080808000", 5, value, at) == Parse::complete);
  CHECK(value == 31);
  CHECK(parse("1f8080808080808080", 5, value, at) == Parse::incomplete);
}
