#include "base/reader.h"

#include <algorithm>
#include <vector>

#include "base/hex.h"

#include <doctest/doctest.h>

using namespace quoll;

namespace {
bool same(Bytes a, Bytes b) { return std::ranges::equal(a, b); }
}  // namespace

TEST_SUITE("reader") {
  TEST_CASE("integers are big-endian and read in order") {
    const auto input = *from_hex(
        "01"
        "0203"
        "040506"
        "0708090a"
        "0b0c0d0e0f101112"
        "7bbd"
        "c2197c5eff14e88c");
    Reader reader(input);
    CHECK_EQ(reader.u8(), 0x01);
    CHECK_EQ(reader.u16(), 0x0203);
    CHECK_EQ(reader.u24(), 0x040506);
    CHECK_EQ(reader.u32(), 0x0708090a);
    CHECK_EQ(reader.position(), 10);
    CHECK_EQ(reader.u64(), 0x0b0c0d0e0f101112);
    CHECK_EQ(reader.varint(), 15293);
    CHECK_FALSE(reader.finished());
    CHECK_EQ(reader.varint(), 151288809941952652);
    CHECK(reader.ok());
    CHECK(reader.finished());
  }

  TEST_CASE("a read past the end fails, and so do all reads after it") {
    const auto input = *from_hex("010203");
    Reader reader(input);
    CHECK_EQ(reader.u8(), 1);
    CHECK_EQ(reader.u32(), 0);
    CHECK_FALSE(reader.ok());
    CHECK_FALSE(reader.finished());
    CHECK_EQ(reader.position(), 1);
    CHECK_EQ(reader.remaining(), 0);
    CHECK(reader.rest().empty());
    CHECK_EQ(reader.u8(), 0);
    CHECK_EQ(reader.u16(), 0);
    CHECK_EQ(reader.u24(), 0);
    CHECK_EQ(reader.u64(), 0);
    CHECK_EQ(reader.varint(), 0);
    CHECK(reader.bytes(1).empty());
    CHECK(reader.bytes(0).empty());
    reader.skip(1);
    CHECK_FALSE(reader.prefixed_u8().ok());
    CHECK_EQ(reader.position(), 1);
    CHECK_FALSE(reader.ok());
  }

  TEST_CASE("a varint that the input cuts fails the reader") {
    const auto input = *from_hex("c2197c5eff14e8");
    Reader reader(input);
    CHECK_EQ(reader.varint(), 0);
    CHECK_FALSE(reader.ok());
  }

  TEST_CASE("sizes near 2^64 do not wrap") {
    const auto input = *from_hex("ffffffffffffffff00");
    for (const uint64_t size : {UINT64_MAX, UINT64_MAX - 8, uint64_t{10}}) {
      Reader reader(input);
      CHECK(reader.bytes(size).empty());
      CHECK_FALSE(reader.ok());
    }
    Reader prefixed(input);
    CHECK_FALSE(prefixed.prefixed_varint().ok());
    CHECK_FALSE(prefixed.ok());
  }

  TEST_CASE("bytes and rest are views into the input") {
    const auto input = *from_hex("0102030405");
    Reader reader(input);
    CHECK_EQ(reader.bytes(2).data(), input.data());
    CHECK_EQ(reader.rest().data(), input.data() + 2);
    CHECK_EQ(reader.rest().size(), 3);
    reader.skip(2);
    CHECK(same(reader.bytes(1), Bytes(input).subspan(4)));
    CHECK(reader.bytes(0).empty());
    CHECK(reader.finished());
  }

  TEST_CASE("a prefixed part is a reader of its own whose failures stay inside") {
    const auto input = *from_hex(
        "02aabb"
        "0001cc"
        "000002ddee"
        "4001ff"
        "99");
    Reader reader(input);
    CHECK(same(reader.prefixed_u8().rest(), *from_hex("aabb")));
    CHECK(same(reader.prefixed_u16().rest(), *from_hex("cc")));
    Reader part = reader.prefixed_u24();
    CHECK(same(part.rest(), *from_hex("ddee")));
    CHECK_EQ(part.u32(), 0);
    CHECK_FALSE(part.ok());
    CHECK(reader.ok());
    CHECK(same(reader.prefixed_varint().rest(), *from_hex("ff")));
    CHECK_EQ(reader.u8(), 0x99);
    CHECK(reader.finished());
  }

  TEST_CASE("a prefixed part that does not fit fails both readers") {
    for (const char* hex : {"02aa", "", "05"}) {
      const auto input = *from_hex(hex);
      Reader reader(input);
      Reader part = reader.prefixed_u8();
      CHECK_FALSE(part.ok());
      CHECK_FALSE(reader.ok());
      CHECK(part.rest().empty());
    }
  }

  TEST_CASE("a parser can fail the reader itself") {
    const auto input = *from_hex("0102");
    Reader reader(input);
    reader.u8();
    reader.fail();
    CHECK_FALSE(reader.ok());
    CHECK_EQ(reader.u8(), 0);
    CHECK_EQ(reader.position(), 1);
  }

  TEST_CASE("an empty reader is finished") {
    CHECK(Reader().finished());
    CHECK(Reader(Bytes()).finished());
  }
}
