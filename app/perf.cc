// quoll perf: finds its subcommand.
#include "app/perf.h"

#include <cstdio>

#include "app/commands.h"

namespace quoll::app {
namespace {

constexpr Command kCommands[] = {
    {"serve", "an HTTP/3 server that gives as many bytes as a path says", perf_serve},
    {"get", "load an HTTP/3 server, and measure", perf_get},
};

void print_commands(std::FILE* to) {
  std::fprintf(to, "usage: quoll perf COMMAND [OPTION...]\n\n");
  for (const Command& command : kCommands) {
    std::fprintf(to, "  %-7.*s %.*s\n", static_cast<int>(command.name.size()), command.name.data(),
                 static_cast<int>(command.summary.size()), command.summary.data());
  }
  std::fprintf(to, "\n`quoll perf COMMAND --help` lists the options of each.\n");
}

}  // namespace

int perf(std::span<char* const> arguments) {
  if (arguments.empty()) {
    print_commands(stderr);
    return kUsageError;
  }
  const std::string_view name = arguments[0];
  if (name == "--help" || name == "-h" || name == "help") {
    print_commands(stdout);
    return 0;
  }
  for (const Command& command : kCommands) {
    if (command.name == name) return command.run(arguments.subspan(1));
  }
  std::fprintf(stderr, "quoll perf: %s is not a command; `quoll perf --help` lists them\n", arguments[0]);
  return kUsageError;
}

}  // namespace quoll::app
