// Alt-Svc field values (RFC 7838 §3): where else an origin is served.
//
// A value that does not parse as a whole is no value. Hosts are checked and normalised as in URLs. Nothing here remembers,
// ages or chooses: that is the client's cache (§2.2).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace quoll::http {

struct AlternativeService {
  std::string protocol;   // the ALPN name, percent-decoded
  std::string host = {};  // as in Url; empty: the origin's own
  uint16_t port = 0;
  Duration max_age = Duration::seconds(24 * 3600);
  bool persist = false;
  friend bool operator==(const AlternativeService&, const AlternativeService&) = default;
};

struct AltSvc {
  bool clear = false;
  std::vector<AlternativeService> services;  // preferred first
  friend bool operator==(const AltSvc&, const AltSvc&) = default;
};

inline constexpr size_t kAlternativesMax = 32;  // what follows is not looked at

/// Empty: malformed.
std::optional<AltSvc> parse_alt_svc(std::string_view value);
std::string to_string(const AltSvc& alt_svc);

}  // namespace quoll::http
