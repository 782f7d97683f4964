#include "quic/path/mtu_discovery.h"

#include <deque>

#include "tests/quic/path/support.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;
using tests::at;
using tests::ms;

namespace {

/// A path that carries datagrams up to a size, and what a connection would do on it.
struct Fixture {
  explicit Fixture(uint16_t carried, MtuDiscovery::Options options = {}) : mtu(options), path(carried) {}

  /// Probes until none is due; the sizes.
  std::vector<uint16_t> search(int64_t now) {
    std::vector<uint16_t> sizes;
    while (const auto size = mtu.probe(at(now))) {
      sizes.push_back(*size);
      mtu.on_probe_sent(at(now), *size);
      CHECK_FALSE(mtu.probe(at(now)));
      const uint16_t before = mtu.mtu();
      if (*size <= path) {
        CHECK_EQ(mtu.on_probe_acked(at(now), *size), *size > before);
      } else {
        mtu.on_probe_lost(at(now), *size);
        CHECK_EQ(mtu.mtu(), before);
      }
      REQUIRE_LT(sizes.size(), 100);
    }
    return sizes;
  }
  /// Lost packets of a size at `count` instants from `now` on, a millisecond apart; true when one was the fall.
  bool lose(int64_t now, uint16_t size, int count) {
    bool fell = false;
    for (int i = 0; i < count; i++) fell |= mtu.on_packet_lost(at(now + i), {at(now + i), size});
    return fell;
  }
  void arrive(uint16_t size, int64_t sent = 0) { mtu.on_packet_acked({at(sent), size}); }

  MtuDiscovery mtu;
  uint16_t path;
};

}  // namespace

