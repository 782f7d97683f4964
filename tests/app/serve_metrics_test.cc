#include "app/serve_metrics.h"

#include <map>
#include <regex>
#include <sstream>

#include <doctest/doctest.h>

namespace quoll::app {
namespace {

struct Family {
  std::string type;
  bool has_help = false;
  std::map<std::string, double> samples{};  // by their labels
};

/// The text format of Prometheus: HELP and TYPE, then the samples of that name, and no name twice.
std::map<std::string, Family> parse(const std::string& text) {
  static const std::regex help("# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) [^\\\\]+"), type("# TYPE (\\w+) (counter|gauge)"),
      sample("(\\w+)(\\{\\w+=\"[^\"\\\\]*\"\\})? ([0-9]+(\\.[0-9]+)?)");
  std::map<std::string, Family> families;
  std::string current;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    INFO(line);
    std::smatch match;
    if (std::regex_match(line, match, help)) {
      current = match[1];
      CHECK_FALSE(families.contains(current));
      families[current].has_help = true;
    } else if (std::regex_match(line, match, type)) {
      CHECK_EQ(match[1], current);
      families[current].type = match[2];
    } else {
      REQUIRE(std::regex_match(line, match, sample));
      CHECK_EQ(match[1], current);
      CHECK(families[current].samples.emplace(match[2], std::stod(match[3])).second);
    }
  }
  return families;
}

}  // namespace

TEST_SUITE("app/serve_metrics") {
  TEST_CASE("the text has the form that Prometheus reads, and names that say what is counted") {
    ExchangeCounts counts;
    counts.count({.complete = true, .bytes_sent = 100, .status = 200});
    counts.count({.complete = false, .bytes_sent = 7, .status = 206});
    counts.count({.complete = true, .status = 404});
    counts.count({.complete = false});
    web::ServerStatistics server;
    server.requests = 5;
    server.connections = 2;
    server.socket.datagrams_sent = 11;
    const std::string text = metrics_text({.exchanges = counts,
                                           .server = server,
                                           .log_lines_lost = 3,
                                           .process = {.start_seconds = 1'700'000'000,
                                                       .cpu_microseconds = 2'000'042,
                                                       .resident_bytes = 4096,
                                                       .open_descriptors = 9,
                                                       .descriptors_max = 1024}});
    CHECK(text.ends_with('\n'));
    auto families = parse(text);
    for (const auto& [name, family] : families) {
      CAPTURE(name);
      CHECK(family.has_help);
      CHECK_FALSE(family.samples.empty());
      CHECK_EQ(family.type == "counter", name.ends_with("_total"));
    }
    auto& responses = families["quoll_responses_total"].samples;
    CHECK_EQ(responses.size(), 6);
    CHECK_EQ(responses["{class=\"2xx\"}"], 2);
    CHECK_EQ(responses["{class=\"4xx\"}"], 1);
    CHECK_EQ(responses["{class=\"none\"}"], 1);
    const auto single = [&families](const char* name) { return families[name].samples[""]; };
    CHECK_EQ(single("quoll_responses_incomplete_total"), 2);
    CHECK_EQ(single("quoll_response_body_bytes_total"), 107);
    CHECK_EQ(single("quoll_requests_total"), 5);
    CHECK_EQ(single("quoll_connections"), 2);
    CHECK_EQ(single("quoll_udp_datagrams_sent_total"), 11);
    CHECK_EQ(single("quoll_access_log_lines_lost_total"), 3);
    CHECK_EQ(single("process_start_time_seconds"), 1'700'000'000);
    CHECK_EQ(single("process_cpu_seconds_total"), doctest::Approx(2.000042));
    CHECK_EQ(single("process_resident_memory_bytes"), 4096);
    CHECK_EQ(single("process_open_fds"), 9);
    CHECK_EQ(single("process_max_fds"), 1024);
  }

  TEST_CASE("what the system does not tell is left out") {
    const ExchangeCounts counts;
    auto families = parse(metrics_text({.exchanges = counts, .server = {}}));
    CHECK_FALSE(families.contains("process_resident_memory_bytes"));
    CHECK_FALSE(families.contains("process_open_fds"));
  }

  TEST_CASE("the system knows of the process") {
    const ProcessFacts facts = ProcessFacts::read();
    CHECK_GT(facts.cpu_microseconds, 0);
    CHECK_GT(facts.descriptors_max, 0);
    if (facts.resident_bytes) CHECK_GT(*facts.resident_bytes, 100'000);
    if (facts.open_descriptors) CHECK_GE(*facts.open_descriptors, 2);
  }
}

}  // namespace quoll::app
