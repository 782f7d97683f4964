// Departures: trains that are handed out ahead of their time, to a caller that holds them back (ConnectionConfig::departure_horizon).
#include <algorithm>

#include "tests/quic/connection/stage.h"

#include <doctest/doctest.h>

namespace quoll::quic::tests {
namespace {

struct Train {
  Instant polled, departure;
  size_t size = 0;
};

/// What a client with much to send hands out until its window is full, when it is polled as often as it asks for.
struct HandedOut {
  explicit HandedOut(Duration horizon) {
    Stage s(Role::client);
    s.transport.pacing = true;
    s.transport.departure_horizon = horizon;
    REQUIRE(s.handshake());
    const auto id = s.streams().open(false);
    REQUIRE(id);
    // Windows grow.
    for (int i = 0; i < 3; i++) {
      REQUIRE(s.streams().write(*id, Data(60'000)));
      s.drain();
      s.advance(Duration::milliseconds(200));
    }
    REQUIRE_EQ(s.connection()->statistics().bytes_in_flight, 0);
    began = s.now;
    rate = s.connection()->statistics().pacing_rate;
    REQUIRE(s.streams().write(*id, Data(70'000)));
    std::vector<uint8_t> scratch(65'535);
    for (Instant now = began; now < began + kDelay; wakes++) {
      s.endpoint->on_timeout(now);
      while (const auto transmit = s.endpoint->poll_transmit(now, scratch)) {
        trains.push_back({.polled = now, .departure = transmit->departure, .size = transmit->bytes.size()});
      }
      const Instant next = s.endpoint->next_timeout();
      REQUIRE_GT(next, now);
      now = next;
    }
  }

  Instant began;
  Bandwidth rate;
  std::vector<Train> trains;
  int wakes = 0;
};

}  // namespace

TEST_SUITE("quic connection: departures") {
  TEST_CASE("without a horizon nothing is handed out before its time") {
    const HandedOut plain({});
    REQUIRE_GT(plain.trains.size(), 5);
    for (const Train& train : plain.trains) CHECK_EQ(train.departure, train.polled);
  }

  TEST_CASE("with a horizon trains come ahead, in order, at the same rate, with half as many calls") {
    const Duration horizon = Duration::milliseconds(4);
    const HandedOut ahead(horizon);
    REQUIRE_GT(ahead.trains.size(), 5);
    for (size_t i = 1; i < ahead.trains.size(); i++) {
      const Train& train = ahead.trains[i];
      const Train& before = ahead.trains[i - 1];
      CHECK_GT(train.departure, train.polled);
      CHECK_LE(train.departure, train.polled + horizon);
      // Each leaves when the path is through with the one before, but for the first, which is a burst after a rest.
      const Duration due = ahead.rate.time_for(train.size);
      CHECK_LE((train.departure - before.departure - due).absolute(), due / 8);
      if (i + 2 == ahead.trains.size()) break;  // the last one is what the window leaves
    }
    CHECK_LE(ahead.wakes * 2, ahead.trains.size());
  }
}

}  // namespace quoll::quic::tests
