// cc_lab: runs scenarios with congestion controllers and prints what came of it.
//
//     cc_lab --list
//     cc_lab [--scenario NAME,...] [--cc cubic,newreno,bbr2,bbr3] [--seed S] [--json FILE] [--jobs J]

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/lab/batch.h"
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
  bool list = false;
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

bool read_option(std::string_view option, std::string_view value, Arguments& to) {
  if (option == "--scenario") return read_scenarios(value, to);
  if (option == "--cc") return read_controllers(value, to);
  if (option == "--json") return to.json = value, !value.empty() || refuse("--json wants a file", value);
  if (option == "--seed") return read_number(value, to.seed) || refuse("--seed wants a number", value);
  if (option == "--jobs") {
    return (read_number(value, to.jobs) && to.jobs > 0 && to.jobs <= 256) || refuse("--jobs wants 1 to 256", value);
  }
  return refuse("unknown option", option);
}

bool read_arguments(int count, char** words, Arguments& to) {
  for (int i = 1; i < count; i++) {
    const std::string_view option = words[i];
    if (option == "--list") {
      to.list = true;
    } else if (i + 1 == count) {
      return refuse("unknown option, or its value is missing", option);
    } else if (!read_option(option, words[++i], to)) {
      return false;
    }
  }
  return true;
}

void print_list() {
  for (const Scenario& scenario : named_scenarios()) {
    std::printf("%-16s %s\n", scenario.name.c_str(), scenario.what.c_str());
  }
}

int run_scenarios(const Arguments& arguments) {
  std::vector<Wish> wishes;
  const auto add = [&](const Scenario& scenario) {
    for (const CongestionAlgorithm controller : arguments.controllers) {
      wishes.push_back({.scenario = scenario, .controller = controller, .seed = arguments.seed});
    }
  };
  for (const Scenario* scenario : arguments.scenarios) add(*scenario);
  if (arguments.scenarios.empty()) std::ranges::for_each(named_scenarios(), add);
  print_table_head(stdout);
  uint64_t datagrams = 0;
  double seconds = 0;
  bool is_good = true;
  const std::vector<RunResult> results = run_all(wishes, arguments.jobs, [&](const RunResult& result) {
    print_table_row(stdout, result);
    std::fflush(stdout);
    datagrams += result.datagrams;
    seconds += result.wall_seconds;
    is_good = is_good && result.failure.empty();
  });
  std::printf("%llu datagrams, %.1f s of work, %.2f us each\n", static_cast<unsigned long long>(datagrams), seconds,
              seconds * 1e6 / static_cast<double>(std::max<uint64_t>(1, datagrams)));
  if (!arguments.json.empty() && !write_json(arguments.json, results)) {
    std::fprintf(stderr, "cc_lab: %s cannot be written\n", arguments.json.c_str());
    return 1;
  }
  return is_good ? 0 : 1;
}

}  // namespace
}  // namespace quoll::lab

int main(int count, char** words) {
  using namespace quoll::lab;
  Arguments arguments;
  if (!read_arguments(count, words, arguments)) {
    std::fprintf(stderr,
                 "usage: cc_lab --list\n"
                 "       cc_lab [--scenario NAME,...] [--cc NAME,...] [--seed S] [--json FILE] [--jobs J]\n");
    return 2;
  }
  if (arguments.list) return print_list(), 0;
  return run_scenarios(arguments);
}
