// How connections end: idle timeout, closing, draining (RFC 9000 §10.1, §10.2, §11).
#include <numeric>

#include "quic/connection/close_state.h"
#include "tests/quic/connection/stage.h"

#include <doctest/doctest.h>

namespace quoll::quic::tests {
namespace {

using T = FrameType;
constexpr Role kBoth[] = {Role::client, Role::server};

size_t bytes_sent(const Stage& s, size_t since = 0) {
  const auto& all = s.puppet->datagrams();
  return std::accumulate(all.begin() + static_cast<ptrdiff_t>(since), all.end(), size_t{0},
                         [](size_t sum, const SeenDatagram& d) { return sum + d.bytes.size(); });
}

}  // namespace

TEST_SUITE("quic connection: closing") {
  // RFC 9000 §10.1
  TEST_CASE("an idle timeout below three PTOs is three PTOs") {
    for (const Role role : kBoth) {
      Stage s(role);
      s.transport.max_idle_timeout = Duration::milliseconds(30);
      s.options.parameters.max_idle_timeout = 10;
      s.start();
      s.run();
      REQUIRE(s.connection()->is_confirmed());
      s.connection()->ping();
      s.run();
      const Statistics now = s.connection()->statistics();
      const Duration pto =
          now.smoothed_rtt + std::max(4 * now.rttvar, Duration::milliseconds(1)) + Duration::milliseconds(25);
      REQUIRE_GT(3 * pto, Duration::milliseconds(100));
      s.advance(3 * pto - Duration::milliseconds(30));
      CHECK_FALSE(s.event<Closed>());
      s.advance(3 * pto);
      REQUIRE(s.event<Closed>());
      CHECK(s.event<Closed>()->why == Closed::Why::idle_timeout);
      CHECK_FALSE(s.close());  // silently
    }
  }

  // RFC 9000 §10.1.2
  TEST_CASE("PINGs keep a connection from the peer's idle timeout, however much shorter than ours it is") {
    for (const Role role : kBoth) {
      for (const Duration own : {Duration::seconds(30), Duration::infinite()}) {
        Stage s(role);
        s.transport.max_idle_timeout = own;
        s.transport.keep_alive = Duration::seconds(10);
        s.transport.keep_alive_always = true;
        s.options.parameters.max_idle_timeout = 3000;
        REQUIRE(s.handshake());
        const size_t before = s.all(T::ping).size();
        s.advance(Duration::seconds(9));
        CHECK_FALSE(s.event<Closed>());
        CHECK_GE(s.all(T::ping).size() - before, 6);
        CHECK_LE(s.all(T::ping).size() - before, 10);
        s.puppet->answers = false;
        s.advance(Duration::seconds(4));
        REQUIRE(s.event<Closed>());
        CHECK(s.event<Closed>()->why == Closed::Why::idle_timeout);
      }
    }
  }

  // RFC 9000 §10.2.1
  TEST_CASE("a server that closes before validation sends three times what it receives at most") {
    Stage s(Role::server);
    s.start();
    size_t received = 0;
    s.puppet->answers = false;
    const auto send = [&](const Data& with) {
      const Data datagram = s.puppet->seal({.type = PacketType::initial, .frames = with, .size = 1200});
      received += datagram.size();
      s.deliver(datagram);
    };
    send(Data{0x21});
    REQUIRE(s.close());
    for (int i = 0; i < 50; i++) {
      send(frames(PingFrame{}));
      CHECK_LE(bytes_sent(s), 3 * received);
    }
    s.advance(Duration::seconds(2));
    CHECK_LE(bytes_sent(s), 3 * received);
  }

  // RFC 9000 §10.2.1
  TEST_CASE(
      "in the closing state answers are fewer than packets, and other addresses get three times their bytes at most") {
    for (const Role role : kBoth) {
      Stage s(role);
      REQUIRE(s.handshake());
      s.connection()->close(s.now, ApplicationErrorCode{1}, "end");
      s.drain();
      REQUIRE(s.close());
      const size_t before = s.datagrams();
      for (int i = 0; i < 64; i++) s.send_frames(PingFrame{});
      CHECK_GE(s.datagrams(), before + 1);
      CHECK_LE(s.datagrams(), before + 16);
      Path other = s.path;
      other.remote = address_of("203.0.113.9:1234");
      const size_t elsewhere = s.datagrams();
      size_t received = 0;
      for (int i = 0; i < 64; i++) {
        const Data datagram = s.puppet->seal({.frames = frames(PingFrame{})});
        received += datagram.size();
        s.deliver(datagram, other);
      }
      size_t to_other = 0;
      for (size_t i = elsewhere; i < s.datagrams(); i++) {
        const SeenDatagram& d = s.puppet->datagrams()[i];
        if (d.path.remote == other.remote) to_other += d.bytes.size();
      }
      CHECK_LE(to_other, 3 * received);
    }
  }

  // RFC 9000 §10.2.2
  TEST_CASE("a draining endpoint sends nothing but one CONNECTION_CLOSE in answer") {
    for (const Role role : kBoth) {
      Stage s(role);
      REQUIRE(s.handshake());
      CHECK(s.streams().write(*s.streams().open(false), Data(100, 1)));
      const size_t before = s.datagrams();
      s.send_frames(ConnectionCloseFrame{.application = true, .error_code = 9});
      CHECK_LE(s.datagrams(), before + 1);
      REQUIRE(s.event<Closed>());
      CHECK(s.event<Closed>()->why == Closed::Why::peer);
      CHECK_EQ(s.event<Closed>()->error_code, 9);
      for (size_t i = before; i < s.datagrams(); i++) CHECK(s.close());
      const size_t after = s.datagrams();
      s.puppet->answers = false;
      for (int i = 0; i < 20; i++) {
        s.send_frames(PingFrame{});
        s.advance(Duration::milliseconds(3));  // in all less than three PTOs, after which it is forgotten
      }
      CHECK_EQ(s.datagrams(), after);
    }
  }

  // RFC 9000 §10.2.3
  TEST_CASE("after confirmation CONNECTION_CLOSE goes in a 1-RTT packet, with the application's code and reason") {
    for (const Role role : kBoth) {
      Stage s(role);
      REQUIRE(s.handshake());
      const size_t before = s.seen();
      s.connection()->close(s.now, ApplicationErrorCode{0x1234}, "so long");
      s.drain();
      REQUIRE_EQ(s.seen(), before + 1);
      CHECK(s.puppet->packets().back().type == PacketType::one_rtt);
      const CollectedFrame* frame = s.find(T::connection_close_application);
      REQUIRE(frame);
      CHECK_EQ(frame->numbers[0], 0x1234);
      CHECK(as_text(frame->bytes) == "so long");
    }
  }

  // RFC 9000 §13.2.1: what is ack-eliciting is acknowledged, and no later packet could do it.
  TEST_CASE("what arrived before the end is acknowledged with CONNECTION_CLOSE, which fits however much that is") {
    for (const Role role : kBoth) {
      Stage s(role);
      REQUIRE(s.handshake());
      PacketNumber last = s.send_frames(PingFrame{});
      if (s.acknowledged(last)) last = s.send_frames(PingFrame{});  // every second packet is
      REQUIRE_FALSE(s.acknowledged(last));
      const std::string reason(kCloseReasonMax, 'r');
      s.connection()->close(s.now, ApplicationErrorCode{1}, reason);
      s.drain();
      CHECK(s.acknowledged(last));
      REQUIRE(s.find(T::connection_close_application));
      CHECK_EQ(s.find(T::connection_close_application)->bytes.size(), kCloseReasonMax);
      // The answers to what comes later say no more than that it is over.
      const size_t before = s.seen();
      s.send_frames(PingFrame{});
      REQUIRE_GT(s.seen(), before);
      CHECK(s.find(T::connection_close_application, before));
      CHECK_FALSE(s.find(T::ack, before));
    }
  }

  // RFC 9000 §10.2.3, §12.5
  TEST_CASE("in Initial and Handshake packets an application's close is APPLICATION_ERROR without its reason") {
    for (const Role role : kBoth) {
      Stage s(role);
      s.start();
      s.drain();
      // The first datagram of the puppet's flight: a ServerHello, or all of a ClientHello.
      s.deliver(s.puppet->take_datagrams().at(0));
      const size_t before = s.seen();
      s.endpoint->close(s.now, ApplicationErrorCode{0x1234}, "a secret");
      s.drain();
      REQUIRE_GT(s.seen(), before);
      size_t closes = 0;
      for (size_t i = before; i < s.seen(); i++) {
        const SeenPacket& packet = s.puppet->packets()[i];
        CHECK_FALSE(packet.breaks_rules);
        if (packet.type == PacketType::one_rtt) continue;
        CHECK_FALSE(packet.has(T::connection_close_application));
        if (const CollectedFrame* frame = packet.find(T::connection_close)) {
          closes++;
          CHECK_EQ(frame->numbers[0], static_cast<uint64_t>(TransportError::application_error));
          CHECK(frame->bytes.empty());
        }
      }
      CHECK_GE(closes, 1);
    }
  }

  // RFC 9000 §10.3, §11, §11.1
  TEST_CASE("a fatal error is told by CONNECTION_CLOSE with its code and frame, never by a stateless reset") {
    for (const Role role : kBoth) {
      Stage s(role);
      REQUIRE(s.handshake());
      s.send_frames(MaxStreamDataFrame{.stream_id = StreamId(other(role), true, 0), .maximum_stream_data = 1});
      REQUIRE(s.find(T::connection_close));
      CHECK(s.find(T::connection_close)->numbers ==
            std::vector<uint64_t>{static_cast<uint64_t>(TransportError::stream_state_error), 0x11});
      for (int i = 0; i < 10; i++) s.send_frames(PingFrame{});
      s.send({.frames = frames(PingFrame{}), .forged = true});
      CHECK_EQ(s.endpoint->statistics().stateless_resets_sent, 0);
      REQUIRE(s.event<Closed>());
      CHECK_FALSE(s.event<Closed>()->application);
    }
  }
}

}  // namespace quoll::quic::tests
