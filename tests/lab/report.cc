#include "tests/lab/report.h"

#include <cmath>
#include <fstream>

#include <nlohmann/json.hpp>

namespace quoll::lab {
namespace {

/// The sum of a member over all flows.
template <class T>
double sum(const RunResult& result, T FlowResult::* member) {
  double total = 0;
  for (const FlowResult& flow : result.flows) total += static_cast<double>(flow.*member);
  return total;
}

double share_percent(double part, double whole) { return whole > 0 ? 100 * part / whole : 0; }

std::string fixed(double value, int digits, const char* none = "-") {
  if (value < 0) return none;
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

/// The median of the seconds that flows with an end took.
std::string end_of(const RunResult& result) {
  std::vector<float> seconds;
  for (const FlowResult& flow : result.flows) {
    if (!flow.is_bulk) seconds.push_back(static_cast<float>(flow.seconds));
  }
  return seconds.empty() ? "-" : fixed(percentile(seconds, 50), 3);
}

std::string recovery_of(const RunResult& result) {
  if (result.recoveries.empty()) return "-";
  const Recovery& last = result.recoveries.back();
  return fixed(last.first_seconds, 2, "never") + "/" + fixed(last.to_80_percent, 2, "never") + "/" +
         fixed(last.to_90_percent, 2, "never");
}

double rounded(double value, double unit) { return std::round(value / unit) * unit; }

nlohmann::json samples_of(const RunResult& result) {
  nlohmann::json json;
  for (const Sample& sample : result.samples) {
    json["t"].push_back(rounded((sample.when - Instant()).as_seconds(), 1e-6));
    json["queueing_ms"].push_back(rounded(sample.queueing.as_seconds() * 1e3, 1e-3));
    for (size_t i = 0; i < sample.flows.size(); i++) {
      const FlowSample& flow = sample.flows[i];
      nlohmann::json& of_flow = json["flows"][i];
      of_flow["arrived"].push_back(flow.arrived);
      of_flow["window"].push_back(flow.window);
      of_flow["in_flight"].push_back(flow.in_flight);
      const bool is_paced = !flow.pacing_rate.is_infinite();
      of_flow["pacing_mbits"].push_back(
          is_paced ? rounded(static_cast<double>(flow.pacing_rate.as_bytes_per_second()) * 8e-6, 1e-3) : 0.0);
      of_flow["rtt_ms"].push_back(rounded(flow.smoothed_rtt.as_seconds() * 1e3, 1e-3));
      of_flow["lost"].push_back(flow.packets_lost);
    }
  }
  return json;
}

nlohmann::json json_of(const RunResult& result) {
  nlohmann::json json = {{"scenario", result.scenario},
                         {"what", result.what},
                         {"controller", name_of(result.controller)},
                         {"seed", result.seed},
                         {"failure", result.failure},
                         {"utilisation", result.utilisation},
                         {"queueing_median_ms", result.queueing_median_ms},
                         {"queueing_p95_ms", result.queueing_p95_ms},
                         {"queueing_mean_ms", result.queueing_mean_ms},
                         {"jain", result.jain},
                         {"share", result.share},
                         {"dropped", result.dropped},
                         {"marked", result.marked},
                         {"samples", samples_of(result)}};
  for (const FlowResult& flow : result.flows) {
    json["flows"].push_back({{"controller", name_of(flow.controller)},
                             {"done", flow.is_done},
                             {"mbits", flow.megabits},
                             {"seconds", flow.seconds},
                             {"packets_sent", flow.packets_sent},
                             {"packets_lost", flow.packets_lost},
                             {"packets_spuriously_lost", flow.packets_spuriously_lost},
                             {"probe_timeouts", flow.probe_timeouts},
                             {"retransmitted_percent", flow.retransmitted_percent},
                             {"window_min", flow.window_min}});
  }
  for (const Recovery& recovery : result.recoveries) {
    json["recoveries"].push_back({{"from", (recovery.from - Instant()).as_seconds()},
                                  {"first_seconds", recovery.first_seconds},
                                  {"to_80_percent", recovery.to_80_percent},
                                  {"to_90_percent", recovery.to_90_percent}});
  }
  return json;
}

}  // namespace

void print_table_head(std::FILE* to) {
  std::fprintf(to, "%-16s %-8s %9s %6s  %-26s %6s %7s %6s %6s %8s %16s\n", "scenario", "control", "Mbit/s", "use %",
               "queueing ms med/p95/mean", "lost %", "again %", "Jain", "share", "end s", "first/80/90 % s");
}

void print_table_row(std::FILE* to, const RunResult& result) {
  double bulk = 0;
  for (const FlowResult& flow : result.flows) {
    if (flow.is_bulk || result.flows.size() == 1) bulk += flow.megabits;
  }
  const double sent = sum(result, &FlowResult::packets_sent), lost = sum(result, &FlowResult::packets_lost);
  const std::string queueing = fixed(result.queueing_median_ms, 2) + " / " + fixed(result.queueing_p95_ms, 2) + " / " +
                               fixed(result.queueing_mean_ms, 2);
  std::fprintf(to, "%-16s %-8s %9.3f %6.1f  %-26s %6.2f %7.2f %6.3f %6.2f %8s %16s\n", result.scenario.c_str(),
               std::string(name_of(result.controller)).c_str(), bulk, 100 * result.utilisation, queueing.c_str(),
               share_percent(lost, sent), result.flows.front().retransmitted_percent, result.jain, result.share,
               end_of(result).c_str(), recovery_of(result).c_str());
  if (!result.failure.empty())
    std::fprintf(to, "  FAILED (seed %llu): %s\n", static_cast<unsigned long long>(result.seed),
                 result.failure.c_str());
}

bool write_json(const std::string& path, std::span<const RunResult> results) {
  nlohmann::json json = nlohmann::json::array();
  for (const RunResult& result : results) json.push_back(json_of(result));
  std::ofstream file(path);
  file << json.dump() << '\n';
  return file.flush().good();
}

}  // namespace quoll::lab
