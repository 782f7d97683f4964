// sim_runner: runs scenarios from seeds and says how many passed.
//
//     sim_runner [--seeds N] [--first SEED] [--seed S] [--jobs J] [--verbose]
//     sim_runner --options "seed=S NAME=VALUE ..."
//
// Each job is a process, so that a QUOLL_CHECK that fails, or a loop that never ends, costs one scenario and is reported with
// its seed. A scenario that fails is run once more with a trace of every connection. What it leaves behind, beside the
// program: sim-SEED.log (if it did not abort) and sim-SEED-client-1.sqlog, sim-SEED-server-1.sqlog, ...
//
// --options runs one scenario as a failure prints it: to find out what it takes, leave options away.

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/sim/simulation.h"

namespace quoll::sim {
namespace {

constexpr unsigned kSecondsMax = 120;          // of real time, for one scenario
constexpr uint64_t kSeedsForFeatures = 2'000;  // with so many, every feature must have occurred

struct Arguments {
  uint64_t first = 1;
  uint64_t seeds = 2'000;
  unsigned jobs = 0;
  bool verbose = false;
  std::optional<ScenarioOptions> options;  // instead of what the seed draws
  std::string folder;                      // for logs
};

struct Report {
  uint64_t seed = 0;
  bool passed = false;
  Features features;
};

/// A process that runs every `stride`-th seed.
struct Worker {
  pid_t pid = -1;
  int pipe = -1;
  uint64_t next = 0;  // the seed that it is at
};

/// What the files of a scenario begin with.
std::string files_of(const Arguments& arguments, uint64_t seed) {
  return arguments.folder + "/sim-" + std::to_string(seed);
}

ScenarioOptions options_of(const Arguments& arguments, uint64_t seed) {
  return arguments.options ? *arguments.options : random_scenario(seed);
}

void say(const std::string& text) {
  const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
  (void)written;
}

/// A scenario that failed runs again, in a process of its own since it may abort. What came of it, for the user.
std::string trace_again(const Arguments& arguments, uint64_t seed) {
  const std::string files = files_of(arguments, seed);
  std::fflush(nullptr);
  const pid_t pid = ::fork();
  if (pid < 0) return "no process for the traces";
  if (pid == 0) {
    ::alarm(kSecondsMax);
    ::_exit(run(options_of(arguments, seed), {.traces = files}).passed() ? 0 : 1);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  std::string text = "traces: " + files + "-*.sqlog";
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) text += " (WITH THEM IT PASSES)";
  return text;
}

Report run_seed(const Arguments& arguments, uint64_t seed) {
  const ScenarioOptions options = options_of(arguments, seed);
  if (arguments.verbose) say(to_string(options) + "\n");
  const std::string log = files_of(arguments, seed) + ".log";
  const Outcome outcome = run(options, {.log = log});
  if (!outcome.passed()) {
    ::alarm(2 * kSecondsMax);
    say("seed " + std::to_string(seed) + " FAILED: " + outcome.failure + "\n  " + to_string(options) + "\n  " + log +
        "\n  " + trace_again(arguments, seed) + "\n");
  } else if (arguments.verbose) {
    say("seed " + std::to_string(seed) + " passed: " + std::to_string(outcome.steps) + " steps, " +
        std::to_string((outcome.virtual_end - Instant()).as_milliseconds()) + " ms\n");
  }
  return {.seed = seed, .passed = outcome.passed(), .features = outcome.features};
}

[[noreturn]] void work(const Arguments& arguments, uint64_t from, uint64_t stride, int pipe) {
  for (uint64_t seed = from; seed < arguments.first + arguments.seeds; seed += stride) {
    ::alarm(kSecondsMax);
    const Report report = run_seed(arguments, seed);
    if (::write(pipe, &report, sizeof report) != static_cast<ssize_t>(sizeof report)) break;
  }
  ::_exit(0);
}

void start(Worker& worker, const Arguments& arguments) {
  int ends[2];
  if (::pipe(ends) != 0) std::abort();
  std::fflush(nullptr);
  worker.pid = ::fork();
  if (worker.pid < 0) std::abort();
  if (worker.pid == 0) {
    ::close(ends[0]);
    work(arguments, worker.next, arguments.jobs, ends[1]);
  }
  ::close(ends[1]);
  worker.pipe = ends[0];
}

struct Totals {
  uint64_t passed = 0, failed = 0;
  Features features;
  std::vector<uint64_t> scenarios_with = std::vector<uint64_t>(kFeatureCount);
  std::vector<uint64_t> failed_seeds;

