#include "interop/link/statistics.h"

#include <cstdio>

namespace quoll::link {
namespace {

std::string seconds(Duration duration) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6f", duration.as_seconds());
  return text;
}

std::string member(std::string_view name, const std::string& value) { return '"' + std::string(name) + "\": " + value; }

std::string amount(std::string_view name, const DirectionStatistics::Amount& amount) {
  return member(name, "{" + member("packets", std::to_string(amount.packets)) + ", " +
                          member("bytes", std::to_string(amount.bytes)) + "}");
}

std::string amounts(std::string_view name, const Histogram& histogram) {
  return member(name, "{" + member("p50", std::to_string(histogram.quantile_amount(500))) + ", " +
                          member("p95", std::to_string(histogram.quantile_amount(950))) + ", " +
                          member("p99", std::to_string(histogram.quantile_amount(990))) + ", " +
                          member("max", std::to_string(histogram.largest_amount())) + "}");
}

std::string direction(const DirectionStatistics& all) {
  std::string text = "{";
  text += amount("offered", all.offered) + ", " + amount("delivered", all.delivered) + ",\n    ";
  text += amount("dropped_queue", all.dropped_queue) + ", " + amount("dropped_scenario", all.dropped_scenario) + ", " +
          amount("dropped_device", all.dropped_device) + ",\n    ";
  text += member("corrupted", std::to_string(all.corrupted)) + ", " + member("marked", std::to_string(all.marked)) +
          ", " + member("queue_longest", std::to_string(all.queue_longest)) + ",\n    ";
  text += member("queueing_seconds", "{" + member("p50", seconds(all.queueing.quantile(500))) + ", " +
                                         member("p95", seconds(all.queueing.quantile(950))) + ", " +
                                         member("max", seconds(all.queueing.largest())) + "}") +
          ",\n    ";
  text += amounts("bytes_within_1ms", all.bursts.within_1ms()) + ",\n    " +
          amounts("bytes_within_10ms", all.bursts.within_10ms()) + ",\n    " +
          amounts("packets_of_a_train", all.bursts.trains());
  return text + "}";
}

}  // namespace

std::string Statistics::json() const {
  std::string text = "{\n  ";
  text += member("scenario", '"' + std::string(scenario) + '"') + ",\n  ";
  text += member("seed", std::to_string(seed)) + ",\n  ";
  text += member("began_unix_seconds", seconds(began - Instant())) + ",\n  ";
  text += member("duration_seconds", seconds(duration)) + ",\n  ";
  text += member("rebinds", std::to_string(rebinds)) + ",\n  ";
  text += member("kernel_stamps", kernel_stamps ? "true" : "false") + ",\n  ";
  text += member("real_time", real_time ? "true" : "false") + ",\n  ";
  text += member("lateness_seconds", "{" + member("p50", seconds(lateness.quantile(500))) + ", " +
                                         member("p99", seconds(lateness.quantile(990))) + ", " +
                                         member("max", seconds(lateness.largest())) + "}") +
          ",\n  ";
  text += member("to_server", direction(to_server)) + ",\n  " + member("to_client", direction(to_client)) + "\n}\n";
  return text;
}

}  // namespace quoll::link
