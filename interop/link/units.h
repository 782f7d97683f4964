// Quantities as ns-3's command lines write them: 15ms, 10Mbps, 193.167.0.100/24; and rates in percent.
#pragma once

#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "interop/link/wire.h"

namespace quoll::link {

struct InterfaceAddress {
  IpAddress address;
  uint8_t prefix_size = 0;
};

std::optional<uint64_t> parse_count(std::string_view text);
/// A number, with decimals if it has to be, and one of ns, us, ms, s, min; from zero to a year.
std::optional<Duration> parse_time(std::string_view text);
/// A number and one of bps, kbps (or Kbps), Mbps, Gbps, more than zero; or "unlimited".
std::optional<Bandwidth> parse_rate(std::string_view text);
/// 0 to 100, with up to four decimals; in millionths of the whole.
std::optional<uint32_t> parse_percent(std::string_view text);
/// "2,3,7"
std::optional<std::set<uint64_t>> parse_numbers(std::string_view text);
/// "40Mbps@0s,10Mbps@5s", in order of time.
std::optional<std::vector<RateStep>> parse_rate_steps(std::string_view text);
std::optional<InterfaceAddress> parse_interface_address(std::string_view text);

}  // namespace quoll::link
