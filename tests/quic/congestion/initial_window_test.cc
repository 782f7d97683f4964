#include "quic/congestion/initial_window.h"

#include <doctest/doctest.h>

#include <array>
#include <memory>

#include "quic/congestion/make_controller.h"

using namespace quoll;
using namespace quoll::quic;

namespace {

constexpr Duration ms(int64_t count) { return Duration::milliseconds(count); }
Instant at(int64_t time) { return Instant() + ms(time); }

/// The controller's window after its first ACK, of a datagram that came back after `round_trip`, and its pacing rate then.
struct Start {
  uint64_t window;
  Bandwidth rate;
};

Start start(CongestionAlgorithm algorithm, InitialWindow initial, Duration round_trip, bool after_loss = false) {
  const std::unique_ptr<Controller> controller = make_controller(algorithm, 1200, 1, initial);
  Rtt rtt;
  controller->on_packet_sent({.now = at(0), .bytes = 1200, .bytes_in_flight = 1200});
  if (after_loss) controller->on_loss({.now = at(1), .bytes_lost = 1200, .newest_time_sent = at(0)});
  const Instant now = at(0) + round_trip;
  rtt.on_sample(now, round_trip, {});
  AckEvent event{
      .now = now, .bytes_acked = 1200, .bytes_acked_after_recovery_start = 1200, .prior_bytes_in_flight = 1200};
  event.newest_time_sent = at(0);
  event.rtt_sample = round_trip;
  event.rate.has_data = true;
  event.rate.total_delivered = event.rate.newly_acked = 1200;
  controller->on_ack(event, rtt);
  return {controller->window(), controller->pacing_rate(rtt)};
}

}  // namespace

TEST_SUITE("quic initial window") {
  // RFC 9002 §7.2
  TEST_CASE("ten datagrams, but no more than the larger of 14,720 bytes and two datagrams") {
    const InitialWindow window;
    CHECK_EQ(window.bytes(1200), 12'000);
    CHECK_EQ(window.bytes(1472), 14'720);
    CHECK_EQ(window.bytes(1500), 14'720);
    CHECK_EQ(window.bytes(9000), 18'000);
    CHECK_EQ(window.bytes(1200, Duration::seconds(2)), 12'000);
  }

  TEST_CASE("more datagrams, and more of them on long paths up to a limit") {
    constexpr InitialWindow window = {.datagrams = 32, .span = ms(100)};
    CHECK_EQ(window.bytes(1200), 38'400);
    CHECK_EQ(window.bytes(9000), 32 * 1472);
    CHECK_EQ(window.bytes(1200, ms(100)), 38'400);
    CHECK_EQ(window.bytes(1200, ms(250)), 96'000);
    CHECK_EQ(window.bytes(1200, ms(600)), 6 * 38'400);
    CHECK_EQ(window.bytes(1200, Duration::seconds(3)), 6 * 38'400);
    CHECK_EQ(window.bytes(1200, Duration::infinite()), 6 * 38'400);
  }

  TEST_CASE("what makes sense") {
    CHECK(InitialWindow{}.is_sane());
    CHECK(kEagerInitialWindow.is_sane());
    CHECK_FALSE(InitialWindow{.datagrams = 1}.is_sane());
    CHECK_FALSE(InitialWindow{.datagrams = 101}.is_sane());
    CHECK_FALSE(InitialWindow{.span = Duration()}.is_sane());
  }

  TEST_CASE("each controller begins with it, and takes the round trip of the first ACK into account") {
    using enum CongestionAlgorithm;
    constexpr uint64_t kNear = kEagerInitialWindow.bytes(1200);
    for (const CongestionAlgorithm algorithm : {new_reno, cubic, bbr2, bbr3}) {
      CAPTURE(static_cast<int>(algorithm));
      CHECK_EQ(make_controller(algorithm, 1200, 1, kEagerInitialWindow)->window(), kNear);
      CHECK_LE(start(algorithm, {}, ms(600)).window, 11 * 1200);
      const Start near = start(algorithm, kEagerInitialWindow, ms(100));
      CHECK_GE(near.window, kNear);
      CHECK_LE(near.window, kNear + 1200);
      const Start far = start(algorithm, kEagerInitialWindow, ms(600));
      CHECK_GE(far.window, 6 * kNear);
      CHECK_LE(far.window, 6 * kNear + 1200);
      // The same rate, whatever the length of the path.
      CHECK_GE(far.rate.as_bytes_per_second() * 20, near.rate.as_bytes_per_second() * 19);
      CHECK_LE(far.rate.as_bytes_per_second() * 19, near.rate.as_bytes_per_second() * 20);
      CHECK_LE(start(algorithm, kEagerInitialWindow, ms(600), true).window, kNear + 1200);
    }
  }
}
