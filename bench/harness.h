// Benchmarks beside a peer: both run in turns in one process, several times, and the medians are compared.
//
// The machines are shared and noisy, so only the ratio is worth quoting. A row names the work, our time, the peer's
// time and "ratio", which is our speed as a multiple of the peer's.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace quoll::bench {

/// Keeps a value alive that the optimiser would drop.
template <class T>
inline void keep(const T& value) {
  __asm__ volatile("" : : "g"(&value) : "memory");
}

struct Row {
  std::string name;
  std::string ours_implementation;
  size_t bytes_per_call = 0;  // 0: the row counts operations
  size_t ops_per_call = 1;
  double ours_ns = 0;  // medians, per operation
  double peer_ns = 0;  // 0: no peer
};

struct Options {
  int rounds = 7;               // alternations; the medians are over these
  double round_seconds = 0.02;  // for each side in each round
  std::string_view filter;      // only rows whose name contains this
};

/// What the command line of a benchmark program asks for.
struct CommandLine {
  Options options;
  std::string json;  // where to write the rows; empty: nowhere
};

/// Reads [--filter TEXT] [--rounds N] [--seconds S] [--json FILE]; ends the program with a usage line when it cannot.
CommandLine parse_command_line(std::string_view program, int argc, char** argv);

class Table {
 public:
  Table(Options options, std::string_view peer_name) : options_(options), peer_name_(peer_name) {}

  /// `work` is one call of the work, done by us and by the peer (which may be empty). A call is ops_per_call operations
  /// over bytes_per_call bytes in all.
  void row(std::string name, std::string_view implementation, size_t bytes_per_call, const std::function<void()>& ours,
           const std::function<void()>& peer, size_t ops_per_call = 1);

  bool wants(std::string_view name) const { return name.find(options_.filter) != std::string_view::npos; }

  void print() const;
  void print_json(std::string_view path) const;
  const std::vector<Row>& rows() const { return rows_; }

 private:
  Options options_;
  std::string peer_name_;
  std::vector<Row> rows_;
};

}  // namespace quoll::bench
