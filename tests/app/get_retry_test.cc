#include "app/get_retry.h"

#include "http/date.h"

#include <doctest/doctest.h>

namespace quoll::app {

TEST_SUITE("app/get_retry") {
  TEST_CASE("what may pass is tried again, and what is wrong here never is") {
    for (const unsigned status : {408u, 429u, 500u, 502u, 503u, 504u}) CHECK(is_transient(status));
    for (const unsigned status : {0u, 200u, 302u, 400u, 404u, 416u, 425u, 501u, 505u})
      CHECK_FALSE(is_transient(status));
    for (const bool all : {false, true}) {
      for (const GetExit exit : {GetExit::resolve, GetExit::connect, GetExit::timeout}) CHECK(is_transient(exit, all));
      for (const GetExit exit : {GetExit::http_error, GetExit::tls, GetExit::send_error, GetExit::receive_error,
                                 GetExit::certificate, GetExit::pin_mismatch, GetExit::http3})
        CHECK_EQ(is_transient(exit, all), all);
      for (const GetExit exit : {GetExit::ok, GetExit::usage, GetExit::url_malformed, GetExit::write_error,
                                 GetExit::read_error, GetExit::send_rewind, GetExit::interrupted, GetExit::file_size})
        CHECK_FALSE(is_transient(exit, all));
    }
  }

  TEST_CASE("the wait doubles up to ten minutes, unless it is said how long it is") {
    RetryOptions options{.count = 100};
    const auto delay = [&options](size_t retries) { return retry_delay(options, {.retries = retries}); };
    CHECK(delay(0) == Duration::seconds(1));
    CHECK(delay(1) == Duration::seconds(2));
    CHECK(delay(9) == Duration::seconds(512));
    CHECK(delay(10) == Duration::seconds(600));
    CHECK(delay(99) == Duration::seconds(600));
    CHECK_FALSE(delay(100));
    options.delay = Duration::milliseconds(300);
    CHECK(delay(50) == Duration::milliseconds(300));
  }

  TEST_CASE("no try begins after the time that is given to all of them") {
    const RetryOptions options{.count = 9, .time_limit = Duration::seconds(10)};
    CHECK(retry_delay(options, {.retries = 1, .elapsed = Duration::seconds(8)}) == Duration::seconds(2));
    CHECK_FALSE(retry_delay(options, {.retries = 1, .elapsed = Duration::milliseconds(8001)}));
    CHECK_FALSE(retry_delay(options, {.retry_after = Duration::seconds(11)}));
  }

  // RFC 9110 §10.2.3
  TEST_CASE("a server says how long to wait, in seconds or by a date, but for an hour at most") {
    const UnixTime now = UnixTime::from_seconds(784'111'777);  // Sun, 06 Nov 1994 08:49:37 GMT
    CHECK(parse_retry_after("120", now) == Duration::seconds(120));
    CHECK(parse_retry_after("Sun, 06 Nov 1994 08:50:00 GMT", now) == Duration::seconds(23));
    CHECK(parse_retry_after("Sun, 06 Nov 1994 08:49:00 GMT", now) == Duration());
    for (const char* wrong : {"", "-1", "1.5", "soon", "99999999999999999999"})
      CHECK_FALSE(parse_retry_after(wrong, now));
    const RetryOptions options{.count = 1, .delay = Duration::seconds(5)};
    CHECK(retry_delay(options, {.retry_after = Duration::seconds(7)}) == Duration::seconds(7));
    CHECK(retry_delay(options, {.retry_after = Duration::seconds(3)}) == Duration::seconds(5));
    CHECK(retry_delay(options, {.retry_after = Duration::seconds(3600)}) == Duration::seconds(3600));
    CHECK_FALSE(retry_delay(options, {.retry_after = Duration::seconds(3601)}));
  }
}

}  // namespace quoll::app
