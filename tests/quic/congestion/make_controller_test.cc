#include "quic/congestion/make_controller.h"

#include <doctest/doctest.h>

using namespace quoll::quic;

TEST_SUITE("quic make_controller") {
  TEST_CASE("names lead to controllers") {
    using enum CongestionAlgorithm;
    struct Case {
      std::string_view name;
      CongestionAlgorithm algorithm;
    };
    for (const Case& each : {Case{"cubic", cubic}, {"newreno", new_reno}, {"bbr2", bbr2}, {"bbr3", bbr3}}) {
      CHECK_EQ(congestion_algorithm(each.name), each.algorithm);
      CHECK_NE(kCongestionAlgorithmNames.find(each.name), std::string_view::npos);
      const auto controller = make_controller(each.algorithm, 1200, 1);
      REQUIRE(controller);
      CHECK_EQ(controller->window(), initial_window(1200));
    }
    CHECK_EQ(congestion_algorithm("reno"), new_reno);
    CHECK_EQ(congestion_algorithm("bbr"), bbr3);
    CHECK_FALSE(congestion_algorithm("Cubic"));
    CHECK_FALSE(congestion_algorithm(""));
  }
}
