// A transfer that stops in its midst: who waits for data asks for it, and who has fallen back on rare probes answers.
#include "tests/quic/connection/stage.h"

#include <doctest/doctest.h>

namespace quoll::quic::tests {
namespace {

using T = FrameType;

/// The client has asked, and `packets` of the answer came, a millisecond apart.
void begin_transfer(Stage& s, int packets, bool is_whole, uint8_t pings = 20) {
  s.transport.stall_pings = pings;
  REQUIRE(s.handshake());
  const auto id = s.streams().open(false);
  REQUIRE(id);
  REQUIRE(s.streams().write(*id, Data{1}));
  REQUIRE(s.streams().finish(*id));
  s.drain();
  s.answer();
  const Data part(100);
  for (int i = 0; i < packets; i++) {
    s.send_frames(StreamFrame{.stream_id = *id,
                              .offset = static_cast<uint64_t>(i) * part.size(),
                              .data = part,
                              .fin = is_whole && i + 1 == packets});
    s.advance(Duration::milliseconds(1));
  }
}

size_t pings_within(Stage& s, Duration time) {
  const size_t before = s.seen();
  s.advance(time);
  return s.all(T::ping, before).size();
}

}  // namespace

TEST_SUITE("quic connection: stalls") {
  TEST_CASE("a client whose answer stops in the midst asks ten times a second, for two seconds") {
    Stage s(Role::client);
    begin_transfer(s, 20, false);
    CHECK_EQ(pings_within(s, Duration::milliseconds(90)), 0);
    const size_t first = pings_within(s, Duration::milliseconds(910));
    CHECK_GE(first, 9);
    CHECK_LE(first, 10);
    CHECK_EQ(first + pings_within(s, Duration::seconds(4)), 20);
  }

  TEST_CASE("nobody asks after a whole answer, nor when few packets came, nor when it is switched off") {
    {
      Stage s(Role::client);
      begin_transfer(s, 20, true);
      CHECK_EQ(pings_within(s, Duration::seconds(3)), 0);
    }
    {
      Stage s(Role::client);
      begin_transfer(s, 5, false);
      CHECK_EQ(pings_within(s, Duration::seconds(3)), 0);
    }
    {
      Stage s(Role::client);
      begin_transfer(s, 20, false, 0);
      CHECK_EQ(pings_within(s, Duration::seconds(3)), 0);
    }
  }

  // RFC 9002 §6.2.1
  TEST_CASE("a sender that hears of a silent peer again probes at once, and once for each PTO") {
    Stage s(Role::server);
    REQUIRE(s.handshake());
    const auto id = s.streams().open(false);
    REQUIRE(id);
    s.puppet->acknowledges = false;
    REQUIRE(s.streams().write(*id, Data(3000)));
    s.drain();
    s.advance(Duration::seconds(2));  // an outage, with PTOs one after the other
    const auto sent_for = [&](auto act) {
      const size_t before = s.seen();
      act();
      return s.all(T::stream, before).size();
    };
    const uint64_t timeouts = s.connection()->statistics().probe_timeouts;
    REQUIRE_GE(timeouts, 4);
    CHECK_GE(sent_for([&] { s.send_frames(PingFrame{}); }), 1);
    CHECK_EQ(s.connection()->statistics().early_repeats, 1);
    CHECK_EQ(sent_for([&] { s.send_frames(PingFrame{}); }), 0);
    CHECK_EQ(s.connection()->statistics().probe_timeouts, timeouts);
    while (s.connection()->statistics().probe_timeouts == timeouts) s.advance(Duration::milliseconds(10));
    CHECK_GE(sent_for([&] { s.send_frames(PingFrame{}); }), 1);
    CHECK_EQ(s.connection()->statistics().early_repeats, 2);
  }
}

}  // namespace quoll::quic::tests
