#include "tests/lab/manners.h"

#include <doctest/doctest.h>

namespace quoll::lab {
namespace {

constexpr uint64_t kDatagram = 1'200;

constexpr Instant at_us(int64_t count) { return Instant() + Duration::microseconds(count); }

/// 12 Mbit/s: 1,500 bytes in a millisecond.
quic::Statistics saying(uint64_t in_flight, uint64_t window) {
  quic::Statistics statistics;
  statistics.bytes_in_flight = in_flight;
  statistics.congestion_window = window;
  statistics.pacing_rate = Bandwidth::bytes_per_second(1'500'000);
  return statistics;
}

TEST_CASE("what leaves at the pacing rate within the window is fine") {
  Manners manners;
  for (int i = 0; i < 1'000; i++) CHECK(manners.on_sent(at_us(i * 800), kDatagram, saying(50'000, 60'000)).empty());
}

TEST_CASE("more than the pacing rate lets is noticed") {
  Manners manners;
  bool is_noticed = false;
  for (int i = 0; i < 1'000; i++) {
    is_noticed = is_noticed || !manners.on_sent(at_us(i * 200), kDatagram, saying(50'000, 60'000)).empty();
  }
  CHECK(is_noticed);
}

TEST_CASE("a burst is fine where nothing was in flight, and not in the midst of a flow") {
  const auto burst = [](uint64_t before) {
    Manners manners;
    std::string wrong;
    for (uint64_t i = 0; i < 12; i++)
      CHECK(manners.on_sent(at_us(0), kDatagram, saying(before + 14'400, 90'000)).empty());
    for (uint64_t i = 0; i < 24 && wrong.empty(); i++) {
      wrong = manners.on_sent(at_us(9'000), kDatagram, saying(before + 28'800, 90'000));
    }
    return wrong;
  };
  CHECK(burst(0).empty());
  CHECK_FALSE(burst(50'000).empty());
}

TEST_CASE("a rate that has just fallen excuses what left before") {
  Manners manners;
  quic::Statistics slow = saying(50'000, 60'000);
  slow.pacing_rate = Bandwidth::bytes_per_second(100'000);
  for (int i = 0; i < 20; i++) CHECK(manners.on_sent(at_us(i * 400), kDatagram, saying(50'000, 60'000)).empty());
  CHECK(manners.on_sent(at_us(8'100), kDatagram, slow).empty());
  bool is_noticed = false;
  for (int i = 0; i < 100; i++) {
    is_noticed = is_noticed || !manners.on_sent(at_us(9'000 + i * 400), kDatagram, slow).empty();
  }
  CHECK(is_noticed);
}

TEST_CASE("probes may leave beyond the window, and acknowledgements; no more") {
  Manners manners;
  for (int i = 0; i < 3; i++) CHECK(manners.on_sent(at_us(0), kDatagram, saying(61'200, 60'000)).empty());
  for (int i = 0; i < 40; i++) CHECK(manners.on_sent(at_us(0), 40, saying(61'200, 60'000)).empty());
  CHECK(manners.on_sent(at_us(20'000), kDatagram, saying(61'200, 60'000)).empty());  // a later PTO
  std::string wrong;
  for (int i = 0; i < 6; i++) wrong = manners.on_sent(at_us(40'000), kDatagram, saying(61'200 + i * kDatagram, 60'000));
  CHECK(wrong.contains("beyond the window"));
}

}  // namespace
}  // namespace quoll::lab