TEST_SUITE("quic mtu discovery") {
  // RFC 9000 §14.1, §14.3
  TEST_CASE("the size begins at 1200") {
    MtuDiscovery mtu({});
    CHECK_EQ(mtu.mtu(), 1200);
    CHECK(mtu.is_searching());
    CHECK(mtu.next_timeout().is_never());
  }

  // RFC 9000 §14.2
  TEST_CASE("without discovery the size stays") {
    MtuDiscovery mtu({.enabled = false});
    CHECK_FALSE(mtu.probe(at(0)));
    mtu.on_packet_acked({at(0), 1200});
    CHECK_FALSE(mtu.probe(at(10'000'000)));
    CHECK(mtu.next_timeout().is_never());
    CHECK_EQ(mtu.mtu(), 1200);
    CHECK_EQ(MtuDiscovery({.enabled = false, .initial = 1400}).mtu(), 1400);
  }

  TEST_CASE("options out of range are brought into it") {
    CHECK_EQ(MtuDiscovery({.initial = 0, .max = 0}).mtu(), 1200);
    CHECK_EQ(MtuDiscovery({.initial = 9000, .max = 1452}).mtu(), 1452);
    MtuDiscovery mtu({.max = 65535});
    CHECK_EQ(mtu.probe(at(0)), 65527);
  }

  // RFC 8899 §5.3.2
  TEST_CASE("the largest size is probed first, and ends the search when it arrives") {
    Fixture f(1452);
    CHECK_EQ(f.search(0), std::vector<uint16_t>{1452});
    CHECK_EQ(f.mtu.mtu(), 1452);
    CHECK_FALSE(f.mtu.is_searching());
    CHECK_FALSE(f.mtu.probe(at(100'000'000)));  // there is nothing above
  }

  // RFC 8899 §5.1.2
  TEST_CASE("a size is given up after three losses, not before") {
    Fixture f(1400);
    const auto sizes = f.search(0);
    REQUIRE_GE(sizes.size(), 4);
    CHECK_EQ(sizes[0], 1452);
    CHECK_EQ(sizes[1], 1452);
    CHECK_EQ(sizes[2], 1452);
    CHECK_LT(sizes[3], 1452);
    Fixture lucky(1452);
    for (int i = 0; i < 2; i++) {
      lucky.mtu.on_probe_sent(at(0), 1452);
      lucky.mtu.on_probe_lost(at(1), 1452);
    }
    CHECK_EQ(lucky.search(2), std::vector<uint16_t>{1452});
  }

  // RFC 8899 §5.3.1, §5.3.2
  TEST_CASE("the search finds every path's size, to less than the least gain, in few probes") {
    for (const uint16_t max : std::initializer_list<uint16_t>{1452, 1472, 8952, 65527}) {
      for (uint32_t path = 1200; path <= max; path += path < 1500 ? 1 : 97) {
        Fixture f(static_cast<uint16_t>(path), {.max = max});
        const auto sizes = f.search(0);
        CHECK_LE(f.mtu.mtu(), path);
        CHECK_GT(f.mtu.mtu() + kMtuGainMin, path);
        CHECK_LE(sizes.size(), max > 1500 ? 45 : 21);
      }
    }
  }

  TEST_CASE("common sizes are found exactly") {
    for (const uint16_t path : std::initializer_list<uint16_t>{1232, 1252, 1352, 1372, 1392, 1444, 1464, 1472, 8952}) {
      Fixture f(path, {.max = 8972});
      f.search(0);
      CHECK_EQ(f.mtu.mtu(), path);
    }
  }

  // RFC 8899 §3, §8
  TEST_CASE("one probe is in flight at a time") {
    MtuDiscovery mtu({});
    const auto size = mtu.probe(at(0));
    REQUIRE(size);
    mtu.on_probe_sent(at(0), *size);
    CHECK_FALSE(mtu.probe(at(100'000)));
    mtu.on_probe_lost(at(100'000), *size);
    CHECK(mtu.probe(at(100'000)));
  }

  // RFC 8899 §3
  TEST_CASE("a probe that was held for lost and is acknowledged late still counts") {
    MtuDiscovery mtu({});
    for (int i = 0; i < 3; i++) {
      mtu.on_probe_sent(at(i), 1452);
      mtu.on_probe_lost(at(i), 1452);
    }
    CHECK_NE(mtu.probe(at(5)), 1452);
    CHECK(mtu.on_probe_acked(at(5), 1452));
    CHECK_EQ(mtu.mtu(), 1452);
    CHECK_FALSE(mtu.on_probe_acked(at(6), 1452));
    CHECK_FALSE(mtu.on_probe_acked(at(6), 1300));
    CHECK_EQ(mtu.mtu(), 1452);
  }

  // RFC 9000 §14, §18.2
  TEST_CASE("the peer's max_udp_payload_size bounds probes and packets") {
    Fixture f(1500, {.initial = 1350, .max = 1472});
    f.mtu.set_peer_max(1300);
    CHECK_EQ(f.mtu.mtu(), 1300);
    CHECK_FALSE(f.mtu.probe(at(0)));
    CHECK_FALSE(f.mtu.probe(at(100'000'000)));
    Fixture g(1500, {.max = 1472});
    g.mtu.set_peer_max(1400);
    CHECK_EQ(g.search(0), std::vector<uint16_t>{1400});
    Fixture h(1500, {.max = 1472});
    h.search(0);
    h.mtu.set_peer_max(1250);  // late
    CHECK_EQ(h.mtu.mtu(), 1250);
    Fixture i(1500);
    i.mtu.set_peer_max(65527);
    CHECK_EQ(i.search(0), std::vector<uint16_t>{1452});
  }

  // RFC 8899 §5.1.1
  TEST_CASE("a search that ended below the maximum is taken up again after the raise interval") {
    Fixture f(1400);
    f.search(1000);
    const uint16_t found = f.mtu.mtu();
    CHECK_FALSE(f.mtu.is_searching());
    CHECK_FALSE(f.mtu.probe(at(600'999)));
    f.path = 1452;
    CHECK_EQ(f.mtu.probe(at(601'000)), 1452);
    CHECK_EQ(f.search(601'000), std::vector<uint16_t>{1452});
    CHECK_GT(f.mtu.mtu(), found);
  }

  // RFC 8899 §4.3, §5.1.1
  TEST_CASE("a path that lies idle is not woken to raise its size") {
    Fixture f(1400);
    f.search(0);
    CHECK(f.mtu.next_timeout().is_never());
    f.arrive(1200);
    CHECK_EQ(f.mtu.next_timeout(), at(600'000));
    f.mtu.on_timeout(at(599'999));
    CHECK_FALSE(f.mtu.is_searching());
    f.mtu.on_timeout(at(600'000));
    CHECK(f.mtu.is_searching());
    CHECK(f.mtu.next_timeout().is_never());
    CHECK_FALSE(f.search(600'000).empty());
    CHECK(f.mtu.next_timeout().is_never());
  }

  // RFC 8899 §4.3
  TEST_CASE("losses of large packets time after time are a black hole: back to the base") {
    Fixture f(1452);
    f.search(0);
    CHECK_FALSE(f.mtu.on_packet_lost(at(100), {at(100), 1452}));
    CHECK_FALSE(f.mtu.on_packet_lost(at(200), {at(200), 1452}));
    CHECK(f.mtu.on_packet_lost(at(300), {at(300), 1452}));
    CHECK_EQ(f.mtu.mtu(), 1200);
    CHECK_FALSE(f.mtu.on_packet_lost(at(400), {at(400), 1452}));  // the rest of what was in flight
    CHECK_EQ(f.mtu.mtu(), 1200);
  }

  TEST_CASE("a burst lost in one go is congestion, not a black hole") {
    Fixture f(1452);
    f.search(0);
    for (int i = 0; i < 100; i++) CHECK_FALSE(f.mtu.on_packet_lost(at(100), {at(100), 1452}));
    f.arrive(1452);
    CHECK_FALSE(f.lose(200, 1452, 2));
    f.arrive(1452);
    CHECK_FALSE(f.lose(300, 1452, 2));
    CHECK_EQ(f.mtu.mtu(), 1452);
  }

  TEST_CASE("what left before a packet of the full size that arrived was lost in a queue, one by one or not") {
    Fixture f(1452);
    f.search(0);
    f.arrive(1452, 50);
    for (int64_t i = 0; i < 20; i++) CHECK_FALSE(f.mtu.on_packet_lost(at(100 + i), {at(30 + i), 1452}));
    CHECK_EQ(f.mtu.mtu(), 1452);
    // What left later says more.
    CHECK_FALSE(f.mtu.on_packet_lost(at(130), {at(51), 1452}));
    CHECK_FALSE(f.mtu.on_packet_lost(at(131), {at(52), 1452}));
    CHECK(f.mtu.on_packet_lost(at(132), {at(53), 1452}));
  }

  TEST_CASE("a packet of the size before does not speak for larger ones that were lost") {
    Fixture f(1452);
    f.arrive(1200, 500);
    f.search(0);
    f.arrive(1200, 500);
    CHECK(f.lose(100, 1452, 3));
    CHECK_EQ(f.mtu.mtu(), 1200);
  }

  TEST_CASE("acknowledged small packets do not hide a black hole, and lost small ones are none") {
    Fixture f(1452);
    f.search(0);
    for (int i = 0; i < 50; i++) CHECK_FALSE(f.mtu.on_packet_lost(at(i), {at(i), 1200}));
    CHECK_FALSE(f.lose(100, 1452, 1));
    f.arrive(1200);
    CHECK_FALSE(f.lose(200, 1400, 1));
    f.arrive(1399);
    CHECK(f.lose(300, 1452, 1));
    CHECK_EQ(f.mtu.mtu(), 1200);
  }

  // RFC 8899 §4.3
  TEST_CASE("three PTOs in a row are a black hole, since then nothing is ever declared lost") {
    Fixture f(1452);
    f.search(0);
    CHECK_FALSE(f.mtu.on_pto(at(1), 1));
    CHECK_FALSE(f.mtu.on_pto(at(2), 2));
    CHECK(f.mtu.on_pto(at(3), 3));
    CHECK_EQ(f.mtu.mtu(), 1200);
    CHECK_FALSE(f.mtu.on_pto(at(4), 4));
  }

  // RFC 8899 §4.3, §5.3.3
  TEST_CASE("after a black hole the search begins anew, later each time") {
    Fixture f(1452);
    f.search(0);
    int64_t now = 1000;
    for (const int64_t pause : {10'000, 20'000, 40'000, 80'000, 160'000, 320'000, 600'000, 600'000}) {
      CHECK(f.lose(now, 1452, 3));
      const int64_t fell = now + 2;
      CHECK_FALSE(f.mtu.probe(at(fell + pause - 1)));
      now = fell + pause;
      CHECK_EQ(f.search(now), std::vector<uint16_t>{1452});
      CHECK_EQ(f.mtu.mtu(), 1452);
      if (pause == 600'000) now -= 300'000;  // still within the interval
    }
    now += 2'000'000;  // long forgotten
    CHECK(f.lose(now, 1452, 3));
    CHECK(f.mtu.probe(at(now + 2 + 10'000)));
  }

  TEST_CASE("a probe from before a black hole does not bring the size back") {
    Fixture f(1400, {.initial = 1300});
    f.mtu.on_probe_sent(at(0), 1452);
    CHECK(f.lose(1, 1300, 3));
    CHECK_FALSE(f.mtu.on_probe_acked(at(10), 1452));
    CHECK_EQ(f.mtu.mtu(), 1200);
    f.mtu.on_probe_lost(at(10), 1452);
    CHECK_FALSE(f.mtu.probe(at(11)));
  }

  TEST_CASE("a size that was assumed falls too, with discovery or without") {
    for (const bool enabled : {true, false}) {
      Fixture f(1200, {.enabled = enabled, .initial = 1400});
      CHECK(f.lose(0, 1400, 3));
      CHECK_EQ(f.mtu.mtu(), 1200);
    }
  }

  // RFC 9000 §14.2.1
  TEST_CASE("an ICMP hint below 1200 is ignored") {
    Fixture f(1452);
    f.mtu.on_icmp_hint(at(0), 1199);
    f.mtu.on_icmp_hint(at(0), 0);
    CHECK_EQ(f.search(0), std::vector<uint16_t>{1452});
    f.mtu.on_icmp_hint(at(1), 576);
    CHECK_FALSE(f.mtu.on_packet_lost(at(2), {at(2), 1452}));
    CHECK_EQ(f.mtu.mtu(), 1452);
  }

  // RFC 9000 §14.2.1
  // RFC 8899 §3
  TEST_CASE("an ICMP hint never raises the size") {
    Fixture f(1452);
    f.mtu.on_icmp_hint(at(0), 1300);
    CHECK_EQ(f.mtu.mtu(), 1200);
    f.mtu.on_icmp_hint(at(0), 9000);
    CHECK_EQ(f.mtu.mtu(), 1200);
    Fixture g(1400);
    g.search(0);
    const uint16_t found = g.mtu.mtu();
    g.mtu.on_icmp_hint(at(1), 1440);
    CHECK_EQ(g.mtu.mtu(), found);
    CHECK_FALSE(g.mtu.probe(at(1)));
  }

  // RFC 8899 §4.6.2
  TEST_CASE("a hint below the probed size is the next size to probe") {
    Fixture f(1413);
    f.mtu.on_probe_sent(at(0), 1452);
    f.mtu.on_icmp_hint(at(1), 1413);
    CHECK_EQ(f.mtu.mtu(), 1200);
    f.mtu.on_probe_lost(at(2), 1452);
    CHECK_EQ(f.search(3), std::vector<uint16_t>{1413});
    CHECK_EQ(f.mtu.mtu(), 1413);
    CHECK_FALSE(f.mtu.is_searching());
  }

  // RFC 8899 §4.6.2
  TEST_CASE("a hint at or above the probed size is ignored") {
    Fixture f(1452);
    f.mtu.on_icmp_hint(at(0), 1452);
    f.mtu.on_icmp_hint(at(0), 1500);
    CHECK_EQ(f.search(0), std::vector<uint16_t>{1452});
  }

  // RFC 8899 §4.6.2
  TEST_CASE("a hint that names the present size ends the search") {
    Fixture f(1300, {.initial = 1300});
    CHECK(f.mtu.is_searching());
    f.mtu.on_icmp_hint(at(0), 1300);
    CHECK_FALSE(f.mtu.is_searching());
    CHECK_EQ(f.mtu.mtu(), 1300);
    CHECK(f.mtu.probe(at(600'000)));
  }

  // RFC 8899 §4.6.2
  TEST_CASE("a false hint costs one search: the probe that was in flight corrects it") {
    Fixture f(1452);
    f.mtu.on_probe_sent(at(0), 1452);
    f.mtu.on_icmp_hint(at(1), 1200);
    CHECK_FALSE(f.mtu.is_searching());
    CHECK(f.mtu.on_probe_acked(at(2), 1452));
    CHECK_EQ(f.mtu.mtu(), 1452);
  }

  // RFC 9000 §14.2.1
  // RFC 8899 §4.6.2
  TEST_CASE("a hint below the present size is provisional until such a packet is lost") {
    Fixture f(1452);
    f.search(0);
    f.path = 1350;
    f.mtu.on_icmp_hint(at(10), 1350);
    CHECK_EQ(f.mtu.mtu(), 1452);
    CHECK_FALSE(f.mtu.on_packet_lost(at(11), {at(11), 1340}));
    CHECK(f.mtu.on_packet_lost(at(12), {at(12), 1452}));
    CHECK_EQ(f.mtu.mtu(), 1200);
    CHECK_EQ(f.search(13), std::vector<uint16_t>{1350});  // at once
    CHECK_EQ(f.mtu.mtu(), 1350);
  }

  // RFC 9000 §14.2.1
  TEST_CASE("a hint is forgotten when a larger packet arrives after all") {
    Fixture f(1452);
    f.search(0);
    f.mtu.on_icmp_hint(at(10), 1350);
    f.arrive(1350);
    f.arrive(1452);
    CHECK_FALSE(f.mtu.on_packet_lost(at(12), {at(12), 1452}));
    CHECK_EQ(f.mtu.mtu(), 1452);
  }

  TEST_CASE("on a path that changes, the size follows it and never exceeds what was proved") {
    const uint64_t seed = tests::test_seed(30);
    INFO("seed " << seed);
    tests::SeededRng rng(seed);
    for (int run = 0; run < 60; run++) {
      const auto max = static_cast<uint16_t>(1200 + rng.below(8000));
      MtuDiscovery mtu({.max = max});
      auto path = static_cast<uint16_t>(1200 + rng.below(max - 1199u));
      Instant now = at(0);
      std::deque<uint16_t> flight;
      uint32_t ptos = 0;
      int64_t since_change = 0;
      for (int step = 0; step < 4000; step++) {
        now += ms(50);
        since_change += 50;
        const uint16_t before = mtu.mtu();
        if (const auto probe = mtu.probe(now)) {
          CHECK_GT(*probe, before);
          CHECK_LE(*probe, max);
          mtu.on_probe_sent(now, *probe);
          if (*probe <= path && rng.below(20) != 0) {
            CHECK(mtu.on_probe_acked(now, *probe));
            CHECK_EQ(mtu.mtu(), *probe);
          } else {
            mtu.on_probe_lost(now, *probe);
            CHECK_EQ(mtu.mtu(), before);
          }
        }
        // A full packet and a small one.
        bool large = mtu.mtu() <= path && rng.below(20) != 0;
        if (large) {
          mtu.on_packet_acked({now, mtu.mtu()});
          ptos = 0;
        } else if (rng.below(3) == 0) {
          mtu.on_packet_acked({now, 600});
          (void)mtu.on_packet_lost(now, {now, mtu.mtu()});
        } else {
          (void)mtu.on_pto(now, ++ptos);
        }
        if (mtu.next_timeout() <= now) mtu.on_timeout(now);
        CHECK_GE(mtu.mtu(), 1200);
        CHECK_LE(mtu.mtu(), max);
        if (since_change > 150'000) {  // beyond the pauses
          CHECK_LE(mtu.mtu(), path);
          path = static_cast<uint16_t>(1200 + rng.below(max - 1199u));
          since_change = 0;
          now += Duration::seconds(700);
        }
      }
    }
  }
}
