#include "bench/harness.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace quoll::bench {
namespace {

using Clock = std::chrono::steady_clock;

double nanoseconds_of(const std::function<void()>& work, size_t calls) {
  const auto start = Clock::now();
  for (size_t i = 0; i < calls; i++) work();
  return std::chrono::duration<double, std::nano>(Clock::now() - start).count();
}

size_t calls_lasting(const std::function<void()>& work, double seconds) {
  size_t calls = 1;
  for (;;) {
    const double spent = nanoseconds_of(work, calls);
    if (spent >= seconds * 1e9 / 4 || calls > (size_t{1} << 40)) {
      return std::max<size_t>(1,
                              static_cast<size_t>(static_cast<double>(calls) * seconds * 1e9 / std::max(spent, 1.0)));
    }
    calls *= 2;
  }
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

[[noreturn]] void usage(std::string_view program, const std::string& wrong) {
  const std::string name(program);
  std::fprintf(stderr, "%s: %s\nusage: %s [--filter TEXT] [--rounds N] [--seconds S] [--json FILE]\n", name.c_str(),
               wrong.c_str(), name.c_str());
  std::exit(2);
}

}  // namespace

CommandLine parse_command_line(std::string_view program, int argc, char** argv) {
  CommandLine line;
  for (int i = 1; i < argc; i++) {
    const std::string option = argv[i];
    if (i + 1 >= argc) usage(program, option + " wants a value, or is not an option");
    const char* value = argv[++i];
    if (option == "--filter") {
      line.options.filter = value;
    } else if (option == "--rounds") {
      line.options.rounds = std::atoi(value);
      if (line.options.rounds < 1) usage(program, "--rounds wants a whole number above 0");
    } else if (option == "--seconds") {
      line.options.round_seconds = std::atof(value);
      if (line.options.round_seconds <= 0) usage(program, "--seconds wants a number above 0");
    } else if (option == "--json") {
      line.json = value;
    } else {
      usage(program, option + " is not an option");
    }
  }
  return line;
}

void Table::row(std::string name, std::string_view implementation, size_t bytes_per_call,
                const std::function<void()>& ours, const std::function<void()>& peer, size_t ops_per_call) {
  if (!wants(name)) return;
  const size_t our_calls = calls_lasting(ours, options_.round_seconds);
  const size_t peer_calls = peer ? calls_lasting(peer, options_.round_seconds) : 0;
  std::vector<double> our_times, peer_times;
  for (int round = 0; round < options_.rounds; round++) {
    our_times.push_back(nanoseconds_of(ours, our_calls) / static_cast<double>(our_calls * ops_per_call));
    if (peer) peer_times.push_back(nanoseconds_of(peer, peer_calls) / static_cast<double>(peer_calls * ops_per_call));
  }
  rows_.push_back({.name = std::move(name),
                   .ours_implementation = std::string(implementation),
                   .bytes_per_call = bytes_per_call,
                   .ops_per_call = ops_per_call,
                   .ours_ns = median(our_times),
                   .peer_ns = peer ? median(peer_times) : 0});
}

void Table::print() const {
  std::printf("%-36s %-16s %12s %9s %12s %9s %7s\n", "work", "implementation", "ns/op", "GB/s",
              (peer_name_ + " ns").c_str(), "GB/s", "ratio");
  for (const Row& row : rows_) {
    const double bytes = static_cast<double>(row.bytes_per_call) / static_cast<double>(row.ops_per_call);
    std::printf("%-36s %-16s %12.1f ", row.name.c_str(), row.ours_implementation.c_str(), row.ours_ns);
    if (row.bytes_per_call) {
      std::printf("%9.2f ", bytes / row.ours_ns);
    } else {
      std::printf("%9s ", "");
    }
    if (row.peer_ns > 0) {
      std::printf("%12.1f ", row.peer_ns);
      if (row.bytes_per_call) {
        std::printf("%9.2f ", bytes / row.peer_ns);
      } else {
        std::printf("%9s ", "");
      }
      std::printf("%7.2f\n", row.peer_ns / row.ours_ns);
    } else {
      std::printf("%12s %9s %7s\n", "-", "", "-");
    }
  }
}

void Table::print_json(std::string_view path) const {
  std::FILE* file = std::fopen(std::string(path).c_str(), "w");
  if (!file) {
    std::perror(std::string(path).c_str());
    return;
  }
  std::fprintf(file, "[\n");
  for (size_t i = 0; i < rows_.size(); i++) {
    const Row& row = rows_[i];
    std::fprintf(
        file, "  {\"work\": \"%s\", \"implementation\": \"%s\", \"bytes\": %zu, \"ns\": %.2f, \"peer_ns\": %.2f}%s\n",
        row.name.c_str(), row.ours_implementation.c_str(), row.bytes_per_call / row.ops_per_call, row.ours_ns,
        row.peer_ns, i + 1 < rows_.size() ? "," : "");
  }
  std::fprintf(file, "]\n");
  std::fclose(file);
}

}  // namespace quoll::bench
