// Host names and the identities of a certificate (RFC 9525): DNS names as ASCII in the form that hosts have, and IP
// addresses as octets. The common name is never an identity.
#pragma once

#include <string_view>

#include "tls/x509/certificate.h"

namespace quoll::x509 {

inline constexpr size_t kDnsNameSizeMax = 253;  // RFC 1035 §2.3.4, as text without the final dot
inline constexpr size_t kDnsLabelSizeMax = 63;

/// Whether the leaf carries the name: subjectAltName only; DNS names compared label by label without regard to ASCII
/// case, with a wildcard as the whole left-most label; IP addresses by their octets. A final dot of `host` is ignored.
/// Internationalized names come as A-labels. Failure::name_mismatch.
[[nodiscard]] Result<void> verify_host(const Certificate& leaf, std::string_view host);

/// Whether this is a host's name: labels of letters, digits, hyphens (not at their ends) and underscores, whose last is
/// no number, so that no text is both a name and an address. No wildcard, no final dot.
bool is_host_name(std::string_view name);

/// Whether this is a name that a certificate may present: a host's name, or "*." before one of at least two labels.
bool is_presented_name(std::string_view name);

/// Whether the presented name (a wildcard or not) stands for the host; both without final dot.
bool dns_name_matches(std::string_view presented, std::string_view host);

/// ASCII case is ignored, nothing else.
bool equal_ignoring_case(std::string_view a, std::string_view b);

}  // namespace quoll::x509
