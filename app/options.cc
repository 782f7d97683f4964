#include "app/options.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "app/commands.h"

namespace quoll::app {
namespace {

constexpr size_t kScreenWidth = 80, kNamesWidth = 28;

constexpr Option kHelp = {"help", 'h', "", "this text"};
constexpr Option kHelpAll = {"help-all", 0, "", "all options"};
constexpr Option kListOptions = {"list-options", 0, "", "the options for a shell that completes words", true};

bool has_rare_options(const Usage& usage) { return std::ranges::any_of(usage.options, &Option::rare); }

const Option* find_option(const Usage& usage, std::string_view name) {
  if (name == kHelp.name) return &kHelp;
  if (name == kListOptions.name) return &kListOptions;
  if (name == kHelpAll.name && has_rare_options(usage)) return &kHelpAll;
  const auto found = std::ranges::find(usage.options, name, &Option::name);
  return found == usage.options.end() ? nullptr : &*found;
}

const Option* find_letter(const Usage& usage, char letter) {
  const auto found = std::ranges::find(usage.options, letter, &Option::letter);
  if (found != usage.options.end()) return &*found;
  return letter == kHelp.letter ? &kHelp : nullptr;
}

std::string left_column(const Option& option) {
  std::string text = option.letter != 0 ? std::string("  -") + option.letter + ", --" : "      --";
  text += option.name;
  if (!option.value.empty()) text.append(" ").append(option.value);
  return text;
}

/// A line of as many words as there is room for, off the front.
std::string_view take_line(std::string_view& text, size_t room) {
  const size_t newline = std::min(text.find('\n'), text.size());
  size_t end = newline;
  if (end > room) end = std::min(text.rfind(' ', room), newline);
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

/// What an option is called, and its help beside it; below it where the name is too long for its column.
void append_option(std::string& text, const Option& option, size_t width) {
  constexpr size_t kGap = 2;
  std::string line = left_column(option);
  if (line.size() > width) {
    text.append(line).append("\n");
    line.clear();
  }
  for (std::string_view rest = option.help; !rest.empty();) {
    line.resize(width + kGap, ' ');
    text.append(line).append(take_line(rest, kScreenWidth - width - kGap)).append("\n");
    line.clear();
  }
}

void print_help(const Usage& usage, bool all) {
  std::string text = "usage: ";
  text.append(usage.command).append(" [OPTION...]");
  if (!usage.operands.empty()) text.append(" ").append(usage.operands);
  text += "\n\n";
  for (std::string_view rest = usage.summary; !rest.empty();) text.append(take_line(rest, kScreenWidth)).append("\n");
  text += '\n';
  std::vector<Option> shown;
  std::ranges::copy_if(usage.options, std::back_inserter(shown),
                       [all](const Option& each) { return all || !each.rare; });
  shown.push_back(kHelp);
  if (!all && has_rare_options(usage)) shown.push_back(kHelpAll);
  size_t width = 0;
  for (const Option& option : shown) width = std::max(width, left_column(option).size());
  width = std::min(width, kNamesWidth);
  for (const Option& option : shown) append_option(text, option, width);
  std::fputs(text.c_str(), stdout);
}

/// A line for each option, its fields separated by tabs: name, letter, what its value is called, help.
void list_options(const Usage& usage) {
  std::vector<Option> all(usage.options.begin(), usage.options.end());
  all.push_back(kHelp);
  if (has_rare_options(usage)) all.push_back(kHelpAll);
  std::string text;
  for (const Option& option : all) {
    text.append("--").append(option.name).append("\t");
    if (option.letter != 0) text.append("-").append(1, option.letter);
    text.append("\t").append(option.value).append("\t").append(option.help).append("\n");
  }
  std::fputs(text.c_str(), stdout);
}

}  // namespace

int wrong_usage(const Usage& usage, std::string_view what) {
  std::string line(usage.command);
  line.append(": ").append(what).append("; `").append(usage.command).append(" --help` lists the options\n");
  std::fputs(line.c_str(), stderr);
  return kUsageError;
}

/// Walks over the arguments. Each take function returns what is wrong, or an empty text.
class Arguments::Parser {
 public:
  Parser(const Usage& usage, std::span<char* const> arguments) : usage_(usage), rest_(arguments) {}

