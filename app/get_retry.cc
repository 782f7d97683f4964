#include "app/get_retry.h"

#include <algorithm>

#include "app/options.h"
#include "app/text.h"
#include "http/date.h"

namespace quoll::app {

bool is_transient(unsigned status) {
  switch (status) {
    case 408:
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
      return true;
    default:
      return false;
  }
}

bool is_transient(GetExit exit, bool all_errors) {
  switch (exit) {
    case GetExit::resolve:
    case GetExit::connect:
    case GetExit::timeout:
      return true;
    case GetExit::http_error:
    case GetExit::tls:
    case GetExit::send_error:
    case GetExit::receive_error:
    case GetExit::certificate:
    case GetExit::pin_mismatch:
    case GetExit::http3:
    case GetExit::too_many_redirects:
    case GetExit::content_coding:
      return all_errors;
    case GetExit::ok:
    case GetExit::unsupported_protocol:
    case GetExit::usage:
    case GetExit::url_malformed:
    case GetExit::write_error:
    case GetExit::read_error:
    case GetExit::range:
    case GetExit::file_size:
    case GetExit::send_rewind:
    case GetExit::bad_ca_file:
    case GetExit::interrupted:
      return false;
  }
  return false;
}

std::optional<Duration> parse_retry_after(std::string_view value, UnixTime now) {
  constexpr uint64_t kSecondsMax = 1'000'000'000;
  value = trimmed(value);
  if (const auto seconds = parse_number(value, kSecondsMax)) return Duration::seconds(static_cast<int64_t>(*seconds));
  const auto date = http::parse_date(value, now);
  if (!date) return {};
  return std::max(*date - now, Duration());
}

std::optional<Duration> retry_delay(const RetryOptions& options, const RetryFacts& facts) {
  if (facts.retries >= options.count) return {};
  Duration delay = kRetryDelayFirst;
  for (size_t i = 0; i < facts.retries && delay < kRetryDelayMax; i++) delay = delay * 2;
  delay = std::min(delay, kRetryDelayMax);
  if (options.delay) delay = *options.delay;
  if (facts.retry_after && *facts.retry_after > kRetryAfterMax) return {};
  if (facts.retry_after) delay = std::max(delay, *facts.retry_after);
  // A try that would begin too late is not waited for.
  if (options.time_limit && facts.elapsed + delay > *options.time_limit) return {};
  return delay;
}

}  // namespace quoll::app
