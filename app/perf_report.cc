#include "app/perf_report.h"

#include <cstdarg>
#include <cstdio>

#include "app/json.h"

namespace quoll::app {
namespace {

constexpr double kGibibyte = 1024.0 * 1024.0 * 1024.0;
constexpr double kMicrosecondsPerSecond = 1e6;

[[gnu::format(printf, 2, 3)]] void append(std::string& text, const char* format, ...) {
  char line[256];
  va_list values;
  va_start(values, format);
  const int size = std::vsnprintf(line, sizeof line, format, values);
  va_end(values);
  if (size > 0) text.append(line, std::min(static_cast<size_t>(size), sizeof line - 1));
}

double microseconds(Duration duration) { return static_cast<double>(duration.as_nanoseconds()) / 1000; }

void append_latency(std::string& text, const char* name, const LatencyHistogram& histogram) {
  if (histogram.samples() == 0) return;
  const auto at = [&](double quantile) { return microseconds(histogram.quantile(quantile)) / 1000; };
  append(text, "%-11s mean %.3f ms, p50 %.3f, p90 %.3f, p99 %.3f, p99.9 %.3f, max %.3f\n", name,
         microseconds(histogram.mean()) / 1000, at(0.5), at(0.9), at(0.99), at(0.999),
         microseconds(histogram.largest()) / 1000);
}

void add_latency(Json& json, std::string_view name, const LatencyHistogram& histogram) {
  json.begin_object(name);
  json.member("samples", histogram.samples());
  json.member("mean", microseconds(histogram.mean()));
  json.member("p50", microseconds(histogram.quantile(0.5)));
  json.member("p90", microseconds(histogram.quantile(0.9)));
  json.member("p99", microseconds(histogram.quantile(0.99)));
  json.member("p99.9", microseconds(histogram.quantile(0.999)));
  json.member("max", microseconds(histogram.largest()));
  json.end_object();
}

}  // namespace

std::optional<PerfServerFacts> PerfServerFacts::parse(const http::FieldSection& fields) {
  const auto number = [&](std::string_view name) -> std::optional<uint64_t> {
    const auto text = fields.find(name);
    return text ? parse_number(*text, UINT64_MAX) : std::nullopt;
  };
  const auto cpu = number(kPerfCpuField), memory = number(kPerfMemoryField),
             connections = number(kPerfConnectionsField);
  if (!cpu || !memory || !connections) return {};
  return PerfServerFacts{.cpu_microseconds = *cpu, .memory = *memory, .connections = *connections};
}

double PerfReport::gibibytes() const { return static_cast<double>(bytes()) / kGibibyte; }

double PerfReport::per_second(double count) const {
  const double seconds = result.elapsed.as_seconds();
  return seconds > 0 ? count / seconds : 0;
}

std::optional<double> PerfReport::server_cpu_seconds() const {
  if (!before || !after || after->cpu_microseconds < before->cpu_microseconds) return {};
  return static_cast<double>(after->cpu_microseconds - before->cpu_microseconds) / kMicrosecondsPerSecond;
}

std::optional<double> PerfReport::memory_per_connection() const {
  if (options.work != PerfWork::idle || !before || !after || result.connections == 0) return {};
  return (static_cast<double>(after->memory) - static_cast<double>(before->memory)) /
         static_cast<double>(result.connections);
}

std::string PerfReport::text() const {
  std::string text;
  append(text, "%-11s %llu done, %llu failed, in %.3f s: %.1f/s\n", "requests",
         static_cast<unsigned long long>(result.done), static_cast<unsigned long long>(result.failed),
         result.elapsed.as_seconds(), per_second(static_cast<double>(result.done)));
  append(text, "%-11s %llu, %llu resumed, %llu with early data\n", "connections",
         static_cast<unsigned long long>(result.connections), static_cast<unsigned long long>(result.resumed),
         static_cast<unsigned long long>(result.early));
  if (options.work == PerfWork::transfers) {
    append(text, "%-11s %.3f Gbit/s, %.3f GiB %s\n", "goodput", per_second(static_cast<double>(bytes()) * 8) / 1e9,
           gibibytes(), options.upload ? "sent" : "received");
  }
  append_latency(text, "latency", result.latency);
  append_latency(text, "first byte", result.first_byte);
  append_latency(text, "handshake", result.handshake);
  const double client_cpu = static_cast<double>(result.cpu_microseconds) / kMicrosecondsPerSecond;
  append(text, "%-11s client %.3f s", "processor", client_cpu);
  const std::optional<double> server_cpu = server_cpu_seconds();
  if (server_cpu) append(text, ", server %.3f s", *server_cpu);
  if (options.work == PerfWork::transfers && bytes() > 0) {
    append(text, "; per GiB: client %.3f s", client_cpu / gibibytes());
    if (server_cpu) append(text, ", server %.3f s", *server_cpu / gibibytes());
  }
  if (result.done > 0) {
    const auto requests = static_cast<double>(result.done);
    append(text, "; per request: client %.2f us", client_cpu * kMicrosecondsPerSecond / requests);
    if (server_cpu) append(text, ", server %.2f us", *server_cpu * kMicrosecondsPerSecond / requests);
  }
  text += '\n';
  if (const auto memory = memory_per_connection())
    append(text, "%-11s server %.1f KiB for each connection\n", "memory", *memory / 1024);
  if (!result.failure.empty()) text.append("failure     ").append(result.failure).append("\n");
  return text;
}

std::string PerfReport::json() const {
  Json json;
  json.begin_object();
  json.member("work", options.work == PerfWork::handshakes ? "handshakes"
                      : options.work == PerfWork::idle     ? "idle"
                      : options.upload                     ? "upload"
                                                           : "download");
  json.member("url", options.url.to_string());
  json.member("seconds", result.elapsed.as_seconds());
  json.member("requests", result.done);
  json.member("failed", result.failed);
  json.member("requests_per_second", per_second(static_cast<double>(result.done)));
  json.member("connections", result.connections);
  json.member("resumed", result.resumed);
  json.member("early_data", result.early);
  json.member("bytes", bytes());
  json.member("bits_per_second", per_second(static_cast<double>(bytes()) * 8));
  json.member("client_cpu_seconds", static_cast<double>(result.cpu_microseconds) / kMicrosecondsPerSecond);
  if (const auto cpu = server_cpu_seconds()) json.member("server_cpu_seconds", *cpu);
  if (const auto memory = memory_per_connection()) json.member("server_bytes_per_connection", *memory);
  add_latency(json, "latency_us", result.latency);
  add_latency(json, "first_byte_us", result.first_byte);
  add_latency(json, "handshake_us", result.handshake);
  if (!result.failure.empty()) json.member("failure", result.failure);
  json.end_object();
  return json.text() + "\n";
}

}  // namespace quoll::app
