// Times, booleans, bit strings, object identifiers and AlgorithmIdentifiers: what DER and RFC 5280 allow, and nothing else.
#include "tls/x509/der_values.h"

#include <string>

#include "tests/tls/x509/der_builder.h"

#include <doctest/doctest.h>

namespace quoll::x509 {
namespace {

using namespace quoll::tests;
using crypto::DerReader;
using crypto::DerTag;

std::optional<UnixTime> time_of(DerTag tag, std::string_view contents) {
  const Buffer bytes = text(tag, contents);
  DerReader reader(bytes);
  return read_time(reader);
}
std::optional<UnixTime> utc(std::string_view contents) { return time_of(DerTag::utc_time, contents); }
std::optional<UnixTime> generalized(std::string_view contents) { return time_of(DerTag::generalized_time, contents); }

/// What `read` makes of exactly these bytes.
template <class Read>
auto read_from(Read read, const Buffer& bytes) {
  DerReader reader(bytes);
  return read(reader);
}

TEST_SUITE("x509 DER values") {
  TEST_CASE("times are seconds since 1970 in UTC") {
    CHECK(utc("700101000000Z") == UnixTime::from_seconds(0));
    CHECK(utc("691231235959Z") == UnixTime::from_seconds(-1));
    CHECK(generalized("20261121053743Z") == UnixTime::from_seconds(1'795'239'463));
    CHECK(generalized("00000101000000Z") == UnixTime::from_seconds(-62'167'219'200));
    CHECK(generalized("99991231235959Z") == UnixTime::from_seconds(253'402'300'799));
  }

  // RFC 5280 §4.1.2.5.1
  TEST_CASE("two digits of a year mean 1950 to 2049") {
    CHECK(utc("500101000000Z") == generalized("19500101000000Z"));
    CHECK(utc("991231235959Z") == generalized("19991231235959Z"));
    CHECK(utc("000101000000Z") == generalized("20000101000000Z"));
    CHECK(utc("491231235959Z") == generalized("20491231235959Z"));
  }

  TEST_CASE("February has 29 days in leap years only") {
    CHECK(generalized("20240229000000Z"));
    CHECK_FALSE(generalized("20230229000000Z"));
    CHECK(generalized("20000229000000Z"));
    CHECK_FALSE(generalized("19000229000000Z"));
    CHECK_FALSE(generalized("20240230000000Z"));
  }

  // RFC 5280 §4.1.2.5.1, §4.1.2.5.2
  TEST_CASE("times that are not of the one form, or no moment of the calendar, are refused") {
    for (const char* refused :
         {"2501010000Z", "250101000000", "250101000000+0000", "2501010000000Z", "250101000000z", "", "Z",
          "250001000000Z", "251301000000Z", "250100000000Z", "250132000000Z", "250431000000Z", "250101240000Z",
          "250101006000Z", "250101000060Z", "25010100000aZ", "2501010000-1Z", " 50101000000Z"}) {
      CAPTURE(refused);
      CHECK_FALSE(utc(refused));
    }
    for (const char* refused : {"250101000000Z", "20250101000000", "20250101000000.5Z", "20250101000000+0000",
                                "202501010000Z", "2025010100Z", "20251301000000Z", "2025010100000/Z"}) {
      CAPTURE(refused);
      CHECK_FALSE(generalized(refused));
    }
    CHECK_FALSE(time_of(DerTag::printable_string, "250101000000Z"));
  }

  TEST_CASE("the text of a time is the calendar's") {
    CHECK(time_text(UnixTime::from_seconds(1'795'239'463)) == "2026-11-21 05:37:43 UTC");
    CHECK(time_text(UnixTime::from_milliseconds(-1)) == "1969-12-31 23:59:59 UTC");
    CHECK(time_text(generalized("00000101000000Z").value()) == "0000-01-01 00:00:00 UTC");
    CHECK(time_text(generalized("99991231235959Z").value()) == "9999-12-31 23:59:59 UTC");
  }

  TEST_CASE("every day of eight centuries is read and written alike") {
    int64_t days = generalized("16000101000000Z")->as_seconds() / 86'400;
    const int64_t end = generalized("24000101000000Z")->as_seconds() / 86'400;
    CHECK(end - days == 2 * 146'097);
    for (; days < end; days++) {
      const UnixTime time = UnixTime::from_seconds(days * 86'400);
      const std::string date = time_text(time);
      const std::string digits = date.substr(0, 4) + date.substr(5, 2) + date.substr(8, 2) + "000000Z";
      REQUIRE(generalized(digits) == time);
    }
  }

  // X.690 §11.1
  TEST_CASE("a boolean is one octet of zeros or ones") {
    CHECK(read_from(read_boolean, {0x01, 0x01, 0xff}) == true);
    CHECK(read_from(read_boolean, {0x01, 0x01, 0x00}) == false);
    for (const Buffer& refused :
         {Buffer{0x01, 0x01, 0x01}, {0x01, 0x00}, {0x01, 0x02, 0xff, 0xff}, {0x02, 0x01, 0xff}}) {
      CHECK_FALSE(read_from(read_boolean, refused));
    }
  }

  TEST_CASE("a bit string knows its unused bits, which are zero") {
    const Buffer encoding{0x03, 0x02, 0x05, 0xa0};
    const std::optional<BitString> bits = read_from(read_bit_string, encoding);
    REQUIRE(bits);
    CHECK(bits->unused_bits == 5);
    CHECK(bits->is_set(0));
    CHECK_FALSE(bits->is_set(1));
    CHECK(bits->is_set(2));
    CHECK_FALSE(bits->is_set(3));
    CHECK_FALSE(bits->is_set(8));
    CHECK_FALSE(bits->is_set(SIZE_MAX));
    CHECK(read_from(read_bit_string, {0x03, 0x01, 0x00}));
    for (const Buffer& refused : {Buffer{0x03, 0x00},
                                  {0x03, 0x01, 0x01},
                                  {0x03, 0x02, 0x08, 0x00},
                                  {0x03, 0x02, 0x05, 0xb0},
                                  {0x04, 0x01, 0}}) {
      CHECK_FALSE(read_from(read_bit_string, refused));
    }
  }

  // X.690 §8.19
  TEST_CASE("arcs of an object identifier are whole and in their shortest form") {
    CHECK(read_from(read_oid, {0x06, 0x03, 0x55, 0x1d, 0x0f}));
    CHECK(is_oid(Buffer{0x2a, 0x86, 0x48}));
    CHECK_FALSE(is_oid(Buffer{}));
    CHECK_FALSE(is_oid(Buffer{0x2a, 0x86}));
    CHECK_FALSE(is_oid(Buffer{0x80, 0x01}));
    CHECK_FALSE(is_oid(Buffer{0x2a, 0x80, 0x01}));
    CHECK(is_oid(Buffer{0x2a, 0x81, 0x80, 0x01}));
    CHECK_FALSE(read_from(read_oid, {0x06, 0x00}));
  }

  TEST_CASE("the text of an object identifier has dots, or is hex when there is none") {
    CHECK(oid_text(oid::kKeyUsage) == "2.5.29.15");
    CHECK(oid_text(oid::kRsaEncryption) == "1.2.840.113549.1.1.1");
    CHECK(oid_text(oid::kSha1) == "1.3.14.3.2.26");
    CHECK(oid_text(Buffer{0x00}) == "0.0");
    CHECK(oid_text(Buffer{0x27}) == "0.39");
    CHECK(oid_text(Buffer{0x88, 0x37}) == "2.999");
    CHECK(oid_text(Buffer{0x2a, 0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}) ==
          "1.2.18446744073709551615");
    CHECK(oid_text(Buffer{0x2a, 0x82, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00}) ==
          "#2a828080808080808080"
          "00");
    CHECK(oid_text(Buffer{0x2a, 0x86}) == "#2a86");
    CHECK(oid_text(Buffer{}) == "#");
  }

  // X.690 §8.3
  TEST_CASE("integers of any sign are read in their shortest form") {
    CHECK(read_from(read_integer_contents, {0x02, 0x01, 0x80}));
    CHECK(read_from(read_integer_contents, {0x02, 0x02, 0x00, 0x80}));
    CHECK(read_from(read_integer_contents, {0x02, 0x02, 0xff, 0x7f}));
    for (const Buffer& refused : {Buffer{0x02, 0x00}, {0x02, 0x02, 0x00, 0x7f}, {0x02, 0x02, 0xff, 0x80}}) {
      CHECK_FALSE(read_from(read_integer_contents, refused));
    }
  }

  TEST_CASE("an AlgorithmIdentifier has one element of parameters or none") {
    const Buffer with_null = sequence({object_identifier(oid::kSha256), null()});
    const auto algorithm = read_from(read_algorithm_identifier, with_null);
    REQUIRE(algorithm);
    CHECK(to_buffer(algorithm->element) == with_null);
    CHECK(oid::is(algorithm->oid, oid::kSha256));
    CHECK(algorithm->parameters_are_null());

    const Buffer without = sequence({object_identifier(oid::kSha256)});
    CHECK_FALSE(read_from(read_algorithm_identifier, without)->parameters);
    CHECK_FALSE(read_from(read_algorithm_identifier, without)->parameters_are_null());
    const Buffer with_number = sequence({object_identifier(oid::kSha256), integer(0)});
    CHECK_FALSE(read_from(read_algorithm_identifier, with_number)->parameters_are_null());

    for (const Buffer& refused :
         {sequence({}), sequence({null()}), sequence({object_identifier(oid::kSha256), null(), null()}),
          sequence({object_identifier(oid::kSha256), {0x05}}), set({object_identifier(oid::kSha256)})}) {
      CHECK_FALSE(read_from(read_algorithm_identifier, refused));
    }
  }
}

}  // namespace
}  // namespace quoll::x509
