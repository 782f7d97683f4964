#include "app/get_console.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

namespace quoll::app {
namespace {

/// Whether a body goes to the terminal, where a bar would be written over it.
bool body_is_on_terminal(const GetOptions& options) {
  const bool all_in_files = options.remote_names || options.targets.size() >= options.urls.size();
  const bool some_to_output = !all_in_files || std::ranges::find(options.targets, Target::Kind::standard_output,
                                                                 &Target::kind) != options.targets.end();
  return some_to_output && isatty(STDOUT_FILENO) == 1;
}

}  // namespace

std::string harmless(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    const auto byte = static_cast<uint8_t>(c);
    if ((byte < 0x20 && c != '\t') || byte == 0x7f) c = '.';
  }
  return out;
}

GetConsole::GetConsole(const GetOptions& options)
    : options_(options),
      shows_progress_(options.progress && !options.verbose && isatty(STDERR_FILENO) == 1 &&
                      !body_is_on_terminal(options)) {}

void GetConsole::error(std::string_view text) {
  if (options_.silent && !options_.show_error) return;
  bar_.clear();
  std::fputs(("quoll get: " + harmless(text) + "\n").c_str(), stderr);
}

void GetConsole::tell(char mark, std::string_view text) {
  if (!options_.verbose) return;
  std::string line(1, mark);
  line.append(" ").append(harmless(text)).append("\n");
  std::fputs(line.c_str(), stderr);
}

void GetConsole::draw(const ProgressState& state) {
  if (shows_progress_) bar_.draw(state);
}

}  // namespace quoll::app
