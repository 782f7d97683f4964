#include "app/perf_report.h"

#include <nlohmann/json.hpp>

#include <doctest/doctest.h>

namespace quoll::app {
namespace {

PerfGetOptions options_of(PerfWork work) {
  PerfGetOptions options;
  options.url = *http::Url::parse("https://localhost:4433/");
  options.work = work;
  return options;
}

}  // namespace

TEST_CASE("what a server tells of itself is taken whole or not at all") {
  const auto facts =
      PerfServerFacts::parse({{"quoll-cpu-us", "5"}, {"quoll-memory", "6"}, {"quoll-connections", "7"}, {"date", "x"}});
  REQUIRE(facts);
  CHECK(facts->cpu_microseconds == 5);
  CHECK(facts->memory == 6);
  CHECK(facts->connections == 7);
  CHECK_FALSE(PerfServerFacts::parse({{"quoll-cpu-us", "5"}, {"quoll-memory", "6"}}));
  CHECK_FALSE(PerfServerFacts::parse({{"quoll-cpu-us", "-5"}, {"quoll-memory", "6"}, {"quoll-connections", "7"}}));
  CHECK_FALSE(PerfServerFacts::parse({}));
}

TEST_CASE("a transfer is told in bits per second and processor seconds per gibibyte") {
  const PerfGetOptions options = options_of(PerfWork::transfers);
  PerfResult result;
  result.done = 2;
  result.bytes_received = uint64_t{1} << 30;
  result.elapsed = Duration::seconds(2);
  result.cpu_microseconds = 500'000;
  result.latency.add(Duration::milliseconds(3));
  const PerfReport report{.options = options,
                          .result = result,
                          .before = PerfServerFacts{.cpu_microseconds = 1'000'000},
                          .after = PerfServerFacts{.cpu_microseconds = 1'250'000}};
  const auto json = nlohmann::json::parse(report.json());
  CHECK(json["work"] == "download");
  CHECK(json["requests"] == 2);
  CHECK(json["requests_per_second"] == 1);
  CHECK(json["bits_per_second"].get<double>() == doctest::Approx(4.29497e9));
  CHECK(json["client_cpu_seconds"] == 0.5);
  CHECK(json["server_cpu_seconds"] == 0.25);
  CHECK(json["latency_us"]["max"] == 3000);
  CHECK(json["latency_us"]["samples"] == 1);
  CHECK_FALSE(json.contains("server_bytes_per_connection"));
  CHECK_FALSE(json.contains("failure"));
  CHECK(report.text().find("4.295 Gbit/s, 1.000 GiB received") != std::string::npos);
  CHECK(report.text().find("per GiB: client 0.500 s, server 0.250 s") != std::string::npos);
}

TEST_CASE("idle connections are told in the memory of each") {
  const PerfGetOptions options = options_of(PerfWork::idle);
  PerfResult result;
  result.done = result.connections = 10;
  result.failure = "no \"answer\"";
  const PerfReport report{.options = options,
                          .result = result,
                          .before = PerfServerFacts{.memory = 1'000'000},
                          .after = PerfServerFacts{.memory = 1'102'400}};
  const auto json = nlohmann::json::parse(report.json());
  CHECK(json["work"] == "idle");
  CHECK(json["server_bytes_per_connection"] == 10'240);
  CHECK(json["failure"] == "no \"answer\"");
  CHECK(report.text().find("server 10.0 KiB for each connection") != std::string::npos);
  CHECK(report.text().find("no \"answer\"") != std::string::npos);
}

}  // namespace quoll::app
