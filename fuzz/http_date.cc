// HTTP dates: what is taken is written as the same time, and a fixdate as the same text.
#include "base/bytes.h"
#include "base/check.h"
#include "http/date.h"

using namespace quoll;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 4) return 0;
  const UnixTime now = UnixTime::from_seconds(load_be<uint32_t>(data));
  const std::string_view text = as_text(Bytes(data, size).subspan(4));
  if (const auto time = http::parse_date(text, now)) {
    const http::DateText written = http::date_text(*time);
    QUOLL_CHECK(time->as_milliseconds() % 1000 == 0);
    // The leap second of the last year has no text.
    if (time->as_seconds() < 253'402'300'800) QUOLL_CHECK(http::parse_date(http::as_text(written), now) == time);
    const bool is_fixdate = text.size() == http::kDateSize && text[3] == ',' && text.substr(23, 2) != "60";
    if (is_fixdate) QUOLL_CHECK(http::as_text(written) == text);
    // RFC 9110 §5.6.7: no year of two digits lies more than 50 years ahead.
    const bool is_short = text.find('-') != std::string_view::npos;
    if (is_short) QUOLL_CHECK(time->as_seconds() <= now.as_seconds() + int64_t{51} * 366 * 86'400);
  }
  if (size >= 12) {
    const UnixTime any = UnixTime::from_milliseconds(static_cast<int64_t>(load_be<uint64_t>(data + 4)));
    const http::DateText written = http::date_text(any);
    const auto again = http::parse_date(http::as_text(written), now);
    QUOLL_CHECK(again);
    QUOLL_CHECK(http::date_text(*again) == written);
  }
  return 0;
}
