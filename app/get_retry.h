// Whether, and when, a transfer that failed is tried again (--retry). Pure.
//
// What may pass by itself is tried again: a name that is not found, nobody who answers, a time that is over, and the statuses
// by which servers say "not now" (RFC 9110 §15.5.9, §15.6.1, §15.6.3 to §15.6.5; RFC 6585 §4). --retry-all-errors adds
// whatever else went wrong between us and the server. What is wrong here, such as a full disk, never is.
//
// The wait is a second at first, and twice as long each time, unless --retry-delay says how long, or the server does
// (Retry-After, RFC 9110 §10.2.3).
#pragma once

#include <optional>
#include <string_view>

#include "app/exit_codes.h"
#include "app/get_options.h"
#include "base/time.h"
#include "base/unix_time.h"

namespace quoll::app {

inline constexpr Duration kRetryDelayFirst = Duration::seconds(1);
inline constexpr Duration kRetryDelayMax = Duration::seconds(600);
/// A server that wants more patience than that gets no further try: who started the program would not know that it waits.
inline constexpr Duration kRetryAfterMax = Duration::seconds(3600);

bool is_transient(unsigned status);
bool is_transient(GetExit exit, bool all_errors);

/// Retry-After: seconds or a date. Empty: neither.
std::optional<Duration> parse_retry_after(std::string_view value, UnixTime now);

struct RetryFacts {
  size_t retries = 0;  // that have been made
  Duration elapsed{};  // since the first try began
  std::optional<Duration> retry_after{};
};
/// How long to wait before the next try; empty: there is none.
std::optional<Duration> retry_delay(const RetryOptions& options, const RetryFacts& facts);

}  // namespace quoll::app
