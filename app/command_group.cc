#include "app/command_group.h"

#include <cstdio>

namespace quoll::app {
namespace {

void print_subcommands(std::FILE* to, std::string_view group, std::span<const Command> subcommands) {
  const int size = static_cast<int>(group.size());
  std::fprintf(to, "usage: quoll %.*s COMMAND [OPTION...]\n\n", size, group.data());
  for (const Command& command : subcommands) {
    std::fprintf(to, "  %-7.*s %.*s\n", static_cast<int>(command.name.size()), command.name.data(),
                 static_cast<int>(command.summary.size()), command.summary.data());
  }
  std::fprintf(to, "\n`quoll %.*s COMMAND --help` lists the options of each.\n", size, group.data());
}

}  // namespace

int run_subcommand(std::string_view group, std::span<const Command> subcommands, std::span<char* const> arguments) {
  if (arguments.empty()) {
    print_subcommands(stderr, group, subcommands);
    return kUsageError;
  }
  const std::string_view name = arguments[0];
  if (name == "--help" || name == "-h" || name == "help") {
    print_subcommands(stdout, group, subcommands);
    return 0;
  }
  for (const Command& command : subcommands) {
    if (command.name == name) return command.run(arguments.subspan(1));
  }
  const int size = static_cast<int>(group.size());
  std::fprintf(stderr, "quoll %.*s: %s is not a command; `quoll %.*s --help` lists them\n", size, group.data(),
               arguments[0], size, group.data());
  return kUsageError;
}

}  // namespace quoll::app
