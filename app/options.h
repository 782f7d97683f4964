// Command lines as GNU programs read them: --name value, --name=value, -n value, -nvalue, flags that may be bundled, --
// before operands that look like options; operands and options in any order. Every subcommand describes its options in a
// table, from which --help is printed as well, and --list-options for shells that complete words (app/completion.cc).
#pragma once

#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace quoll::app {

struct Option {
  std::string_view name;   // without the dashes
  char letter;             // its short form, 0 for none
  std::string_view value;  // what its value is called in the help; empty: a flag, which takes none
  std::string_view help;   // broken into lines where it is printed
  bool rare = false;       // listed by --help-all alone, so that --help fits a screen
};

/// One subcommand's command line.
struct Usage {
  std::string_view command;   // "quoll cert show"
  std::string_view operands;  // "FILE"; empty: there are none
  std::string_view summary;   // a sentence or more; lines are broken where they have to be, and at '\n'
  std::span<const Option> options;
  size_t operands_min = 0, operands_max = 0;
};

/// A command line that was understood. Views of the arguments.
class Arguments {
 public:
  struct Given {
    const Option* option;
    std::string_view value;  // empty text for a flag
  };
  /// The exit code to end with when there is nothing to run: 0 after --help, which has been printed; kUsageError after a
  /// wrong command line, of which one line on stderr says what is wrong.
  [[nodiscard]] static std::expected<Arguments, int> parse(const Usage& usage, std::span<char* const> arguments);

  bool has(std::string_view name) const { return value(name).has_value(); }
  /// The value of the last one, as usual; empty text for a flag.
  std::optional<std::string_view> value(std::string_view name) const;
  /// All values in order, of an option that may be repeated.
  std::vector<std::string_view> values(std::string_view name) const;
  /// All options in their order, for those to whom it matters.
  const std::vector<Given>& given() const { return given_; }
  const std::vector<std::string_view>& operands() const { return operands_; }

 private:
  class Parser;
  std::vector<Given> given_;
  std::vector<std::string_view> operands_;
};

/// Prints "COMMAND: WHAT; `COMMAND --help` lists the options" on stderr and returns kUsageError.
int wrong_usage(const Usage& usage, std::string_view what);

/// A decimal number without a sign, up to `largest`.
std::optional<uint64_t> parse_number(std::string_view text, uint64_t largest);

/// What was asked for on the command line, or else by the environment variable; empty: neither.
std::optional<std::string> option_or_environment(std::optional<std::string_view> option, const char* variable);

}  // namespace quoll::app
