// What `quoll serve` tells Prometheus: counts of its own, and the server's statistics.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "web/server.h"

namespace quoll::app {

/// Counted by all workers as exchanges end.
class ExchangeCounts {
 public:
  void count(const web::Outcome& outcome);

  uint64_t responses(size_t status_class) const { return responses_[status_class].load(std::memory_order_relaxed); }
  uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  uint64_t incomplete() const { return incomplete_.load(std::memory_order_relaxed); }

 private:
  std::array<std::atomic<uint64_t>, 6> responses_{};  // by the first digit of their status; 0: none was sent
  std::atomic<uint64_t> bytes_ = 0;                   // of bodies
  std::atomic<uint64_t> incomplete_ = 0;
};

/// What the system knows of this process; empty: it does not tell.
struct ProcessFacts {
  int64_t start_seconds = 0;  // since 1970
  uint64_t cpu_microseconds = 0;
  std::optional<uint64_t> resident_bytes{}, open_descriptors{};
  uint64_t descriptors_max = 0;

  /// All but the start.
  static ProcessFacts read();
};

struct MetricsSources {
  const ExchangeCounts& exchanges;
  web::ServerStatistics server;
  uint64_t log_lines_lost = 0;
  ProcessFacts process{};
};

/// The text format of Prometheus, version 0.0.4.
std::string metrics_text(const MetricsSources& sources);

}  // namespace quoll::app
