#include "interop/link/statistics.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "tests/support/random.h"

#include <doctest/doctest.h>

namespace quoll::link {

TEST_SUITE("interop/link/statistics") {
  TEST_CASE("quantiles are within some percent of those of the sorted values, and never below") {
    const uint64_t seed = tests::test_seed(1);
    INFO("seed ", seed);
    tests::SeededRng rng(seed);
    for (const unsigned bits : {3u, 10u, 24u, 40u, 63u}) {
      Histogram histogram;
      CHECK_EQ(histogram.quantile(500), Duration());
      std::vector<int64_t> values;
      for (size_t i = 0; i < 3'000; i++) {
        values.push_back(static_cast<int64_t>(rng.next_u64() >> (64 - bits) >> rng.below(bits)));
        histogram.add(Duration::nanoseconds(values.back()));
      }
      std::sort(values.begin(), values.end());
      for (const size_t thousandths : {1, 500, 950, 990, 1000}) {
        const int64_t exact = values[thousandths * 3 - 1];
        const int64_t estimate = histogram.quantile(thousandths).as_nanoseconds();
        CHECK_GE(estimate, exact);
        CHECK_LE(estimate - exact, exact / 16);
      }
      CHECK_EQ(histogram.largest().as_nanoseconds(), values.back());
      CHECK_EQ(histogram.count(), 3'000);
    }
  }

  TEST_CASE("a negative duration counts as none") {
    Histogram histogram;
    histogram.add(Duration::nanoseconds(-5));
    CHECK_EQ(histogram.count(), 1);
    CHECK_EQ(histogram.quantile(1000), Duration());
  }

  TEST_CASE("the JSON holds what was counted") {
    Statistics statistics;
    statistics.scenario = "drop-rate";
    statistics.seed = 7;
    statistics.to_client.offered.add(1500);
    statistics.to_client.offered.add(100);
    statistics.to_client.dropped_queue.add(100);
    for (int i = 0; i < 10; i++) statistics.to_client.queueing.add(Duration::microseconds(i < 9 ? 10 : 100));
    statistics.to_client.queueing.add(Duration::milliseconds(3));
    statistics.began = Instant::from_nanoseconds(1'700'000'000'250'000'000);
    for (int i = 0; i < 3; i++) statistics.to_client.bursts.add(Instant(), 20);
    const nlohmann::json json = nlohmann::json::parse(statistics.json());
    CHECK_EQ(json["scenario"], "drop-rate");
    CHECK_EQ(json["seed"], 7);
    CHECK_EQ(json["real_time"], false);
    CHECK_EQ(json["to_client"]["offered"]["packets"], 2);
    CHECK_EQ(json["to_client"]["offered"]["bytes"], 1600);
    CHECK_EQ(json["to_client"]["dropped_queue"]["packets"], 1);
    const nlohmann::json queueing = json["to_client"]["queueing_seconds"];
    CHECK_EQ(queueing["p50"], 0.000010);
    CHECK_EQ(queueing["p95"], 0.003);
    CHECK_EQ(queueing["max"], 0.003);
    CHECK_EQ(json["began_unix_seconds"], 1'700'000'000.25);
    CHECK_EQ(json["to_client"]["bytes_within_1ms"]["max"], 60);
    CHECK_EQ(json["to_client"]["bytes_within_10ms"]["p50"], 40);
    CHECK_EQ(json["to_client"]["packets_of_a_train"]["p99"], 3);
    CHECK_EQ(json["to_server"]["offered"]["packets"], 0);
  }
}

}  // namespace quoll::link