  void add(const Report& report) {
    (report.passed ? passed : failed)++;
    if (!report.passed) failed_seeds.push_back(report.seed);
    for (size_t i = 0; i < kFeatureCount; i++) {
      features.counts[i] += report.features.counts[i];
      scenarios_with[i] += report.features.counts[i] > 0;
    }
  }
};

/// The worker has ended: at its last seed, or in the middle of one.
void on_end(Worker& worker, const Arguments& arguments, Totals& totals) {
  ::close(worker.pipe);
  worker.pipe = -1;
  int status = 0;
  ::waitpid(worker.pid, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  const char* how =
      WIFSIGNALED(status) ? (WTERMSIG(status) == SIGALRM ? "did not come to an end" : "aborted") : "exited";
  say("seed " + std::to_string(worker.next) + " FAILED: " + how + "\n  " +
      to_string(options_of(arguments, worker.next)) + "\n  " + trace_again(arguments, worker.next) + "\n");
  totals.add({.seed = worker.next, .passed = false, .features = {}});
  worker.next += arguments.jobs;
  if (worker.next < arguments.first + arguments.seeds) start(worker, arguments);
}

Totals run_all(const Arguments& arguments) {
  Totals totals;
  std::vector<Worker> workers(arguments.jobs);
  for (unsigned i = 0; i < arguments.jobs; i++) {
    workers[i].next = arguments.first + i;
    if (i < arguments.seeds) start(workers[i], arguments);
  }
  uint64_t told = 0;
  for (;;) {
    std::vector<pollfd> ready;
    for (const Worker& worker : workers) ready.push_back({.fd = worker.pipe, .events = POLLIN, .revents = 0});
    if (std::all_of(workers.begin(), workers.end(), [](const Worker& worker) { return worker.pipe < 0; })) break;
    ::poll(ready.data(), ready.size(), -1);
    for (size_t i = 0; i < workers.size(); i++) {
      if (ready[i].fd < 0 || ready[i].revents == 0) continue;
      Report report;
      // Reports are smaller than what a pipe writes in one piece.
      if (::read(workers[i].pipe, &report, sizeof report) == static_cast<ssize_t>(sizeof report)) {
        totals.add(report);
        workers[i].next = report.seed + arguments.jobs;
      } else {
        on_end(workers[i], arguments, totals);
      }
    }
    const uint64_t done = totals.passed + totals.failed;
    if (done / 1'000 > told && done < arguments.seeds) {
      told = done / 1'000;
      std::printf("%llu of %llu\n", static_cast<unsigned long long>(done),
                  static_cast<unsigned long long>(arguments.seeds));
      std::fflush(stdout);
    }
  }
  return totals;
}

/// Whether every feature occurred, where there were seeds enough.
bool print_table(const Totals& totals, uint64_t seeds) {
  bool complete = true;
  std::printf("%-32s %12s %12s\n", "", "times", "scenarios");
  for (size_t i = 0; i < kFeatureCount; i++) {
    const bool missing = totals.features.counts[i] == 0 && seeds >= kSeedsForFeatures;
    complete = complete && !missing;
    std::printf("%-32s %12llu %12llu%s\n", name_of(static_cast<Feature>(i)),
                static_cast<unsigned long long>(totals.features.counts[i]),
                static_cast<unsigned long long>(totals.scenarios_with[i]), missing ? "  NEVER" : "");
  }
  return complete;
}

int usage() {
  std::fprintf(stderr,
               "usage: sim_runner [--seeds N] [--first SEED] [--seed S] [--jobs J] [--verbose]\n"
               "       sim_runner --options \"seed=S NAME=VALUE ...\"\n");
  return 2;
}

}  // namespace
}  // namespace quoll::sim

int main(int argc, char** argv) {
  using namespace quoll::sim;
  Arguments arguments;
  arguments.folder = std::filesystem::absolute(argv[0]).parent_path().string();
  for (int i = 1; i < argc; i++) {
    const std::string_view option = argv[i];
    if (option == "--verbose") {
      arguments.verbose = true;
      continue;
    }
    if (i + 1 == argc) return usage();
    if (option == "--options") {
      arguments.options = parse_options(argv[++i]);
      if (!arguments.options) return usage();
      arguments.first = arguments.options->seed;
      arguments.seeds = 1;
      arguments.verbose = true;
      continue;
    }
    char* end = nullptr;
    const uint64_t value = std::strtoull(argv[++i], &end, 0);
    if (end == argv[i] || *end != 0) return usage();
    if (option == "--seeds") {
      arguments.seeds = value;
    } else if (option == "--first") {
      arguments.first = value;
    } else if (option == "--seed") {
      arguments.first = value;
      arguments.seeds = 1;
      arguments.verbose = true;
    } else if (option == "--jobs") {
      arguments.jobs = static_cast<unsigned>(std::clamp<uint64_t>(value, 1, 256));
    } else {
      return usage();
    }
  }
  if (arguments.jobs == 0) arguments.jobs = std::max(1u, std::thread::hardware_concurrency());
  const Totals totals = run_all(arguments);
  const bool complete = print_table(totals, arguments.seeds);
  if (!totals.failed_seeds.empty()) {
    std::printf("failed seeds:");
    for (const uint64_t seed : totals.failed_seeds) std::printf(" %llu", static_cast<unsigned long long>(seed));
    std::printf("\n");
  }
  if (!complete) std::printf("there are features that no scenario reached\n");
  std::printf("%llu passed, %llu failed\n", static_cast<unsigned long long>(totals.passed),
              static_cast<unsigned long long>(totals.failed));
  return totals.failed == 0 && complete ? 0 : 1;
}
