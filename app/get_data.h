// What is sent by -d and its siblings, put together in the order of the command line; and files that options name for their
// contents.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "app/get_options.h"
#include "app/options.h"

namespace quoll::app {

bool is_data(const Option& option);
/// Fills GetOptions::data and what says of which kind it is. 0; or the exit code, after a message.
[[nodiscard]] int read_data(const Arguments& arguments, GetOptions& options);

/// Fills GetOptions::form, from options that are well-formed; what is no regular file is read here. 0, or the exit code after a
/// message.
[[nodiscard]] int read_form(const Arguments& arguments, GetOptions& options);

/// The contents of a file that an option names; "-" is standard input. The exit code otherwise, after a message.
[[nodiscard]] std::expected<std::string, int> read_named_file(std::string_view path);

/// What -d makes of a file: without line ends and zero bytes, as curl has it.
std::string without_line_ends(std::string_view text);

}  // namespace quoll::app
