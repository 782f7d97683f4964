// quoll perf: finds its subcommand.
#include "app/perf.h"

#include "app/command_group.h"

namespace quoll::app {

int perf(std::span<char* const> arguments) {
  constexpr Command kCommands[] = {
      {"serve", "an HTTP/3 server that gives as many bytes as a path says", perf_serve},
      {"get", "load an HTTP/3 server, and measure", perf_get},
  };
  return run_subcommand("perf", kCommands, arguments);
}

}  // namespace quoll::app
