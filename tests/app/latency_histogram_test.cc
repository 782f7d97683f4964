#include "app/latency_histogram.h"

#include <doctest/doctest.h>

namespace quoll::app {

TEST_CASE("a histogram without samples has nothing to tell") {
  const LatencyHistogram histogram;
  CHECK(histogram.samples() == 0);
  CHECK(histogram.mean() == Duration());
  CHECK(histogram.quantile(0.5) == Duration());
}

TEST_CASE("quantiles are within two percent, whatever the magnitude") {
  for (const int64_t unit : {int64_t{1}, int64_t{1'000}, int64_t{1'000'000}, int64_t{1'000'000'000}}) {
    LatencyHistogram histogram;
    for (int64_t i = 1; i <= 1000; i++) histogram.add(Duration::nanoseconds(i * unit));
    CHECK(histogram.samples() == 1000);
    CHECK(histogram.largest() == Duration::nanoseconds(1000 * unit));
    for (const double quantile : {0.01, 0.5, 0.9, 0.99, 1.0}) {
      const double exact = quantile * 1000 * static_cast<double>(unit);
      const auto found = static_cast<double>(histogram.quantile(quantile).as_nanoseconds());
      CHECK(found >= exact * 0.999);
      CHECK(found <= exact * 1.02);
    }
    CHECK(histogram.mean() == Duration::nanoseconds(1001 * unit / 2));
  }
}

TEST_CASE("the longest and the shortest durations have a place") {
  LatencyHistogram histogram;
  histogram.add(Duration());
  histogram.add(Duration::nanoseconds(-5));  // a clock that was set back
  histogram.add(Duration::infinite());
  CHECK(histogram.quantile(0.5) == Duration());
  CHECK(histogram.quantile(1) == Duration::infinite());
}

}  // namespace quoll::app
