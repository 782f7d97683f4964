#include "quic/stream/flow_control.h"

#include "quic/stream/stream_concurrency.h"

#include <doctest/doctest.h>

#include <cmath>
#include <utility>
#include <vector>

using namespace quoll;
using namespace quoll::quic;

namespace {

Instant at(int64_t ms) { return Instant() + Duration::milliseconds(ms); }
constexpr Duration kRtt = Duration::milliseconds(100);

}  // namespace

TEST_SUITE("quic flow control") {
  // RFC 9000 §4.1, §13.3
  TEST_CASE("an announced limit is sent when it grows, and again when the newest frame is lost") {
    AnnouncedLimit limit(100);
    CHECK_FALSE(limit.wants_to_send());
    limit.grant(50);
    CHECK_FALSE(limit.wants_to_send());
    limit.grant(150);
    CHECK(limit.wants_to_send());
    CHECK_EQ(limit.announced(), 100);  // the peer does not know yet
    limit.on_sent();
    CHECK_EQ(limit.announced(), 150);
    limit.grant(200);
    limit.on_sent();
    limit.on_lost(150);
    CHECK_FALSE(limit.wants_to_send());
    limit.on_lost(200);
    CHECK(limit.wants_to_send());
  }

  // RFC 9000 §4.1
  TEST_CASE("a peer's limit never shrinks") {
    PeerLimit limit(100);
    CHECK_FALSE(limit.raise(99));
    CHECK_FALSE(limit.raise(100));
    CHECK_EQ(limit.limit(), 100);
    CHECK(limit.raise(101));
    CHECK_EQ(limit.limit(), 101);
  }

  // RFC 9000 §4.1, §13.3
  TEST_CASE("being blocked is said once for each limit, and again when that is lost and still true") {
    PeerLimit limit(100);
    limit.block();
    CHECK(limit.wants_to_send());
    limit.on_sent();
    limit.block();
    CHECK_FALSE(limit.wants_to_send());
    limit.on_lost(100);
    CHECK(limit.wants_to_send());
    limit.on_sent();
    limit.raise(200);
    limit.on_lost(100);
    CHECK_FALSE(limit.wants_to_send());
    limit.block();
    CHECK(limit.wants_to_send());
    limit.on_sent();
    limit.on_lost(100);  // an old one
    CHECK_FALSE(limit.wants_to_send());
    limit.on_lost(200);
    CHECK(limit.wants_to_send());
    limit.unblock();
    CHECK_FALSE(limit.wants_to_send());
  }

  // RFC 9000 §4.2
  TEST_CASE("a window is announced once a quarter of it is used") {
    ReceiveWindow window(1000, 1000);
    window.on_data(at(0));
    window.consume(249, at(1), kRtt);
    CHECK_FALSE(window.limit().wants_to_send());
    window.consume(1, at(1), kRtt);
    CHECK(window.limit().wants_to_send());
    CHECK_EQ(window.limit().granted(), 1250);
  }

  // RFC 9000 §4.2
  TEST_CASE("a window doubles up to its maximum when a quarter of it is consumed within a round trip") {
    ReceiveWindow window(1000, 3000);
    window.on_data(at(0));
    window.consume(250, at(100), kRtt);
    CHECK_EQ(window.size(), 2000);
    CHECK_EQ(window.limit().granted(), 2250);
    window.consume(500, at(190), kRtt);
    CHECK_EQ(window.size(), 3000);
    window.consume(750, at(200), kRtt);
    CHECK_EQ(window.size(), 3000);
    CHECK_EQ(window.limit().granted(), 4500);
  }

  // RFC 9000 §4.2
  TEST_CASE("a window that is consumed slowly stays as it is") {
    ReceiveWindow window(1000, 8000);
    window.on_data(at(0));
    for (int i = 1; i <= 20; i++) window.consume(250, at(101 * i), kRtt);
    CHECK_EQ(window.size(), 1000);
    CHECK_EQ(window.limit().granted(), 6000);
  }

  // RFC 9002 §7.3.1. The limit that a sender goes by is half a round trip old, and that of which it was made another half.
  TEST_CASE("a sender in slow start is not held up") {
    constexpr uint64_t kMax = 16 << 20;
    for (const uint64_t first : {12'000, 14'720, 50'000}) {
      ReceiveWindow window(256 << 10, kMax);
      std::vector<uint64_t> limits;  // the one granted in each millisecond
      uint64_t consumed = 0;
      const auto sent = [first](double ms) {  // twice as much in each round trip of 100 ms
        return ms < 0 ? 0 : static_cast<uint64_t>(static_cast<double>(first) * (std::exp2(ms / 100) - 1));
      };
      for (int ms = 0; window.size() < kMax; ms++) {
        const uint64_t arrived = sent(ms - 50);
        if (arrived != 0) window.on_data(at(ms));
        window.consume(arrived - std::exchange(consumed, arrived), at(ms), kRtt);
        limits.push_back(window.limit().granted());
        CAPTURE(first);
        CAPTURE(ms);
        REQUIRE(sent(ms) <= limits[static_cast<size_t>(std::max(ms - 50, 0))]);
      }
    }
  }

  // A sender that stands before the limit says so each time, and what it then gets begins a quarter of its own: with the time of the
  // quarter before, the window would never grow, and 256 KiB in 100 ms would be all that it carries.
  TEST_CASE("a window that the peer waits for grows as one that it does not") {
    ReceiveWindow window(1000, 8000);
    window.on_data(at(0));
    window.consume(250, at(150), kRtt);
    CHECK_EQ(window.size(), 1000);
    window.consume(200, at(300), kRtt);
    window.grant_now(at(300));
    window.consume(50, at(310), kRtt);
    window.consume(200, at(390), kRtt);  // a quarter in 90 ms
    CHECK_EQ(window.size(), 2000);
  }

  TEST_CASE("a window never goes beyond 2^62-1, nor above a maximum that is smaller") {
    ReceiveWindow window(kVarintMax, UINT64_MAX);
    window.consume(kVarintMax / 2, at(0), kRtt);
    CHECK_EQ(window.limit().granted(), kVarintMax);
    ReceiveWindow first(1000, 10);
    CHECK_EQ(first.size(), 1000);
    first.widen(5000);
    CHECK_EQ(first.size(), 1000);
  }

  TEST_CASE("a window that is widened is announced at once") {
    ReceiveWindow window(1000, 8000);
    window.widen(3000);
    CHECK_EQ(window.limit().granted(), 3000);
    window.widen(100'000);
    CHECK_EQ(window.size(), 8000);
  }

  TEST_CASE("a window of nothing stays one") {
    ReceiveWindow window(0, 0);
    window.consume(0, at(0), kRtt);
    window.grant_now(at(0));
    CHECK_FALSE(window.limit().wants_to_send());
  }

  // RFC 9000 §4.6
  TEST_CASE("the number of streams that the peer may open follows in steps of a quarter") {
    PeerStreams streams(100);
    for (int i = 0; i < 100; i++) streams.on_opened();
    for (int i = 0; i < 24; i++) streams.on_closed();
    CHECK_FALSE(streams.limit().wants_to_send());
    streams.on_closed();
    CHECK(streams.limit().wants_to_send());
    CHECK_EQ(streams.limit().granted(), 125);
    streams.limit().on_sent();
    streams.on_closed();
    CHECK_FALSE(streams.limit().wants_to_send());
    streams.grant_now();  // the peer waits
    CHECK_EQ(streams.limit().granted(), 126);
  }

  // RFC 9000 §19.11
  TEST_CASE("no more than 2^60 streams are ever allowed") {
    PeerStreams streams(UINT64_MAX);
    CHECK_EQ(streams.limit().announced(), kStreamCountMax);
    streams.on_opened();
    streams.on_closed();
    streams.grant_now();
    CHECK_EQ(streams.limit().granted(), kStreamCountMax);
    PeerStreams none(0);
    none.grant_now();
    CHECK_FALSE(none.limit().wants_to_send());
  }
}
