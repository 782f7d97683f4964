// quoll completion: scripts that make a shell complete the words of quoll.
//
// They hold no lists: they ask the program, `quoll --help` for the commands and `quoll COMMAND --list-options` for the
// options of one, so that what is completed is always what the program has. What an option's value is called tells what it
// may be: FILE and names in .pem are files, DIR is a folder, a|b is one of these.
#include <cstdio>
#include <string>
#include <string_view>

#include "app/commands.h"
#include "app/options.h"

namespace quoll::app {
namespace {

constexpr std::string_view kBash = R"sh(# bash completion for quoll: source <(quoll completion bash)
_quoll() {
  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} program=${COMP_WORDS[0]}
  local -a command=()
  local options value
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    mapfile -t COMPREPLY < <(compgen -W "$("$program" --help 2>/dev/null | sed -n 's/^  \([a-z]*\) .*/\1/p')" -- "$word")
    return
  fi
  command=("${COMP_WORDS[1]}")
  if [[ ${command[0]} == cert || ${command[0]} == perf ]]; then
    if ((COMP_CWORD == 2)); then
      mapfile -t COMPREPLY < <(compgen -W "$("$program" "${command[0]}" --help 2>/dev/null | sed -n 's/^  \([a-z]*\) .*/\1/p')" -- "$word")
      return
    fi
    command+=("${COMP_WORDS[2]}")
  fi
  if [[ ${command[0]} == completion ]]; then
    mapfile -t COMPREPLY < <(compgen -W "bash zsh fish" -- "$word")
    return
  fi
  options=$("$program" "${command[@]}" --list-options 2>/dev/null)
  value=$(awk -F'\t' -v word="$previous" '$1 == word || ($2 != "" && $2 == word) { print $3 }' <<<"$options")
  case $value in
    *[A-Z]*\|*) mapfile -t COMPREPLY < <(compgen -f -- "$word"); compopt -o filenames ;;
    *\|*) mapfile -t COMPREPLY < <(compgen -W "${value//|/ }" -- "$word") ;;
    *DIR*) mapfile -t COMPREPLY < <(compgen -d -- "$word"); compopt -o filenames ;;
    ?*) mapfile -t COMPREPLY < <(compgen -f -- "$word"); compopt -o filenames ;;
    *)
      if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(cut -f1 <<<"$options")" -- "$word")
      else
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        compopt -o filenames
      fi
      ;;
  esac
}
complete -F _quoll quoll
)sh";

constexpr std::string_view kZsh = R"sh(#compdef quoll
# zsh completion for quoll: quoll completion zsh >a folder of $fpath/_quoll, or: source <(quoll completion zsh)
_quoll() {
  local -a command lines specs fields
  local line name help action
  if (( CURRENT == 2 )); then
    lines=(${(f)"$($words[1] --help 2>/dev/null | sed -n 's/^  \([a-z]*\)  *\(.*\)/\1:\2/p')"})
    _describe command lines
    return
  fi
  command=($words[2])
  if [[ $words[2] == cert || $words[2] == perf ]]; then
    if (( CURRENT == 3 )); then
      lines=(${(f)"$($words[1] $words[2] --help 2>/dev/null | sed -n 's/^  \([a-z]*\)  *\(.*\)/\1:\2/p')"})
      _describe command lines
      return
    fi
    command+=($words[3])
  elif [[ $words[2] == completion ]]; then
    compadd bash zsh fish
    return
  fi
  for line in ${(f)"$($words[1] $command --list-options 2>/dev/null)"}; do
    fields=("${(@ps:\t:)line}")
    help=${${${fields[4]//\\/\\\\}//\[/\\[}//\]/\\]}
    action=''
    help=${help//:/\\:}
    case $fields[3] in
      '') ;;
      *[A-Z]*\|*) action=':value:_files' ;;
      *\|*) action=":value:(${fields[3]//|/ })" ;;
      *DIR*) action=':folder:_files -/' ;;
      *) action=':value:_files' ;;
    esac
    for name in $fields[1] $fields[2]; do
      [[ -n $name ]] && specs+=("*${name}[${help}]${action}")
    done
  done
  words=("${(@)words[$#command + 1,-1]}")
  (( CURRENT -= $#command ))
  _arguments $specs '*:file:_files'
}
if [[ $funcstack[1] == _quoll ]]; then
  _quoll "$@"
else
  compdef _quoll quoll
fi
)sh";

constexpr std::string_view kFish = R"sh(# fish completion for quoll: quoll completion fish | source
function __quoll_commands
    quoll $argv --help 2>/dev/null | string replace -rf '^  ([a-z]+) +(.*)' '$1\t$2'
end
function __quoll_command
    set -l words (commandline -opc)
    test (count $words) -ge 2; or return
    echo $words[2]
    contains -- "$words[2]" cert perf; and test (count $words) -ge 3; and echo $words[3]
end
function __quoll_options
    for line in (quoll (__quoll_command) --list-options 2>/dev/null)
        set -l fields (string split \t -- $line)
        echo $fields[1]\t$fields[4]
        test -n "$fields[2]"; and echo $fields[2]\t$fields[4]
    end
end
function __quoll_choices
    set -l words (commandline -opc)
    test "$words[2]" = completion; and printf '%s\n' bash zsh fish
    for line in (quoll (__quoll_command) --list-options 2>/dev/null)
        set -l fields (string split \t -- $line)
        contains -- $words[-1] $fields[1] $fields[2]; and string match -q '*|*' -- $fields[3]; and string match -qr '^[a-z0-9|]+$' -- $fields[3]; and string split '|' -- $fields[3]
    end
end
function __quoll_needs_command
    test (count (commandline -opc)) -eq 1
end
function __quoll_needs_subcommand
    set -l words (commandline -opc)
    test (count $words) -eq 2; and contains -- "$words[2]" cert perf
end
complete -c quoll -f -n __quoll_needs_command -a '(__quoll_commands)'
complete -c quoll -f -n __quoll_needs_subcommand -a '(__quoll_commands (__quoll_command))'
complete -c quoll -f -n 'test -n "$(__quoll_choices)"' -a '(__quoll_choices)'
complete -c quoll -n 'not __quoll_needs_command' -n 'string match -q -- "-*" (commandline -ct)' -a '(__quoll_options)'
)sh";

constexpr Usage kUsage = {
    .command = "quoll completion",
    .operands = "bash|zsh|fish",
    .summary =
        "Prints a script that makes the shell complete the words of quoll.\n\nFor this shell alone:\n"
        "  bash: source <(quoll completion bash)\n  fish: quoll completion fish | source",
    .options = {},
    .operands_min = 1,
    .operands_max = 1};

}  // namespace

int completion(std::span<char* const> arguments) {
  const auto parsed = Arguments::parse(kUsage, arguments);
  if (!parsed) return parsed.error();
  const std::string_view shell = parsed->operands()[0];
  std::string_view script;
  if (shell == "bash") script = kBash;
  if (shell == "zsh") script = kZsh;
  if (shell == "fish") script = kFish;
  if (script.empty()) return wrong_usage(kUsage, std::string(shell) + " is none of bash, zsh and fish");
  std::fwrite(script.data(), 1, script.size(), stdout);
  return 0;
}

}  // namespace quoll::app
