// The subcommands of the quoll program. Each takes its arguments without the program's and its own name, and returns
// the exit code.
#pragma once

#include <span>
#include <string_view>

namespace quoll::app {

inline constexpr int kUsageError = 2;  // the command line is wrong: one line on stderr says how

struct Command {
  std::string_view name;
  std::string_view summary;
  int (*run)(std::span<char* const> arguments);
};

int cert(std::span<char* const> arguments);
int completion(std::span<char* const> arguments);
int get(std::span<char* const> arguments);
int perf(std::span<char* const> arguments);
int qlog(std::span<char* const> arguments);
int serve(std::span<char* const> arguments);
int version(std::span<char* const> arguments);

}  // namespace quoll::app
