#include "http/date.h"

#include <algorithm>
#include <span>

#include "http/characters.h"

namespace quoll::http {
namespace {

using Names = std::array<std::string_view, 7>;
constexpr Names kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr Names kLongDays = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr int64_t kSecondsPerDay = 86'400;
constexpr int64_t kYearsMax = 9999;

// The Gregorian calendar, in days since the first of January of the year 0, which was a leap year.

constexpr bool is_leap(int64_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

constexpr int64_t days_before_year(int64_t year) {
  return year * 365 + (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400;
}

constexpr unsigned days_in_month(int64_t year, unsigned month) {
  constexpr std::array<uint8_t, 12> kDaysInMonth = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return kDaysInMonth[month - 1] + (month == 2 && is_leap(year) ? 1 : 0);
}

constexpr int64_t kDaysBefore1970 = days_before_year(1970);
constexpr int64_t kDaysInAll = days_before_year(kYearsMax + 1);

struct Date {
  int64_t year = 0;
  unsigned month = 1, day = 1;  // from 1 on
};

int64_t days_of(const Date& date) {
  int64_t days = days_before_year(date.year) + date.day - 1;
  for (unsigned month = 1; month < date.month; month++) days += days_in_month(date.year, month);
  return days;
}

Date date_of(int64_t days) {
  Date date;
  date.year = days * 400 / days_before_year(400);
  // The mean length of years is a good guess, one year wrong at most.
  if (days_before_year(date.year) > days) date.year--;
  if (days_before_year(date.year + 1) <= days) date.year++;
  auto rest = static_cast<unsigned>(days - days_before_year(date.year));
  while (rest >= days_in_month(date.year, date.month)) rest -= days_in_month(date.year, date.month++);
  date.day = rest + 1;
  return date;
}

/// The calendar begins on a Saturday.
size_t weekday_of(int64_t days) { return static_cast<size_t>((days + 6) % 7); }

/// Takes a date apart from left to right; after the first thing that is not as wanted all is wrong.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  bool ok() const { return ok_ && rest_.empty(); }
  void literal(std::string_view wanted) {
    ok_ = ok_ && rest_.starts_with(wanted);
    if (ok_) rest_.remove_prefix(wanted.size());
  }
  unsigned digits(size_t count) {
    ok_ = ok_ && rest_.size() >= count;
    unsigned number = 0;
    for (size_t i = 0; ok_ && i < count; i++) {
      const char c = rest_[i];
      ok_ = is_digit(c);
      number = number * 10 + static_cast<unsigned>(c - '0');
    }
    if (ok_) rest_.remove_prefix(count);
    return number;
  }
  /// asctime's day: two digits, or a space and one.
  unsigned padded_day() {
    if (!rest_.starts_with(' ')) return digits(2);
    rest_.remove_prefix(1);
    return digits(1);
  }
  /// The index of the name that comes next.
  size_t name(std::span<const std::string_view> names) {
    for (size_t i = 0; ok_ && i < names.size(); i++) {
      if (!rest_.starts_with(names[i])) continue;
      rest_.remove_prefix(names[i].size());
      return i;
    }
    ok_ = false;
    return 0;
  }
  bool next_is(char c) const { return rest_.starts_with(c); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

struct Parts {
  size_t weekday = 0;
  Date date;
  unsigned hour = 0, minute = 0, second = 0;
};

void take_time_of_day(Cursor& cursor, Parts& parts) {
  parts.hour = cursor.digits(2);
  cursor.literal(":");
  parts.minute = cursor.digits(2);
  cursor.literal(":");
  parts.second = cursor.digits(2);
}

unsigned take_month(Cursor& cursor) { return static_cast<unsigned>(cursor.name(kMonths)) + 1; }

/// "06 Nov 1994 08:49:37 GMT", after the weekday and its comma.
void take_fixdate(Cursor& cursor, Parts& parts) {
  parts.date.day = cursor.digits(2);
  cursor.literal(" ");
  parts.date.month = take_month(cursor);
  cursor.literal(" ");
  parts.date.year = cursor.digits(4);
  cursor.literal(" ");
  take_time_of_day(cursor, parts);
  cursor.literal(" GMT");
}

/// "06-Nov-94 08:49:37 GMT".
void take_rfc850(Cursor& cursor, Parts& parts) {
  parts.date.day = cursor.digits(2);
  cursor.literal("-");
  parts.date.month = take_month(cursor);
  cursor.literal("-");
  parts.date.year = cursor.digits(2);
  cursor.literal(" ");
  take_time_of_day(cursor, parts);
  cursor.literal(" GMT");
}

/// "Nov  6 08:49:37 1994".
void take_asctime(Cursor& cursor, Parts& parts) {
  parts.date.month = take_month(cursor);
  cursor.literal(" ");
  parts.date.day = cursor.padded_day();
  cursor.literal(" ");
  take_time_of_day(cursor, parts);
  cursor.literal(" ");
  parts.date.year = cursor.digits(4);
}

std::optional<UnixTime> time_of(const Parts& parts) {
  if (parts.date.day < 1 || parts.date.day > days_in_month(parts.date.year, parts.date.month)) return {};
  if (parts.hour > 23 || parts.minute > 59 || parts.second > 60) return {};
  const int64_t days = days_of(parts.date);
  if (weekday_of(days) != parts.weekday) return {};
  return UnixTime::from_seconds((days - kDaysBefore1970) * kSecondsPerDay + parts.hour * 3600 + parts.minute * 60 +
                                parts.second);
}

/// Days since the year 0, and the second of the day; the years 0 to 9999.
struct Split {
  int64_t days;
  unsigned second;
};
Split split(UnixTime time) {
  const int64_t first = -kDaysBefore1970 * kSecondsPerDay, last = first + kDaysInAll * kSecondsPerDay - 1;
  const int64_t seconds = std::clamp(time.as_seconds(), first, last) - first;
  return {seconds / kSecondsPerDay, static_cast<unsigned>(seconds % kSecondsPerDay)};
}

/// RFC 9110 §5.6.7: a year of two digits that seems to lie more than 50 years ahead is the last one in the past that ends
/// so. Which year: the latest that does not lie more than 50 years ahead.
int64_t full_year(const Parts& parts, UnixTime now) {
  const Split today = split(now);
  const Date date = date_of(today.days);
  const auto key = [](const Date& day, unsigned second) {
    return ((day.year * 12 + day.month) * 31 + day.day) * kSecondsPerDay + second;
  };
  const int64_t limit = key({date.year + 50, date.month, date.day}, today.second);
  const unsigned second = parts.hour * 3600 + parts.minute * 60 + parts.second;
  int64_t year = date.year - date.year % 100 + 100 + parts.date.year;
  while (year >= 100 && key({year, parts.date.month, parts.date.day}, second) > limit) year -= 100;
  return year;
}

void put(char*& at, std::string_view text) { at = std::copy(text.begin(), text.end(), at); }

void put_number(char*& at, unsigned number, size_t digits) {
  for (size_t i = digits; i > 0; i--) {
    at[i - 1] = static_cast<char>('0' + number % 10);
    number /= 10;
  }
  at += digits;
}

}  // namespace

DateText date_text(UnixTime time) {
  const auto [all_days, second_of_day] = split(time);
  const Date date = date_of(all_days);

  DateText text;
  char* at = text.data();
  put(at, kDays[weekday_of(all_days)]);
  put(at, ", ");
  put_number(at, date.day, 2);
  put(at, " ");
  put(at, kMonths[date.month - 1]);
  put(at, " ");
  put_number(at, static_cast<unsigned>(date.year), 4);
  put(at, " ");
  put_number(at, second_of_day / 3600, 2);
  put(at, ":");
  put_number(at, second_of_day / 60 % 60, 2);
  put(at, ":");
  put_number(at, second_of_day % 60, 2);
  put(at, " GMT");
  return text;
}

std::optional<UnixTime> parse_date(std::string_view text, UnixTime now) {
  Parts parts;
  Cursor cursor(text);
  // The long names begin with the short ones, so they are looked for first.
  const bool is_long = std::ranges::any_of(kLongDays, [&](std::string_view name) { return text.starts_with(name); });
  parts.weekday = cursor.name(is_long ? kLongDays : kDays);
  const bool is_fixdate = !is_long && cursor.next_is(',');
  cursor.literal(is_long || is_fixdate ? ", " : " ");
  if (is_long) {
    take_rfc850(cursor, parts);
  } else if (is_fixdate) {
    take_fixdate(cursor, parts);
  } else {
    take_asctime(cursor, parts);
  }
  if (!cursor.ok()) return {};
  if (is_long) parts.date.year = full_year(parts, now);
  return time_of(parts);
}

}  // namespace quoll::http
