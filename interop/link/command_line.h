// The command line of quoll_link: the program's own options, and a scenario with those that ns-3's scenarios have.
//
// An option that the scenario has no use for is a mistake, as it is for ns-3's.
#pragma once

#include <expected>
#include <span>
#include <string>
#include <vector>

#include "interop/link/scenario.h"
#include "interop/link/units.h"

namespace quoll::link {

struct SideOptions {
  std::string network_namespace;  // a path such as /proc/123/ns/net
  std::string pcap;               // empty: none is written
  std::vector<InterfaceAddress> addresses;
};

struct Options {
  SideOptions left, right;
  uint64_t seed = 0;  // 0: draw one
  std::string statistics;
  int ready_fd = 1;
  bool wait_for_start = false;
  bool help = false;
  Scenario scenario;
};

/// `arguments` are those after the program's name. Else what is wrong with them, in a line.
std::expected<Options, std::string> parse_command_line(std::span<char* const> arguments);

std::string help_text();

}  // namespace quoll::link
