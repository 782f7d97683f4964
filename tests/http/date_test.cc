// HTTP-date in its three formats, against the system's calendar.
#include <time.h>

#include <random>
#include <string>

#include "http/date.h"

#include <doctest/doctest.h>

namespace {

using namespace quoll;
using http::parse_date;

const UnixTime kNow = UnixTime::from_seconds(1'795'000'000);  // November 2026

std::string text_of(int64_t seconds) {
  return std::string(http::as_text(http::date_text(UnixTime::from_seconds(seconds))));
}

std::string formatted(const char* format, int64_t seconds) {
  const time_t time = seconds;
  tm parts{};
  gmtime_r(&time, &parts);
  char text[64];
  return std::string(text, strftime(text, sizeof text, format, &parts));
}

}  // namespace

// RFC 9110 §5.6.7: a recipient accepts all three formats.
TEST_CASE("the RFC's example is read in all three formats") {
  const UnixTime example = UnixTime::from_seconds(784'111'777);
  CHECK(parse_date("Sun, 06 Nov 1994 08:49:37 GMT", kNow) == example);
  CHECK(parse_date("Sunday, 06-Nov-94 08:49:37 GMT", kNow) == example);
  CHECK(parse_date("Sun Nov  6 08:49:37 1994", kNow) == example);
}

// RFC 9110 §5.6.7: a sender generates IMF-fixdate.
TEST_CASE("dates are written as the system's calendar writes them") {
  CHECK(text_of(784'111'777) == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(text_of(0) == "Thu, 01 Jan 1970 00:00:00 GMT");
  CHECK(text_of(951'782'400) == "Tue, 29 Feb 2000 00:00:00 GMT");
  const unsigned seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 20'000; i++) {
    const auto seconds = static_cast<int64_t>(random() % 315'000'000'000) - 62'000'000'000;  // the years 5 to 9990
    const std::string text = text_of(seconds);
    if (seconds > -30'000'000'000)
      REQUIRE(text == formatted("%a, %d %b %Y %H:%M:%S GMT", seconds));  // %Y pads from 1000 on
    REQUIRE(parse_date(text, kNow) == UnixTime::from_seconds(seconds));
    if (seconds > -30'000'000'000) {
      REQUIRE(parse_date(formatted("%a %b %e %H:%M:%S %Y", seconds), kNow) == UnixTime::from_seconds(seconds));
    }
  }
}

TEST_CASE("times beyond the years of four digits are written as the nearest") {
  CHECK(text_of(INT64_MIN / 2000) == "Sat, 01 Jan 0000 00:00:00 GMT");
  CHECK(text_of(INT64_MAX / 2000) == "Fri, 31 Dec 9999 23:59:59 GMT");
  CHECK(http::as_text(http::date_text(UnixTime::from_milliseconds(-1))) == "Wed, 31 Dec 1969 23:59:59 GMT");
}

// RFC 9110 §5.6.7: a year of two digits more than 50 years ahead is in the past.
TEST_CASE("two digits of a year mean the latest year that is not more than 50 years ahead") {
  const unsigned seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 20'000; i++) {
    const auto now = static_cast<int64_t>(random() % 4'000'000'000);
    const int64_t back = static_cast<int64_t>(random() % 3'150'000'000);  // less than 100 years
    const int64_t ahead_max = 1'577'000'000;                              // less than 50 years
    const int64_t seconds = now + ahead_max - back + (back > 3'140'000'000 ? 20'000'000 : 0);
    const std::string text = formatted("%A, %d-%b-%y %H:%M:%S GMT", seconds);
    REQUIRE_MESSAGE(parse_date(text, UnixTime::from_seconds(now)) == UnixTime::from_seconds(seconds), text, " at ",
                    now);
  }
  CHECK(parse_date("Friday, 21-Nov-76 00:00:00 GMT", UnixTime::from_seconds(1'800'000'000)) == std::nullopt);
  CHECK(parse_date("Saturday, 21-Nov-76 00:00:00 GMT", UnixTime::from_seconds(1'800'000'000))->as_seconds() > 0);
}

TEST_CASE("what is no date, or contradicts itself, tells no time") {
  const char* const wrong[] = {
      "",
      "Sun",
      "Sun, ",
      "Sun, 06 Nov 1994 08:49:37 GM",
      "Sun, 06 Nov 1994 08:49:37 GMT ",
      " Sun, 06 Nov 1994 08:49:37 GMT",
      "Sun, 6 Nov 1994 08:49:37 GMT",
      "Sun, 06  Nov 1994 08:49:37 GMT",
      "sun, 06 Nov 1994 08:49:37 GMT",
      "Sun, 06 nov 1994 08:49:37 GMT",
      "Sun, 06 Nov 1994 08:49:37 UTC",
      "Sun, 06 Nov 1994 08:49:37 +0000",
      "Sun, 06 Nov 94 08:49:37 GMT",
      "Mon, 06 Nov 1994 08:49:37 GMT",
      "Sun, 00 Nov 1994 08:49:37 GMT",
      "Thu, 31 Nov 1994 08:49:37 GMT",
      "Wed, 29 Feb 1995 08:49:37 GMT",
      "Sun, 06 Nov 1994 24:00:00 GMT",
      "Sun, 06 Nov 1994 08:60:37 GMT",
      "Sun, 06 Nov 1994 08:49:61 GMT",
      "Sun, 06 Nov 1994 08:49 GMT",
      "Sunday, 06 Nov 1994 08:49:37 GMT",
      "Sun, 06-Nov-94 08:49:37 GMT",
      "Sunday, 06-Nov-1994 08:49:37 GMT",
      "Sun Nov 6 08:49:37 1994",
      "Sun Nov  6 08:49:37 1994 GMT",
      "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
      "784111777",
      "0",
  };
  for (const char* const text : wrong) CHECK_MESSAGE(!parse_date(text, kNow), text);
}

TEST_CASE("a leap second is the second after it") {
  CHECK(parse_date("Sat, 31 Dec 2016 23:59:60 GMT", kNow) == parse_date("Sun, 01 Jan 2017 00:00:00 GMT", kNow));
}
