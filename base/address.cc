#include "base/address.h"

#include <algorithm>
#include <charconv>

namespace quoll {

namespace {

/// A decimal number without sign or leading zero, at most `largest`.
std::optional<uint32_t> parse_decimal(std::string_view text, uint32_t largest) {
  if (text.empty() || text.size() > 10 || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = 10 * value + static_cast<uint64_t>(c - '0');
  }
  if (value > largest) return std::nullopt;
  return static_cast<uint32_t>(value);
}

/// One to four hexadecimal digits.
std::optional<uint16_t> parse_group(std::string_view text) {
  if (text.empty() || text.size() > 4) return std::nullopt;
  uint16_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::array<uint8_t, 4>> parse_ipv4(std::string_view text) {
  std::array<uint8_t, 4> octets;
  for (size_t i = 0; i < 4; i++) {
    const size_t end = i < 3 ? text.find('.') : text.size();
    if (end == std::string_view::npos) return std::nullopt;
    const auto octet = parse_decimal(text.substr(0, end), 255);
    if (!octet) return std::nullopt;
    octets[i] = static_cast<uint8_t>(*octet);
    text.remove_prefix(i < 3 ? end + 1 : end);
  }
  return octets;
}

/// RFC 4291 §2.2.
std::optional<std::array<uint8_t, 16>> parse_ipv6(std::string_view text) {
  std::array<uint8_t, 16> octets = {};
  size_t size = 0;            // octets read
  std::optional<size_t> gap;  // where "::" stands
  if (text.starts_with("::")) {
    gap = 0;
    text.remove_prefix(2);
  }
  while (!text.empty()) {
    const size_t end = std::min(text.find(':'), text.size());
    const std::string_view group = text.substr(0, end);
    if (group.find('.') != std::string_view::npos) {  // a dotted quad ends the address
      const auto quad = parse_ipv4(group);
      if (!quad || end != text.size() || size > 12) return std::nullopt;
      copy_bytes(octets.data() + size, *quad);
      size += 4;
      break;
    }
    const auto value = parse_group(group);
    if (!value || size == 16) return std::nullopt;
    store_be(octets.data() + size, *value);
    size += 2;
    if (end == text.size()) break;
    text.remove_prefix(end + 1);
    if (text.empty()) return std::nullopt;  // a single colon at the end
    if (text[0] == ':') {
      if (gap) return std::nullopt;
      gap = size;
      text.remove_prefix(1);
    }
  }
  if (!gap) return size == 16 ? std::optional(octets) : std::nullopt;
  if (size == 16) return std::nullopt;  // "::" stands for one group at least
  std::array<uint8_t, 16> whole = {};
  const size_t after = size - *gap;
  copy_bytes(whole.data(), Bytes(octets).first(*gap));
  copy_bytes(whole.data() + 16 - after, Bytes(octets).subspan(*gap, after));
  return whole;
}

void append_number(std::string& text, uint32_t value, int radix) {
  char digits[10];
  const auto result = std::to_chars(digits, digits + sizeof digits, value, radix);
  text.append(digits, result.ptr);
}

void append_ipv4(std::string& text, Bytes octets) {
  for (size_t i = 0; i < 4; i++) {
    if (i != 0) text += '.';
    append_number(text, octets[i], 10);
  }
}

/// RFC 5952 §4: lower case, no leading zeros, "::" for the first of the longest runs of two or more zero groups. §5: an
/// IPv4-mapped address (RFC 4291 §2.5.5.2) ends in a dotted quad.
void append_ipv6(std::string& text, Bytes octets) {
  uint16_t groups[8];
  for (size_t i = 0; i < 8; i++) groups[i] = load_be<uint16_t>(octets.data() + 2 * i);
  size_t gap = 8, gap_size = 1;
  for (size_t i = 0; i < 8;) {
    size_t end = i;
    while (end < 8 && groups[end] == 0) end++;
    if (end - i > gap_size) {
      gap = i;
      gap_size = end - i;
    }
    i = end + 1;
  }
  const bool mapped = gap == 0 && gap_size == 5 && groups[5] == 0xffff;
  for (size_t i = 0; i < 8;) {
    if (i == gap) {
      text += "::";
      i += gap_size;
      continue;
    }
    if (i != 0 && text.back() != ':') text += ':';
    if (mapped && i == 6) return append_ipv4(text, octets.subspan(12));
    append_number(text, groups[i], 16);
    i++;
  }
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  if (text.find(':') == std::string_view::npos) {
    const auto octets = parse_ipv4(text);
    return octets ? std::optional(v4(*octets)) : std::nullopt;
  }
  uint32_t scope = 0;
  if (const size_t percent = text.find('%'); percent != std::string_view::npos) {
    const auto number = parse_decimal(text.substr(percent + 1), UINT32_MAX);
    if (!number || *number == 0) return std::nullopt;
    scope = *number;
    text = text.substr(0, percent);
  }
  const auto octets = parse_ipv6(text);
  return octets ? std::optional(v6(*octets, scope)) : std::nullopt;
}

std::string IpAddress::to_string() const {
  std::string text;
  switch (family_) {
    case Family::none:
      text = "none";
      break;
    case Family::ipv4:
      append_ipv4(text, octets());
      break;
    case Family::ipv6:
      append_ipv6(text, octets());
      break;
  }
  if (scope_ != 0) {
    text += '%';
    append_number(text, scope_, 10);
  }
  return text;
}

std::optional<SocketAddress> SocketAddress::parse(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = parse_decimal(text.substr(colon + 1), UINT16_MAX);
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto ip = IpAddress::parse(host);
  if (!port || !ip || bracketed != (ip->family() == IpAddress::Family::ipv6)) return std::nullopt;
  return SocketAddress{.ip = *ip, .port = static_cast<uint16_t>(*port)};
}

std::string SocketAddress::to_string() const {
  std::string text = ip.to_string();
  if (ip.family() == IpAddress::Family::ipv6) text = '[' + text + ']';
  text += ':';
  append_number(text, port, 10);
  return text;
}

std::array<uint8_t, SocketAddress::kKeySize> SocketAddress::key() const {
  std::array<uint8_t, kKeySize> bytes = {};
  copy_bytes(bytes.data(), ip.octets());
  store_be(bytes.data() + 16, ip.scope());
  store_be(bytes.data() + 20, port);
  bytes[22] = static_cast<uint8_t>(ip.family());
  return bytes;
}

}  // namespace quoll
