#include "quic/congestion/cubic.h"

#include <cmath>

#include "tests/quic/congestion/support.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;
using Flow = tests::Flow<Cubic>;

namespace {

constexpr double kMss = 1200;

/// A flow with that window, in slow start.
Flow with_window(uint64_t window, int64_t rtt_ms = 100) {
  Flow flow({.max_datagram_size = 1200, .hystart = false}, rtt_ms);
  flow.ack(0, 0, window - flow.window());
  return flow;
}

/// The formulas of RFC 9438 in segments and seconds.
struct Model {
  double cwnd, w_max, k = 0, w_est = 0, cwnd_prior = 0;

  void start() {
    k = std::cbrt((w_max - cwnd) / 0.4);
    w_est = cwnd;
  }
  void ack(double t, double rtt, double segments) {
    const auto w_cubic = [&](double time) { return 0.4 * std::pow(time - k, 3) + w_max; };
    w_est += (w_est >= cwnd_prior ? 1 : 3 * 0.3 / 1.7) * segments / cwnd;
    if (w_cubic(t) < w_est) {
      cwnd = std::max(cwnd, w_est);
    } else {
      cwnd += (std::clamp(w_cubic(t + rtt), cwnd, 1.5 * cwnd) - cwnd) / cwnd * segments;
    }
  }
};

}  // namespace

