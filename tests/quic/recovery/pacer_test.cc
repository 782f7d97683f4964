#include "quic/recovery/pacer.h"

#include <deque>

#include "tests/quic/recovery/support.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;
using tests::at;
using tests::ms;

TEST_SUITE("quic pacer") {
  TEST_CASE("the rate is 5/4 of the window per RTT, twice of it in slow start (RFC 9002 §7.7)") {
    CHECK_EQ(Pacer::rate_of(100'000, ms(100), false), Bandwidth::bytes_per_second(1'250'000));
    CHECK_EQ(Pacer::rate_of(100'000, ms(100), true), Bandwidth::bytes_per_second(2'000'000));
    CHECK_EQ(Pacer::rate_of(2400, Duration::seconds(100'000), false), Pacer::kSlowestRate);
  }

  TEST_CASE("without a rate nothing waits") {
    Pacer pacer;
    for (int i = 0; i < 1000; i++) {
      CHECK_EQ(pacer.departure(at(1), 1200), at(1));
      pacer.on_packet_sent(at(1), 1200);
    }
  }

  TEST_CASE("a burst of the initial window leaves at once when nothing is in flight (RFC 9002 §7.7)") {
    Pacer pacer({.burst = 3000, .idle_burst = 12'000});
    pacer.set_rate(at(0), Bandwidth::bytes_per_second(1'200'000));  // 1200 bytes per ms
    CHECK_EQ(pacer.budget(at(0)), 12'000);  // the bucket does not come on top: a queue of ten packets holds it
    for (int i = 0; i < 10; i++) {
      CHECK_EQ(pacer.departure(at(0), 1200), at(0));
      pacer.on_packet_sent(at(0), 1200);
    }
    CHECK_GT(pacer.departure(at(0), 1200), at(0));
    // A flow that goes on has the small bucket alone, however long it paused.
    CHECK_EQ(pacer.budget(at(500)), 3000);
    pacer.on_idle();
    CHECK_EQ(pacer.budget(at(500)), 12'000);
    pacer.on_idle();  // it is not saved up
    CHECK_EQ(pacer.budget(at(500)), 12'000);
  }

  TEST_CASE("a bucket leaves at once, then a quantum at a time") {
    Pacer pacer({.burst = 12'000, .idle_burst = 0});
    pacer.set_rate(at(0), Bandwidth::bytes_per_second(1'200'000));  // 1200 bytes per ms
    CHECK_EQ(pacer.quantum(), 600);
    CHECK_EQ(pacer.budget(at(0)), 12'000);
    for (int i = 0; i < 10; i++) {
      CHECK_EQ(pacer.departure(at(0), 1200), at(0));
      pacer.on_packet_sent(at(0), 1200);
    }
    CHECK_EQ(pacer.departure(at(0), 1200), at(1));
    CHECK_EQ(pacer.budget(at(0)), 0);
    CHECK_EQ(pacer.departure(at(1), 1200), at(1));
    CHECK_EQ(pacer.budget(at(5)), 6000);
    CHECK_EQ(pacer.budget(at(500)), 12'000);  // idle time saves up one burst, no more
  }

  TEST_CASE("a bucket of another size holds as much at once, and what was saved up beyond it is gone") {
    Pacer pacer({.burst = 2400, .idle_burst = 0});
    pacer.set_rate(at(0), Bandwidth::bytes_per_second(1'452'000));  // 1452 bytes per ms
    CHECK_EQ(pacer.budget(at(10)), 2400);
    pacer.set_burst(at(10), 2904);
    CHECK_EQ(pacer.budget(at(10)), 2400);
    CHECK_EQ(pacer.budget(at(20)), 2904);
    for (int i = 0; i < 2; i++) {
      CHECK_EQ(pacer.departure(at(20), 1452), at(20));
      pacer.on_packet_sent(at(20), 1452);
    }
    CHECK_EQ(pacer.departure(at(20), 1452), at(21));
    pacer.set_burst(at(500), 2400);
    CHECK_EQ(pacer.budget(at(500)), 2400);
  }

  TEST_CASE("data that waited and was woken late makes up for it, up to the initial window") {
    Pacer pacer({.burst = 2400, .idle_burst = 12'000});
    pacer.set_rate(at(0), Bandwidth::bytes_per_second(1'200'000));  // 1200 bytes per ms
    for (int i = 0; i < 10; i++) pacer.on_packet_sent(at(0), 1200);
    REQUIRE_EQ(pacer.departure(at(0), 1200), at(1));
    pacer.set_waiting(at(0), true);
    CHECK_EQ(pacer.budget(at(6)), 6 * 1200);  // five milliseconds late
    CHECK_EQ(pacer.budget(at(600)), 12'000);
    // Nothing more to send: the bucket alone is left of it.
    pacer.set_waiting(at(600), false);
    CHECK_EQ(pacer.budget(at(600)), 2400);
    CHECK_EQ(pacer.budget(at(700)), 2400);
  }

  TEST_CASE("departures ahead of the clock follow each other at the rate") {
    Pacer pacer({.burst = 1200, .idle_burst = 0});
    pacer.set_rate(at(0), Bandwidth::bytes_per_second(1'200'000));
    for (int i = 0; i < 50; i++) {
      const Instant departure = pacer.departure(at(0), 1200);
      CHECK_EQ(departure, at(i));
      pacer.on_packet_sent(departure, 1200);
    }
  }

  TEST_CASE("a fast path sends trains of half a millisecond, up to 64 KiB") {
    Pacer pacer({.idle_burst = 0});
    pacer.set_rate(at(0), Bandwidth::bytes_per_second(20'000'000));
    CHECK_EQ(pacer.quantum(), 10'000);
    pacer.on_packet_sent(at(0), 10'000);
    CHECK_EQ(pacer.departure(at(0), 1200), at(0) + Duration::microseconds(500));
    pacer.set_rate(at(1), Bandwidth::bytes_per_second(1'250'000'000));
    CHECK_EQ(pacer.quantum(), 64 * 1024);
  }

  TEST_CASE("probes do not wait, and are paid for afterwards (RFC 9002 §7.5)") {
    Pacer pacer({.burst = 1200, .idle_burst = 0});
    pacer.set_rate(at(0), Bandwidth::bytes_per_second(1'200'000));
    for (int i = 0; i < 3; i++) pacer.on_packet_sent(at(0), 1200);
    CHECK_EQ(pacer.departure(at(0), 1200), at(3));
  }

  TEST_CASE("a byte's fraction is not lost, however often the pacer is asked") {
    Pacer pacer({.burst = 1200, .idle_burst = 0, .quantum_max = 1200});
    pacer.set_rate(at(0), Bandwidth::bytes_per_second(1'000'000));
    uint64_t sent = 0;
    for (int64_t us = 0; us <= 1'000'000; us++) {
      const Instant now = Instant() + Duration::nanoseconds(us * 1000 + us % 7);
      if (pacer.departure(now, 100) > now) continue;
      pacer.on_packet_sent(now, 100);
      sent += 100;
    }
    CHECK_GE(sent, 1'000'000);
    CHECK_LE(sent, 1'001'200);
  }

  TEST_CASE("no 10 ms carry more than the rate and one bucket") {
    const uint64_t seed = tests::test_seed(3);
    INFO("seed ", seed);
    tests::SeededRng rng(seed);
    for (int round = 0; round < 30; round++) {
      const Bandwidth rate = Bandwidth::bytes_per_second(1000 + rng.below(uint64_t{1} << (12 + rng.below(19))));
      Pacer pacer({.burst = 12'000, .idle_burst = 0});
      pacer.set_rate(at(0), rate);
      const uint64_t bucket = std::max<uint64_t>(12'000, pacer.quantum());
      std::deque<std::pair<Instant, uint64_t>> window;
      uint64_t in_window = 0;
      Instant now = at(0);
      for (int i = 0; i < 3000; i++) {
        const uint64_t size = 40 + rng.below(1400);
        const Instant departure = pacer.departure(now, size);
        REQUIRE_GE(departure, now);
        pacer.on_packet_sent(departure, size);
        // Sometimes the clock follows, sometimes the packets are queued ahead of it.
        if (rng.below(3) != 0) now = departure;
        if (rng.below(500) == 0) now += ms(static_cast<int64_t>(rng.below(50)));
        window.emplace_back(departure, size);
        in_window += size;
        while (departure - window.front().first > ms(10)) {
          in_window -= window.front().second;
          window.pop_front();
        }
        REQUIRE_LE(in_window, rate.bytes_in(ms(10)) + bucket + 1);
      }
    }
  }
}