  std::string run() {
    bool only_operands = false;
    while (!rest_.empty()) {
      const std::string_view argument = next();
      std::string wrong;
      if (only_operands || argument == "-" || !argument.starts_with('-')) {
        result_.operands_.push_back(argument);
      } else if (argument == "--") {
        only_operands = true;
      } else {
        wrong = argument.starts_with("--") ? take_long(argument) : take_letters(argument);
      }
      if (!wrong.empty() || wish_) return wrong;
    }
    const size_t count = result_.operands_.size();
    if (count > usage_.operands_max) return std::string(result_.operands_[usage_.operands_max]) + " is one too many";
    if (count < usage_.operands_min) return std::string(usage_.operands) + " is missing";
    return {};
  }

  /// --help or one of its siblings; null: none of them.
  const Option* wish() const { return wish_; }
  Arguments take_result() { return std::move(result_); }

 private:
  std::string_view next() {
    const std::string_view argument = rest_[0];
    rest_ = rest_.subspan(1);
    return argument;
  }

  void add(const Option& option, std::string_view value) {
    if (&option == &kHelp || &option == &kHelpAll || &option == &kListOptions) wish_ = &option;
    result_.given_.push_back({&option, value});
  }

  std::string take_long(std::string_view argument) {
    const size_t equals = argument.find('=');
    const std::string shown(argument.substr(0, equals));
    const Option* const option = find_option(usage_, std::string_view(shown).substr(2));
    if (!option) return shown + " is not an option";
    if (option->value.empty()) {
      if (equals != std::string_view::npos) return shown + " takes no value";
      add(*option, {});
    } else if (equals != std::string_view::npos) {
      add(*option, argument.substr(equals + 1));
    } else {
      if (rest_.empty()) return shown + " wants a value";
      add(*option, next());
    }
    return {};
  }

  std::string take_letters(std::string_view argument) {
    for (size_t at = 1; at < argument.size(); at++) {
      const std::string shown = std::string("-") + argument[at];
      const Option* const option = find_letter(usage_, argument[at]);
      if (!option) return shown + " is not an option";
      if (option->value.empty()) {
        add(*option, {});
        continue;
      }
      const std::string_view attached = argument.substr(at + 1);
      if (attached.empty() && rest_.empty()) return shown + " wants a value";
      add(*option, attached.empty() ? next() : attached);
      break;
    }
    return {};
  }

  const Usage& usage_;
  std::span<char* const> rest_;
  Arguments result_;
  const Option* wish_ = nullptr;
};

std::expected<Arguments, int> Arguments::parse(const Usage& usage, std::span<char* const> arguments) {
  Parser parser(usage, arguments);
  if (const std::string wrong = parser.run(); !wrong.empty()) return std::unexpected(wrong_usage(usage, wrong));
  if (parser.wish()) {
    if (parser.wish() == &kListOptions) {
      list_options(usage);
    } else {
      print_help(usage, parser.wish() == &kHelpAll);
    }
    return std::unexpected(0);
  }
  return parser.take_result();
}

std::optional<std::string_view> Arguments::value(std::string_view name) const {
  const std::vector<std::string_view> all = values(name);
  if (all.empty()) return std::nullopt;
  return all.back();
}

std::vector<std::string_view> Arguments::values(std::string_view name) const {
  std::vector<std::string_view> found;
  for (const Given& given : given_) {
    if (given.option->name == name) found.push_back(given.value);
  }
  return found;
}

std::optional<uint64_t> parse_number(std::string_view text, uint64_t largest) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number > largest) return std::nullopt;
  return number;
}

std::optional<std::string> option_or_environment(std::optional<std::string_view> option, const char* variable) {
  if (option) return std::string(*option);
  const char* const value = std::getenv(variable);
  if (!value || *value == '\0') return {};
  return std::string(value);
}

}  // namespace quoll::app
