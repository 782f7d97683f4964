#include "tls/x509/der_values.h"

#include <cstdio>

namespace quoll::x509 {
namespace {

using crypto::DerReader;
using crypto::DerTag;

constexpr uint8_t kMoreOctets = 0x80;  // X.690 §8.19.2: the arc goes on in the next octet
constexpr int64_t kSecondsPerDay = 86'400;
constexpr int64_t kDaysPerEra = 146'097;      // 400 years of the Gregorian calendar
constexpr int64_t kDaysBefore1970 = 719'468;  // from 0000-03-01, where an era begins

struct Date {
  int64_t year;
  unsigned month, day;  // from 1
};

/// Days since 1970-01-01. Years that begin in March put the leap day last, so that the days of the months before it
/// follow a linear rule.
int64_t days_from(Date date) {
  const int64_t year = date.month <= 2 ? date.year - 1 : date.year;
  const int64_t era = (year >= 0 ? year : year - 399) / 400;
  const int64_t year_of_era = year - era * 400;
  const int64_t month = date.month > 2 ? date.month - 3 : date.month + 9;
  const int64_t day_of_year = (153 * month + 2) / 5 + date.day - 1;
  const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * kDaysPerEra + day_of_era - kDaysBefore1970;
}

Date date_from(int64_t days) {
  days += kDaysBefore1970;
  const int64_t era = (days >= 0 ? days : days - kDaysPerEra + 1) / kDaysPerEra;
  const int64_t day_of_era = days - era * kDaysPerEra;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / (kDaysPerEra - 1)) / 365;
  const int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t month = (5 * day_of_year + 2) / 153;
  const bool next_year = month >= 10;
  return {.year = year_of_era + era * 400 + (next_year ? 1 : 0),
          .month = static_cast<unsigned>(next_year ? month - 9 : month + 3),
          .day = static_cast<unsigned>(day_of_year - (153 * month + 2) / 5 + 1)};
}

unsigned days_in_month(int64_t year, unsigned month) {
  if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/// Takes digits from the front of a text; a character that is no digit makes every later number invalid.
class Digits {
 public:
  explicit Digits(Bytes text) : text_(text) {}

  unsigned next(size_t count) {
    unsigned value = 0;
    for (size_t i = 0; i < count; i++) {
      if (text_[i] < '0' || text_[i] > '9') ok_ = false;
      value = value * 10 + (text_[i] - '0');
    }
    text_ = text_.subspan(count);
    return value;
  }
  bool ok() const { return ok_; }

 private:
  Bytes text_;
  bool ok_ = true;
};

/// MMDDHHMMSSZ after the year.
std::optional<UnixTime> time_in_year(int64_t year, Digits digits) {
  const unsigned month = digits.next(2), day = digits.next(2);
  const unsigned hour = digits.next(2), minute = digits.next(2), second = digits.next(2);
  if (!digits.ok() || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month)) return std::nullopt;
  if (hour > 23 || minute > 59 || second > 59) return std::nullopt;
  const int64_t days = days_from({.year = year, .month = month, .day = day});
  return UnixTime::from_seconds(days * kSecondsPerDay + int64_t{hour} * 3'600 + minute * 60 + second);
}

constexpr size_t kUtcTimeSize = 13;          // YYMMDDHHMMSSZ
constexpr size_t kGeneralizedTimeSize = 15;  // YYYYMMDDHHMMSSZ

std::optional<UnixTime> utc_time(Bytes text) {
  if (text.size() != kUtcTimeSize || text.back() != 'Z') return std::nullopt;
  Digits digits(text);
  const unsigned year = digits.next(2);
  return time_in_year(year >= 50 ? 1900 + year : 2000 + year, digits);  // RFC 5280 §4.1.2.5.1
}

std::optional<UnixTime> generalized_time(Bytes text) {
  if (text.size() != kGeneralizedTimeSize || text.back() != 'Z') return std::nullopt;
  Digits digits(text);
  const unsigned year = digits.next(4);
  return time_in_year(year, digits);
}

}  // namespace

std::optional<bool> read_boolean(DerReader& reader) {
  const std::optional<Bytes> contents = reader.read(DerTag::boolean);
  if (!contents || contents->size() != 1) return std::nullopt;
  const uint8_t octet = (*contents)[0];
  if (octet != 0x00 && octet != 0xff) return std::nullopt;
  return octet == 0xff;
}

bool BitString::is_set(size_t bit) const {
  return bit / 8 < bytes.size() && (bytes[bit / 8] & 0x80 >> bit % 8) != 0;  // unused bits are zero
}

std::optional<BitString> read_bit_string(DerReader& reader) {
  const std::optional<Bytes> contents = reader.read(DerTag::bit_string);
  if (!contents || contents->empty()) return std::nullopt;
  const BitString bits{.bytes = contents->subspan(1), .unused_bits = (*contents)[0]};
  if (bits.unused_bits > 7 || (bits.bytes.empty() && bits.unused_bits != 0)) return std::nullopt;
  if (!bits.bytes.empty() && (bits.bytes.back() & ((1u << bits.unused_bits) - 1)) != 0) return std::nullopt;
  return bits;
}

bool is_oid(Bytes contents) {
  if (contents.empty() || (contents.back() & kMoreOctets) != 0) return false;
  bool arc_begins = true;
  for (const uint8_t octet : contents) {
    if (arc_begins && octet == kMoreOctets) return false;  // X.690 §8.19.2: leading zeros
    arc_begins = (octet & kMoreOctets) == 0;
  }
  return true;
}

std::optional<Bytes> read_oid(DerReader& reader) {
  const std::optional<Bytes> contents = reader.read(DerTag::object_identifier);
  if (!contents || !is_oid(*contents)) return std::nullopt;
  return contents;
}

std::string hex_text(Bytes bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::string oid_text(Bytes contents) {
  std::string text;
  uint64_t arc = 0;
  bool ok = is_oid(contents);
  for (const uint8_t octet : contents) {
    ok = ok && arc >> 57 == 0;
    arc = arc << 7 | (octet & 0x7f);
    if ((octet & kMoreOctets) != 0) continue;
    if (text.empty()) {  // X.690 §8.19.4: the first two arcs share one number
      const uint64_t first = arc < 80 ? arc / 40 : 2;
      text = std::to_string(first) + '.' + std::to_string(arc - first * 40);
    } else {
      text += '.' + std::to_string(arc);
    }
    arc = 0;
  }
  return ok ? text : '#' + hex_text(contents);
}

std::optional<Bytes> read_integer_contents(DerReader& reader) {
  const std::optional<Bytes> contents = reader.read(DerTag::integer);
  if (!contents || contents->empty()) return std::nullopt;
  const Bytes bytes = *contents;
  // X.690 §8.3.2: the first nine bits are not all equal.
  if (bytes.size() > 1 && ((bytes[0] == 0x00 && bytes[1] < 0x80) || (bytes[0] == 0xff && bytes[1] >= 0x80))) {
    return std::nullopt;
  }
  return bytes;
}

std::optional<Bytes> read_whole(DerReader& reader, DerTag tag) {
  if (!reader.next_is(tag)) return std::nullopt;
  return reader.read_element();
}

std::optional<UnixTime> read_time(DerReader& reader) {
  const bool is_utc = reader.next_is(DerTag::utc_time);
  const std::optional<Bytes> text = reader.read(is_utc ? DerTag::utc_time : DerTag::generalized_time);
  if (!text) return std::nullopt;
  return is_utc ? utc_time(*text) : generalized_time(*text);
}

std::string time_text(UnixTime time) {
  const int64_t seconds = time.as_seconds();
  const int64_t days = (seconds >= 0 ? seconds : seconds - kSecondsPerDay + 1) / kSecondsPerDay;
  const int64_t of_day = seconds - days * kSecondsPerDay;
  const Date date = date_from(days);
  char text[64];
  std::snprintf(text, sizeof text, "%04lld-%02u-%02u %02d:%02d:%02d UTC", static_cast<long long>(date.year), date.month,
                date.day, static_cast<int>(of_day / 3'600), static_cast<int>(of_day / 60 % 60),
                static_cast<int>(of_day % 60));
  return text;
}

bool AlgorithmIdentifier::parameters_are_null() const {
  return parameters && parameters->size() == 2 && (*parameters)[0] == static_cast<uint8_t>(DerTag::null);
}

std::optional<AlgorithmIdentifier> read_algorithm_identifier(DerReader& reader) {
  AlgorithmIdentifier algorithm;
  const std::optional<Bytes> element = read_whole(reader, DerTag::sequence);
  if (!element) return std::nullopt;
  algorithm.element = *element;
  DerReader sequence = DerReader(*element).enter(DerTag::sequence);
  const std::optional<Bytes> oid = read_oid(sequence);
  if (!oid) return std::nullopt;
  algorithm.oid = *oid;
  if (!sequence.at_end()) algorithm.parameters = sequence.read_element();
  if (!sequence.finished()) return std::nullopt;
  return algorithm;
}

}  // namespace quoll::x509
