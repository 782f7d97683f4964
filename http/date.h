// HTTP-date (RFC 9110 §5.6.7): the times that Date, Last-Modified, If-Modified-Since and their like carry.
//
// All three formats are read, the one of today is written. Reading is strict: letters in their case, no further spaces, a day
// that its month has, and the weekday that the day was. A date that contradicts itself tells no time.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "base/unix_time.h"

namespace quoll::http {

/// "Sun, 06 Nov 1994 08:49:37 GMT". An array, since every response has one.
inline constexpr size_t kDateSize = 29;
using DateText = std::array<char, kDateSize>;

/// Whole seconds, rounded down. Years are 0 to 9999: what lies outside is written as the nearest time inside.
DateText date_text(UnixTime time);
inline std::string_view as_text(const DateText& text) { return {text.data(), text.size()}; }

/// `now` decides which century the two digits of a year belong to in the oldest format. A leap second counts as the first
/// second after it.
std::optional<UnixTime> parse_date(std::string_view text, UnixTime now);

}  // namespace quoll::http
