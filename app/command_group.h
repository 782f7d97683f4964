// A command whose work is in subcommands of its own: `quoll cert`, `quoll perf`.
#pragma once

#include "app/commands.h"

namespace quoll::app {

/// Runs the one that the first argument names, with the arguments after it, or lists them (--help). `group`: the command's name.
/// The exit code.
int run_subcommand(std::string_view group, std::span<const Command> subcommands, std::span<char* const> arguments);

}  // namespace quoll::app
