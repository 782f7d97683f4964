// What a measurement found, for people and as JSON.
#pragma once

#include <optional>
#include <string>

#include "app/perf_load.h"
#include "app/perf_options.h"

namespace quoll::app {

/// What `quoll perf serve` says of itself (app/perf.h).
struct PerfServerFacts {
  uint64_t cpu_microseconds = 0;
  uint64_t memory = 0;  // bytes
  uint64_t connections = 0;

  /// Empty when a field is missing or is no number.
  static std::optional<PerfServerFacts> parse(const http::FieldSection& fields);
};

struct PerfReport {
  const PerfGetOptions& options;
  const PerfResult& result;
  // Of servers that tell, before and after.
  std::optional<PerfServerFacts> before{}, after{};

  std::string text() const;
  std::string json() const;

 private:
  uint64_t bytes() const { return options.upload ? result.bytes_sent : result.bytes_received; }
  double gibibytes() const;
  double per_second(double count) const;
  std::optional<double> server_cpu_seconds() const;
  /// Bytes that each further connection made the server hold.
  std::optional<double> memory_per_connection() const;
};

}  // namespace quoll::app
