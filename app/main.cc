// The quoll program: finds the subcommand and runs it. One file per subcommand.
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "app/commands.h"
#include "crypto/cpu.h"

namespace {

using quoll::app::Command;

constexpr Command kCommands[] = {
    {"cert", "make, show and verify certificates", quoll::app::cert},
    {"completion", "what makes a shell complete the words of quoll", quoll::app::completion},
    {"get", "transfer URLs by HTTP/3", quoll::app::get},
    {"perf", "load HTTP/3 servers, and measure", quoll::app::perf},
    {"qlog", "print the events of a qlog file, and their totals", quoll::app::qlog},
    {"serve", "an HTTP/3 server of static files", quoll::app::serve},
    {"version", "the version, and which implementation serves each algorithm", quoll::app::version},
};

void print_usage(std::FILE* to) {
  std::fprintf(to, "usage: quoll COMMAND [OPTION...]\n\n");
  for (const Command& command : kCommands) {
    std::fprintf(to, "  %-11.*s%.*s\n", static_cast<int>(command.name.size()), command.name.data(),
                 static_cast<int>(command.summary.size()), command.summary.data());
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (const char* cap = std::getenv("QUOLL_CPU"); cap && !quoll::crypto::cpu::tier_named(cap)) {
    std::fprintf(stderr, "quoll: QUOLL_CPU=%s is none of portable, aesni, avx2, avx512\n", cap);
    return quoll::app::kUsageError;
  }
  if (argc < 2) {
    print_usage(stderr);
    return quoll::app::kUsageError;
  }
  std::string_view name = argv[1];
  const bool asks_for_help = name == "--help" || name == "-h" || name == "help";
  if (asks_for_help && argc < 3) {
    print_usage(stdout);
    return 0;
  }
  if (asks_for_help) name = argv[2];
  if (name == "--version") name = "version";
  char help[] = "--help";
  char* const only_help[] = {help};
  std::span<char* const> arguments(argv + 2, static_cast<size_t>(argc - 2));
  if (asks_for_help) arguments = only_help;
  for (const Command& command : kCommands) {
    if (command.name == name) return command.run(arguments);
  }
  std::fprintf(stderr, "quoll: %.*s is not a command; `quoll --help` lists them\n", static_cast<int>(name.size()),
               name.data());
  return quoll::app::kUsageError;
}
