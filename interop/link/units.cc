#include "interop/link/units.h"

#include <charconv>
#include <cmath>

namespace quoll::link {
namespace {

/// The number at the text's beginning, and what follows it.
struct Quantity {
  double number;
  std::string_view unit;
};

std::optional<Quantity> split(std::string_view text) {
  if (text.empty() || text[0] < '0' || text[0] > '9') return std::nullopt;  // no sign, no "inf"
  Quantity quantity{};
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), quantity.number, std::chars_format::fixed);
  if (error != std::errc()) return std::nullopt;
  quantity.unit = text.substr(static_cast<size_t>(end - text.data()));
  return quantity;
}

/// Calls `take` for each piece between commas until it says false.
template <class Take>
bool for_each_piece(std::string_view text, Take take) {
  for (;;) {
    const size_t comma = text.find(',');
    if (!take(text.substr(0, comma))) return false;
    if (comma == std::string_view::npos) return true;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace

std::optional<uint64_t> parse_count(std::string_view text) {
  uint64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return count;
}

std::optional<Duration> parse_time(std::string_view text) {
  const std::optional<Quantity> quantity = split(text);
  if (!quantity) return std::nullopt;
  double factor = 0;
  if (quantity->unit == "ns") factor = 1;
  if (quantity->unit == "us") factor = 1e3;
  if (quantity->unit == "ms") factor = 1e6;
  if (quantity->unit == "s") factor = 1e9;
  if (quantity->unit == "min") factor = 60e9;
  const bool is_plain_zero = quantity->number == 0 && quantity->unit.empty();
  const double nanoseconds = quantity->number * factor;
  constexpr double kYear = 365.0 * 86'400 * 1e9;
  if ((factor == 0 && !is_plain_zero) || nanoseconds > kYear) return std::nullopt;
  return Duration::nanoseconds(std::llround(nanoseconds));
}

std::optional<Bandwidth> parse_rate(std::string_view text) {
  if (text == "unlimited") return Bandwidth::infinite();
  const std::optional<Quantity> quantity = split(text);
  if (!quantity) return std::nullopt;
  double bits = 0;
  if (quantity->unit == "bps") bits = 1;
  if (quantity->unit == "kbps" || quantity->unit == "Kbps") bits = 1e3;
  if (quantity->unit == "Mbps") bits = 1e6;
  if (quantity->unit == "Gbps") bits = 1e9;
  bits *= quantity->number;
  if (!(bits >= 8) || bits > 1e12) return std::nullopt;
  return Bandwidth::bits_per_second(static_cast<uint64_t>(std::llround(bits)));
}

std::optional<uint32_t> parse_percent(std::string_view text) {
  const std::optional<Quantity> quantity = split(text);
  if (!quantity || !quantity->unit.empty() || quantity->number > 100) return std::nullopt;
  return static_cast<uint32_t>(std::llround(quantity->number * 1e4));
}

std::optional<std::set<uint64_t>> parse_numbers(std::string_view text) {
  std::set<uint64_t> numbers;
  const bool good = for_each_piece(text, [&](std::string_view piece) {
    const std::optional<uint64_t> number = parse_count(piece);
    if (!number || *number == 0) return false;
    numbers.insert(*number);
    return true;
  });
  return good ? std::optional(std::move(numbers)) : std::nullopt;
}

std::optional<std::vector<RateStep>> parse_rate_steps(std::string_view text) {
  std::vector<RateStep> steps;
  const bool good = for_each_piece(text, [&](std::string_view piece) {
    const size_t at = piece.find('@');
    if (at == std::string_view::npos) return false;
    const std::optional<Bandwidth> rate = parse_rate(piece.substr(0, at));
    const std::optional<Duration> time = parse_time(piece.substr(at + 1));
    if (!rate || !time || (!steps.empty() && *time <= steps.back().at)) return false;
    steps.push_back({.at = *time, .rate = *rate});
    return true;
  });
  return good ? std::optional(std::move(steps)) : std::nullopt;
}

std::optional<InterfaceAddress> parse_interface_address(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::optional<IpAddress> address = IpAddress::parse(text.substr(0, slash));
  const std::optional<uint64_t> size = parse_count(text.substr(slash + 1));
  if (!address || !size || *size > address->octets().size() * 8) return std::nullopt;
  return InterfaceAddress{.address = *address, .prefix_size = static_cast<uint8_t>(*size)};
}

}  // namespace quoll::link