TEST_SUITE("quic cubic") {
  TEST_CASE("a loss reduces the window to 0.7 of it (RFC 9438 §4.6)") {
    Flow flow = with_window(120'000);
    flow.lose(100, 50);
    CHECK_EQ(flow.window(), 84'000);
    CHECK_EQ(flow.controller.slow_start_threshold(), 84'000);
    CHECK_EQ(flow.controller.w_max(), 120'000);
    for (int i = 1; i < 20; i++) flow.lose(100 + 1000 * i, 1000 * i);
    CHECK_EQ(flow.window(), 2400);
  }

  TEST_CASE("the window follows the formulas of RFC 9438 §4.2 to §4.5 step by step") {
    for (const uint64_t start : {24'000u, 120'000u, 1'200'000u, 12'000'000u}) {
      for (const int64_t rtt : {10, 100}) {
        CAPTURE(start);
        CAPTURE(rtt);
        Flow flow = with_window(start, rtt);
        flow.lose(1000, 500);
        Model model{.cwnd = 0.7 * static_cast<double>(start) / kMss,
                    .w_max = static_cast<double>(start) / kMss,
                    .cwnd_prior = static_cast<double>(start) / kMss};
        model.start();
        const double seconds = static_cast<double>(rtt) / 1000;
        for (int64_t i = 0; i < 300; i++) {
          const int64_t now = 1001 + i * rtt;
          for (int part = 0; part < 4; part++) {
            const uint64_t bytes = flow.window() / 4;
            flow.ack(now, now, bytes);
            model.ack(static_cast<double>(now - 1001) / 1000, seconds, static_cast<double>(bytes) / kMss);
          }
          REQUIRE_EQ(static_cast<double>(flow.window()) / kMss, doctest::Approx(model.cwnd).epsilon(0.001));
        }
        CHECK_GT(flow.window(), start * 7 / 10);
      }
    }
  }

  TEST_CASE("the plateau is reached after K, which is the cubic root of the distance (RFC 9438 §4.2)") {
    Flow flow = with_window(12'000'000);
    flow.lose(1000, 500);
    flow.ack(1001, 1001, 1200);
    CHECK_EQ(flow.controller.k(), doctest::Approx(std::cbrt(3000 / 0.4)));  // 19.6 s
    for (int64_t now = 1001; now < 1001 + 19'600; now += 100) flow.ack(now, now, flow.window());
    CHECK_EQ(static_cast<double>(flow.window()), doctest::Approx(12e6).epsilon(0.01));
  }

  TEST_CASE("small windows grow at least as Reno would (RFC 9438 §4.3)") {
    Flow flow = with_window(24'000, 10);
    flow.lose(1000, 500);
    // From 14 segments by 0.53 a round trip up to 20, by 1 from there on.
    int rounds = 0;
    for (int64_t now = 1001; flow.window() < 24'000; now += 10, rounds++) flow.ack(now, now, flow.window());
    CHECK_EQ(rounds, 12);
    const uint64_t before = flow.window();
    for (int64_t now = 1201; now < 1301; now += 10) flow.ack(now, now, flow.window());
    CHECK_EQ(static_cast<double>(flow.window() - before), doctest::Approx(12'000).epsilon(0.03));
  }

  TEST_CASE("the target is never more than half above the window (RFC 9438 §4.2)") {
    Flow flow = with_window(120'000);
    flow.lose(1000, 500);
    flow.ack(1001, 1001, 1200);
    const uint64_t before = flow.window();
    flow.ack(500'000, 500'000, before);  // the curve is far above
    CHECK_LE(flow.window(), before + before / 2 + 1);
  }

  TEST_CASE("a window below the last W_max gives way faster (RFC 9438 §4.7)") {
    Flow flow = with_window(120'000);
    flow.lose(1000, 500);
    flow.lose(3000, 2000);
    CHECK_EQ(flow.controller.w_max(), doctest::Approx(84'000 * 0.85));
    Cubic plain(Cubic::CubicOptions{.common = {.max_datagram_size = 1200}, .fast_convergence = false});
    plain.on_loss({.now = Flow::at(1000), .newest_time_sent = Flow::at(500)});
    plain.on_loss({.now = Flow::at(3000), .newest_time_sent = Flow::at(2000)});
    CHECK_EQ(plain.w_max(), 8400);
  }

  TEST_CASE("time in which the application limits the window does not move the curve (RFC 9438 §4.2, §5.8)") {
    Flow busy = with_window(1'200'000), idle = with_window(1'200'000);
    busy.lose(1000, 500);
    idle.lose(1000, 500);
    for (int64_t now = 1100; now < 3000; now += 100) {
      busy.ack(now, now, busy.window());
      idle.ack(now, now, idle.window());
    }
    const uint64_t window = idle.window();
    for (int64_t now = 3000; now < 60'000; now += 100) idle.ack(now, now, 1200, 1200);
    CHECK_EQ(idle.window(), window);
    idle.controller.on_packet_sent({.now = Flow::at(90'000), .bytes = 1200, .bytes_in_flight = 1200});
    for (int64_t i = 0; i < 20; i++) {
      busy.ack(3000 + 100 * i, 3000 + 100 * i, busy.window());
      idle.ack(90'100 + 100 * i, 90'100 + 100 * i, idle.window());
    }
    CHECK_EQ(static_cast<double>(idle.window()), doctest::Approx(static_cast<double>(busy.window())).epsilon(0.01));
  }

  TEST_CASE("after persistent congestion the curve starts on its plateau (RFC 9438 §4.8)") {
    Flow flow = with_window(120'000);
    flow.lose(1000, 500, true);
    CHECK_EQ(flow.window(), 2400);
    while (flow.controller.state() == CongestionState::slow_start) flow.ack(1100, 1050, flow.window());
    const uint64_t window = flow.window();
    flow.ack(1200, 1150, 1200);
    CHECK_EQ(flow.controller.k(), 0);
    CHECK_EQ(flow.controller.w_max(), static_cast<double>(window));
  }

  TEST_CASE("spurious losses are undone, the curve with them (RFC 9438 §4.9.2)") {
    Flow flow = with_window(1'200'000);
    flow.lose(1000, 500);
    for (int64_t now = 1100; now < 3000; now += 100) flow.ack(now, now, flow.window());
    const uint64_t window = flow.window();
    const double k = flow.controller.k(), w_max = flow.controller.w_max();
    flow.lose(3000, 2950);
    CHECK_LT(flow.window(), window);
    flow.controller.on_spurious_loss(Flow::at(3050));
    CHECK_EQ(flow.window(), window);
    CHECK_EQ(flow.controller.k(), k);
    CHECK_EQ(flow.controller.w_max(), w_max);
    // Not when the window has grown beyond by itself.
    Flow late = with_window(12'000, 10);
    late.lose(1000, 500);
    for (int64_t now = 1100; late.window() <= 12'000; now += 10) late.ack(now, now, late.window());
    const uint64_t grown = late.window();
    late.controller.on_spurious_loss(Flow::at(9000));
    CHECK_EQ(late.window(), grown);
  }

  TEST_CASE("slow start that HyStart++ ended begins on a plateau, too (RFC 9438 §4.10)") {
    Flow flow({.max_datagram_size = 1200, .hystart = true});
    int64_t now = 0;
    const auto round = [&](int64_t rtt) {
      flow.sample = Duration::milliseconds(rtt);
      now += 100;
      flow.ack(now, now - 50, 1200);
      const uint64_t start = flow.delivered;
      // The other ACKs of the round do not end it.
      for (int i = 0; i < 9; i++) {
        flow.delivered = start - 1;
        flow.ack(now, now - 50, 1200);
        flow.delivered = start;
      }
    };
    for (int i = 0; i < 3; i++) round(100);
    CHECK(flow.controller.state() == CongestionState::slow_start);
    round(130);
    CHECK(flow.controller.state() == CongestionState::conservative_slow_start);
    for (int i = 0; i < 10 && flow.controller.state() != CongestionState::congestion_avoidance; i++) round(130);
    CHECK(flow.controller.state() == CongestionState::congestion_avoidance);
    round(130);
    CHECK_EQ(flow.controller.k(), 0);
    CHECK_GT(flow.controller.w_max(), 12'000);
  }

  TEST_CASE("windows stay within their limits, whatever comes") {
    Flow flow;
    for (int i = 0; i < 200; i++) flow.ack(i, i, flow.window());
    CHECK_EQ(flow.window(), kWindowMax);
    flow.lose(1000, 900);
    for (int64_t i = 0; i < 200; i++) flow.ack(1001 + 1'000'000 * i, 1001 + 1'000'000 * i, flow.window());
    CHECK_EQ(flow.window(), kWindowMax);
  }
}
