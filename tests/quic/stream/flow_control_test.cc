#include "quic/stream/flow_control.h"

#include "quic/stream/stream_concurrency.h"

#include <doctest/doctest.h>

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
  TEST_CASE("a window is announced once half of it is used") {
    ReceiveWindow window(1000, 1000);
    window.on_data(at(0));
    window.consume(499, at(1), kRtt);
    CHECK_FALSE(window.limit().wants_to_send());
    window.consume(1, at(1), kRtt);
    CHECK(window.limit().wants_to_send());
    CHECK_EQ(window.limit().granted(), 1500);
  }

  // RFC 9000 §4.2
  TEST_CASE("a window doubles up to its maximum when half of it is consumed within two round trips") {
    ReceiveWindow window(1000, 3000);
    window.on_data(at(0));
    window.consume(500, at(200), kRtt);
    CHECK_EQ(window.size(), 2000);
    CHECK_EQ(window.limit().granted(), 2500);
    window.consume(1000, at(390), kRtt);
    CHECK_EQ(window.size(), 3000);
    window.consume(1500, at(400), kRtt);
    CHECK_EQ(window.size(), 3000);
    CHECK_EQ(window.limit().granted(), 6000);
  }

  // RFC 9000 §4.2
  TEST_CASE("a window that is consumed slowly stays as it is") {
    ReceiveWindow window(1000, 8000);
    window.on_data(at(0));
    for (int i = 1; i <= 10; i++) window.consume(500, at(201 * i), kRtt);
    CHECK_EQ(window.size(), 1000);
    CHECK_EQ(window.limit().granted(), 6000);
  }

  // A sender that stands before the limit says so each time, and what it then gets begins a half of its own: with the time of the
  // half before, the window would never grow, and 256 KiB in 100 ms would be all that it carries.
  TEST_CASE("a window that the peer waits for grows as one that it does not") {
    ReceiveWindow window(1000, 8000);
    window.on_data(at(0));
    window.consume(500, at(250), kRtt);
    CHECK_EQ(window.size(), 1000);
    window.consume(400, at(400), kRtt);
    window.grant_now(at(400));
    window.consume(100, at(410), kRtt);
    window.consume(400, at(590), kRtt);  // half a window in 190 ms
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
