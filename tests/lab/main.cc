// cc_lab: runs scenarios with congestion controllers and prints what came of it.
//
//     cc_lab --list
//     cc_lab [--scenario NAME,...]
//     cc_lab --random N            scenarios from seeds, which must keep the invariants
//     cc_lab --claims [--only TEXT] [--seeds N] [--markdown] [--effort tiny|quick|full]
//
// with [--cc cubic,newreno,bbr2,bbr3] [--seed S] [--jobs J] [--json FILE]; in the file are the samples over time. The exit code is 1 when a claim or an invariant does not hold.

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/lab/batch.h"
#include "tests/lab/claims.h"
#include "tests/lab/report.h"

namespace quoll::lab {
namespace {

struct Arguments {
  std::vector<const Scenario*> scenarios;  // empty: all
  std::vector<CongestionAlgorithm> controllers = {CongestionAlgorithm::cubic, CongestionAlgorithm::new_reno,
                                                  CongestionAlgorithm::bbr2, CongestionAlgorithm::bbr3};
  uint64_t seed = 1;
  unsigned jobs = std::max(1u, std::thread::hardware_concurrency());
  std::string json;
  std::string only;     // of claims: those in whose line this stands
  uint64_t random = 0;  // so many
  uint64_t seeds = 3;   // of each claim
  Effort effort = Effort::full;
  Layout layout = Layout::text;
  bool lists = false;
  bool claims = false;
};

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    words.push_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return words;
}

template <class T>
bool read_number(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

bool refuse(std::string_view what, std::string_view word) {
  std::fprintf(stderr, "cc_lab: %.*s: %.*s\n", static_cast<int>(what.size()), what.data(),
               static_cast<int>(word.size()), word.data());
  return false;
}

bool read_scenarios(std::string_view text, Arguments& to) {
  for (const std::string_view word : words_of(text)) {
    const Scenario* scenario = find_scenario(word);
    if (!scenario) return refuse("no such scenario (--list has them)", word);
    to.scenarios.push_back(scenario);
  }
  return !to.scenarios.empty() || refuse("--scenario wants names", text);
}

bool read_controllers(std::string_view text, Arguments& to) {
  to.controllers.clear();
  for (const std::string_view word : words_of(text)) {
    const auto controller = quic::congestion_algorithm(word);
    if (!controller) return refuse("a controller is cubic, newreno, bbr2 or bbr3, not", word);
    to.controllers.push_back(*controller);
  }
  return !to.controllers.empty() || refuse("--cc wants names", text);
}

bool read_effort(std::string_view text, Arguments& to) {
  static constexpr std::string_view kNames[] = {"tiny", "quick", "full"};
  const auto found = std::ranges::find(kNames, text);
  if (found == std::end(kNames)) return refuse("--effort is tiny, quick or full, not", text);
  to.effort = static_cast<Effort>(found - kNames);
  return true;
}

bool read_flag(std::string_view option, Arguments& to) {
  if (option == "--list") return to.lists = true;
  if (option == "--claims") return to.claims = true;
  if (option != "--markdown") return false;
  to.layout = Layout::markdown;
  return true;
}

bool read_option(std::string_view option, std::string_view value, Arguments& to) {
  if (option == "--scenario") return read_scenarios(value, to);
  if (option == "--cc") return read_controllers(value, to);
  if (option == "--json") return to.json = value, !value.empty() || refuse("--json wants a file", value);
  if (option == "--seed") return read_number(value, to.seed) || refuse("--seed wants a number", value);
  if (option == "--only") return to.only = value, true;
  if (option == "--effort") return read_effort(value, to);
  if (option == "--random") return read_number(value, to.random) || refuse("--random wants a number", value);
  if (option == "--seeds") {
    return (read_number(value, to.seeds) && to.seeds > 0 && to.seeds <= 1'000) ||
           refuse("--seeds wants 1 to 1000", value);
  }
  if (option == "--jobs") {
    return (read_number(value, to.jobs) && to.jobs > 0 && to.jobs <= 256) || refuse("--jobs wants 1 to 256", value);
  }
  return refuse("unknown option", option);
}

bool read_arguments(int count, char** words, Arguments& to) {
  for (int i = 1; i < count; i++) {
    const std::string_view option = words[i];
    if (read_flag(option, to)) continue;
    if (i + 1 == count) {
      return refuse("unknown option, or its value is missing", option);
    } else if (!read_option(option, words[++i], to)) {
      return false;
    }
  }
  return true;
}

/// What the runs cost.
struct Work {
  uint64_t datagrams = 0;
  double seconds = 0;

  void add(const RunResult& result) {
    datagrams += result.datagrams;
    seconds += result.processor_seconds;
  }
  void print() const {
    std::printf("%llu datagrams, %.1f s of a processor, %.2f us each\n", static_cast<unsigned long long>(datagrams),
                seconds, seconds * 1e6 / static_cast<double>(std::max<uint64_t>(1, datagrams)));
  }
};

void print_list() {
  for (const Scenario& scenario : named_scenarios()) {
    std::printf("%-16s %s\n", scenario.name.c_str(), scenario.what.c_str());
  }
}

bool save(const Arguments& arguments, std::span<const RunResult> results) {
  return arguments.json.empty() || write_json(arguments.json, results) || refuse("cannot be written", arguments.json);
}

bool run_scenarios(const Arguments& arguments) {
  std::vector<Wish> wishes;
  const auto add = [&](const Scenario& scenario) {
    for (const CongestionAlgorithm controller : arguments.controllers) {
      wishes.push_back({.scenario = scenario,
                        .controller = controller,
                        .seed = arguments.seed,
                        .keeps_samples = !arguments.json.empty()});
    }
  };
  for (const Scenario* scenario : arguments.scenarios) add(*scenario);
  if (arguments.scenarios.empty()) std::ranges::for_each(named_scenarios(), add);
  print_table_head(stdout);
  Work work;
  bool is_good = true;
  const std::vector<RunResult> results = run_all(wishes, arguments.jobs, [&](const RunResult& result) {
    print_table_row(stdout, result);
    std::fflush(stdout);
    work.add(result);
    is_good = is_good && result.failure.empty();
  });
  work.print();
  return save(arguments, results) && is_good;
}

/// Each scenario with one controller after the other.
bool run_random(const Arguments& arguments) {
  std::vector<Wish> wishes;
  for (uint64_t i = 0; i < arguments.random; i++) {
    const uint64_t seed = arguments.seed + i;
    wishes.push_back({.scenario = random_scenario(seed),
                      .controller = arguments.controllers[seed % arguments.controllers.size()],
                      .seed = seed,
                      .keeps_samples = !arguments.json.empty()});
  }
  print_table_head(stdout);
  Work work;
  size_t failed = 0;
  const std::vector<RunResult> results = run_all(wishes, arguments.jobs, [&](const RunResult& result) {
    print_table_row(stdout, result);
    std::fflush(stdout);
    work.add(result);
    if (result.failure.empty()) return;
    failed++;
    std::printf("  %s\n  again: cc_lab --random 1 --seed %llu --cc %s\n", result.what.c_str(),
                static_cast<unsigned long long>(result.seed), std::string(name_of(result.controller)).c_str());
  });
  work.print();
  std::printf("%zu of %zu failed\n", failed, wishes.size());
  return save(arguments, results) && failed == 0;
}

bool run_claims(const Arguments& arguments) {
  std::vector<Claim> all = claims(arguments.controllers, arguments.effort);
  std::erase_if(all,
                [&](const Claim& claim) { return !(claim.what + ": " + claim.scenario).contains(arguments.only); });
  if (all.empty()) return refuse("no claim has these words", arguments.only);
  const Judgement judgement = judge(all, arguments.seeds, arguments.jobs, !arguments.json.empty());
  print_verdicts(stdout, judgement.verdicts, arguments.layout);
  return save(arguments, judgement.results) && std::ranges::all_of(judgement.verdicts, &Verdict::holds);
}

}  // namespace
}  // namespace quoll::lab

int main(int count, char** words) {
  using namespace quoll::lab;
  Arguments arguments;
  if (!read_arguments(count, words, arguments)) {
    std::fprintf(stderr,
                 "usage: cc_lab --list\n"
                 "       cc_lab [--scenario NAME,...]\n"
                 "       cc_lab --random N\n"
                 "       cc_lab --claims [--only TEXT] [--seeds N] [--markdown] [--effort tiny|quick|full]\n"
                 "       with [--cc NAME,...] [--seed S] [--jobs J] [--json FILE]\n");
    return 2;
  }
  if (arguments.lists) return print_list(), 0;
  const bool is_good = arguments.claims       ? run_claims(arguments)
                       : arguments.random > 0 ? run_random(arguments)
                                              : run_scenarios(arguments);
  return is_good ? 0 : 1;
}
