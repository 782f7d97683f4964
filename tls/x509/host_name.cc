#include "tls/x509/host_name.h"

#include <algorithm>

#include "base/address.h"
#include "tls/x509/failure.h"

namespace quoll::x509 {
namespace {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

constexpr bool is_label_character(char c) {
  // The underscore is no character of host names, but names with one exist, resolve, and have certificates.
  return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || c == '-' || c == '_';
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= kDnsLabelSizeMax && label.front() != '-' && label.back() != '-' &&
         std::ranges::all_of(label, is_label_character);
}

/// What resolvers may take for a part of an IPv4 address: decimal, octal or hexadecimal.
bool is_number(std::string_view label) {
  if (std::ranges::all_of(label, is_digit)) return true;
  if (label.size() < 2 || label[0] != '0' || lower(label[1]) != 'x') return false;
  return std::ranges::all_of(label.substr(2),
                             [](char c) { return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f'); });
}

Result<void> verify_address(const Certificate& leaf, const IpAddress& address) {
  // RFC 9525 §6.4: octet for octet. A DNS name that looks like an address is none.
  for (const GeneralName& name : *leaf.subject_alt_names) {
    if (name.kind == GeneralName::Kind::ip && std::ranges::equal(name.value, address.octets())) return {};
  }
  return refuse(Failure::name_mismatch, "the certificate does not carry this IP address");
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

bool is_host_name(std::string_view name) {
  if (name.empty() || name.size() > kDnsNameSizeMax) return false;
  while (true) {
    const size_t dot = name.find('.');
    const std::string_view label = name.substr(0, dot);
    if (!is_label(label)) return false;
    if (dot == std::string_view::npos) return !is_number(label);
    name.remove_prefix(dot + 1);
  }
}

bool is_presented_name(std::string_view name) {
  if (!name.starts_with("*.")) return is_host_name(name);
  // A wildcard before a single label would stand for every name of a top-level domain.
  const std::string_view rest = name.substr(2);
  return name.size() <= kDnsNameSizeMax && is_host_name(rest) && rest.contains('.');
}

bool dns_name_matches(std::string_view presented, std::string_view host) {
  // RFC 9525 §6.3: a wildcard that is not the whole left-most label makes the presented identifier invalid.
  if (!is_presented_name(presented)) return false;
  if (!presented.starts_with("*.")) return equal_ignoring_case(presented, host);
  const size_t dot = host.find('.');
  return dot != std::string_view::npos && dot != 0 && equal_ignoring_case(presented.substr(1), host.substr(dot));
}

Result<void> verify_host(const Certificate& leaf, std::string_view host) {
  if (!leaf.subject_alt_names) return refuse(Failure::name_mismatch, "the certificate has no subjectAltName");
  if (const auto address = IpAddress::parse(host)) return verify_address(leaf, *address);
  if (host.ends_with('.')) host.remove_suffix(1);
  if (!is_host_name(host)) {
    return refuse(Failure::name_mismatch, "the expected name is neither a DNS name (in ASCII) nor an IP address");
  }
  for (const GeneralName& name : *leaf.subject_alt_names) {
    if (name.kind == GeneralName::Kind::dns && dns_name_matches(as_text(name.value), host)) return {};
  }
  return refuse(Failure::name_mismatch, "the certificate does not carry this DNS name");
}

}  // namespace quoll::x509
