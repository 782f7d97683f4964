// The lines of the access log: what clients send cannot forge them.
#include "app/access_log.h"
#include "qlog/json_value.h"
#include "tests/web/fake_exchange.h"

#include <doctest/doctest.h>

namespace quoll::app {
namespace {

const UnixTime kBegin = UnixTime::from_milliseconds(1'795'271'494'123);

std::string line(const web::Exchange& exchange, const web::Outcome& outcome, LogFormat format) {
  return access_line(
      {.exchange = exchange, .outcome = outcome, .begin = kBegin, .duration = Duration::microseconds(1250)}, format);
}

}  // namespace

TEST_CASE("a line of the common format says who asked for what, and what came of it") {
  const tests::FakeExchange exchange("GET", "/a?b=c", {{"user-agent", "test/1"}, {"referer", "https://localhost/"}});
  CHECK(
      line(exchange, {.complete = true, .bytes_sent = 1234, .status = 200}, LogFormat::common) ==
      "192.0.2.1 - - [21/Nov/2026:14:31:34 +0000] \"GET /a?b=c HTTP/3\" 200 1234 \"https://localhost/\" \"test/1\"\n");
  const tests::FakeExchange plain("GET", "/");
  CHECK(line(plain, {}, LogFormat::common) ==
        "192.0.2.1 - - [21/Nov/2026:14:31:34 +0000] \"GET / HTTP/3\" - - \"-\" \"-\"\n");
}

TEST_CASE("quotes, control characters and other bytes are escaped in the common format") {
  const tests::FakeExchange exchange("GET", "/\"\\\n\x1b\x7f\xff", {{"user-agent", "a\" 200 1 \"-\"\n127.0.0.1"}});
  const std::string text = line(exchange, {.status = 404}, LogFormat::common);
  CHECK(text.find("/\\\"\\\\\\x0a\\x1b\\x7f\\xff HTTP/3\" 404") != std::string::npos);
  CHECK(text.ends_with(" \"a\\\" 200 1 \\\"-\\\"\\x0a127.0.0.1\"\n"));
  CHECK(text.find('\n') == text.size() - 1);
}

TEST_CASE("a line of JSON is one object, whatever bytes are in it") {
  const tests::FakeExchange exchange("GET", "/\"\\\n\xff", {{"user-agent", "a\xc3\xa4\xff"}});
  const std::string text =
      line(exchange, {.complete = false, .code = 0x10c, .bytes_sent = 5, .status = 200}, LogFormat::json);
  CHECK(text ==
        "{\"time\":\"2026-11-21T14:31:34.123Z\",\"remote\":\"192.0.2.1:5555\",\"method\":\"GET\","
        "\"authority\":\"localhost\",\"path\":\"/\\\"\\\\\\u000a\xef\xbf\xbd\",\"protocol\":\"HTTP/3\",\"status\":200,"
        "\"bytes\":5,\"duration_ms\":1.25,\"complete\":false,\"error_code\":268,\"user_agent\":"
        "\"a\xc3\xa4\xef\xbf\xbd\"}\n");
  CHECK(qlog::parse_json(text));
}

}  // namespace quoll::app
