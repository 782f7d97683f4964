#include "app/serve_metrics.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>

#include "base/version.h"

namespace quoll::app {
namespace {

constexpr std::string_view kCounter = "counter", kGauge = "gauge";

class Text {
 public:
  void family(std::string_view name, std::string_view type, std::string_view help) {
    text_.append("# HELP ").append(name).append(" ").append(help).append("\n");
    text_.append("# TYPE ").append(name).append(" ").append(type).append("\n");
  }
  void sample(std::string_view name, std::string_view labels, uint64_t value) {
    text_.append(name).append(labels).append(" ").append(std::to_string(value)).append("\n");
  }
  /// Of millionths.
  void decimal(std::string_view name, uint64_t millionths) {
    const std::string fraction = std::to_string(1'000'000 + millionths % 1'000'000).substr(1);
    text_.append(name).append(" ").append(std::to_string(millionths / 1'000'000)).append(".").append(fraction);
    text_ += '\n';
  }
  void single(std::string_view name, std::string_view type, std::string_view help, uint64_t value) {
    family(name, type, help);
    sample(name, {}, value);
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

/// Names and units as Prometheus' own client libraries have them.
void write_process(Text& text, const ProcessFacts& process) {
  text.single("process_start_time_seconds", kGauge, "When the process began, since 1970.",
              static_cast<uint64_t>(process.start_seconds));
  text.family("process_cpu_seconds_total", kCounter, "Processor time, the system's included.");
  text.decimal("process_cpu_seconds_total", process.cpu_microseconds);
  if (process.resident_bytes)
    text.single("process_resident_memory_bytes", kGauge, "Memory in use.", *process.resident_bytes);
  if (process.open_descriptors)
    text.single("process_open_fds", kGauge, "Open file descriptors.", *process.open_descriptors);
  text.single("process_max_fds", kGauge, "File descriptors that may be open.", process.descriptors_max);
}

void write_exchanges(Text& text, const MetricsSources& sources) {
  const ExchangeCounts& counts = sources.exchanges;
  text.single("quoll_connections", kGauge, "Connections now.", sources.server.connections);
  text.single("quoll_exchanges", kGauge, "Exchanges now.", sources.server.exchanges);
  text.single("quoll_requests_total", kCounter, "Requests received.", sources.server.requests);
  text.family("quoll_responses_total", kCounter, "Exchanges that ended, by class of status; none: without a response.");
  constexpr std::array<std::string_view, 6> kClasses = {"{class=\"none\"}", "{class=\"1xx\"}", "{class=\"2xx\"}",
                                                        "{class=\"3xx\"}",  "{class=\"4xx\"}", "{class=\"5xx\"}"};
  for (size_t i = 0; i < kClasses.size(); i++) text.sample("quoll_responses_total", kClasses[i], counts.responses(i));
  text.single("quoll_responses_incomplete_total", kCounter, "Exchanges that did not reach their end.",
              counts.incomplete());
  text.single("quoll_response_body_bytes_total", kCounter, "Bytes of bodies sent.", counts.bytes());
  text.single("quoll_access_log_lines_lost_total", kCounter, "Lines that the access log could not take.",
              sources.log_lines_lost);
}

void write_transport(Text& text, const MetricsSources& sources) {
  const quic::EndpointStatistics& endpoint = sources.server.endpoint;
  text.single("quoll_connections_accepted_total", kCounter, "Connections begun.", endpoint.accepted);
  text.single("quoll_handshakes_completed_total", kCounter, "Handshakes that were completed.", endpoint.connected);
  text.single("quoll_connections_refused_total", kCounter, "Connections refused.", endpoint.refused);
  text.single("quoll_retries_sent_total", kCounter, "Retry packets sent.", endpoint.retries_sent);
  text.single("quoll_version_negotiations_sent_total", kCounter, "Version Negotiation packets sent.",
              endpoint.version_negotiations_sent);
  text.single("quoll_stateless_resets_sent_total", kCounter, "Stateless resets sent.", endpoint.stateless_resets_sent);
  text.single("quoll_datagrams_dropped_total", kCounter, "Datagrams dropped, for whatever reason.",
              endpoint.datagrams_dropped);
}

void write_sockets(Text& text, const MetricsSources& sources) {
  const udp::SocketStatistics& socket = sources.server.socket;
  text.single("quoll_udp_datagrams_received_total", kCounter, "Datagrams received.", socket.datagrams_received);
  text.single("quoll_udp_datagrams_sent_total", kCounter, "Datagrams sent.", socket.datagrams_sent);
  text.single("quoll_udp_receive_calls_total", kCounter, "System calls that received.", socket.receive_calls);
  text.single("quoll_udp_send_calls_total", kCounter, "System calls that sent.", socket.send_calls);
  text.single("quoll_udp_send_errors_total", kCounter, "Datagrams that the system refused.", socket.send_errors);
}

}  // namespace

void ExchangeCounts::count(const web::Outcome& outcome) {
  const size_t status_class = outcome.status / 100;
  responses_[status_class < responses_.size() ? status_class : 0].fetch_add(1, std::memory_order_relaxed);
  bytes_.fetch_add(outcome.bytes_sent, std::memory_order_relaxed);
  if (!outcome.complete) incomplete_.fetch_add(1, std::memory_order_relaxed);
}

ProcessFacts ProcessFacts::read() {
  ProcessFacts facts;
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) == 0) {
    const auto microseconds = [](const timeval& time) {
      return static_cast<uint64_t>(time.tv_sec) * 1'000'000 + static_cast<uint64_t>(time.tv_usec);
    };
    facts.cpu_microseconds = microseconds(usage.ru_utime) + microseconds(usage.ru_stime);
  }
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) facts.descriptors_max = limit.rlim_cur;
  // Pages: of the program, and of these the resident ones.
  if (const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen("/proc/self/statm", "re"), std::fclose);
      file) {
    unsigned long long size = 0, resident = 0;
    if (std::fscanf(file.get(), "%llu %llu", &size, &resident) == 2)
      facts.resident_bytes = resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  }
  if (const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir("/proc/self/fd"), closedir); folder) {
    uint64_t count = 0;
    while (const dirent* entry = readdir(folder.get())) count += entry->d_name[0] != '.' ? 1 : 0;
    facts.open_descriptors = count - 1;  // without the folder's own
  }
  return facts;
}

std::string metrics_text(const MetricsSources& sources) {
  Text text;
  text.family("quoll_build_info", kGauge, "The version, as a label.");
  text.sample("quoll_build_info", std::string("{version=\"") + kVersion + "\"}", 1);
  write_process(text, sources.process);
  write_exchanges(text, sources);
  write_transport(text, sources);
  write_sockets(text, sources);
  return text.take();
}

}  // namespace quoll::app
