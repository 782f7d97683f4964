// The end as a weapon: floods at a connection that is closing, forged resets, loops between servers (RFC 9000 §10.2.1,
// §10.3.1, §10.3.3, §21.11).
#include "quic/connection/close_state.h"
#include "quic/path/anti_amplification.h"
#include "tests/quic/attacks/attack.h"

#include <doctest/doctest.h>

namespace quoll::quic::tests {
namespace {

ConnectionId own_id(const Attack& s) { return s.puppet->remote; }

/// What looks like a stateless reset with these last bytes.
Data reset_of(Attack& s, Bytes token, size_t size = 40) {
  Data out = s.rng.bytes(size);
  out[0] = static_cast<uint8_t>((out[0] & 0x3f) | 0x40);
  const ConnectionId id = own_id(s);
  copy_bytes(out.data() + 1, id.bytes());
  copy_bytes(out.data() + size - token.size(), token);
  return out;
}

}  // namespace

TEST_SUITE("quic attacks: closing") {
  // RFC 9000 §10.2.1, §21.9
  TEST_CASE("a flood at a connection that is closing is answered ever more rarely, and holds nothing") {
    for (const Role role : kBothRoles) {
      for (const bool valid : {false, true}) {
        Attack s(role);
        REQUIRE(s.handshake());
        s.connection()->close(s.now, ApplicationErrorCode(7), "enough");
        s.drain();
        s.mark();
        for (int i = 0; i < 2000; i++) {
          s.hit_with({.frames = frames(PingFrame{}), .forged = !valid});
        }
        CHECK_LE(s.datagrams_out, 12);
        CHECK_LE(s.heap, kSome);
        s.wait(Duration::seconds(20));
        CHECK_EQ(s.endpoint->connections(), 0);
      }
    }
  }

  // RFC 9000 §10.2.2
  TEST_CASE("a flood of CONNECTION_CLOSE, at a connection that is closing or draining, is not answered") {
    for (const Role role : kBothRoles) {
      for (const bool first : {false, true}) {
        Attack s(role);
        REQUIRE(s.handshake());
        if (first) s.connection()->close(s.now, ApplicationErrorCode(7), "enough");
        s.drain();
        const Data close = frames(ConnectionCloseFrame{.application = true, .error_code = 1});
        s.hit_with({.frames = close});
        s.mark();
        for (int i = 0; i < 1000; i++) s.hit_with({.frames = close});
        CHECK_EQ(s.datagrams_out, 0);
        CHECK_LE(s.heap, kSome);
        s.wait(Duration::seconds(20));
        CHECK_EQ(s.endpoint->connections(), 0);
      }
    }
  }

  // RFC 9000 §10.2, §19.19
  TEST_CASE("a reason phrase of a whole packet is cut") {
    for (const Role role : kBothRoles) {
      Attack s(role);
      REQUIRE(s.handshake());
      const Data reason(3000, 'x');
      s.hit_with(
          {.frames = frames(ConnectionCloseFrame{.application = true, .error_code = 1, .reason_phrase = reason})});
      REQUIRE(s.closed());
      CHECK_LE(s.closed()->reason.size(), kCloseReasonMax);
    }
  }

  // RFC 9000 §8.1, §10.2.1, §21.1.1.1
  TEST_CASE("a server that closes before it knows the address sends three times what came, at most") {
    Attack s(Role::server);
    s.start();
    s.puppet_hears = false;
    s.mark();
    // An error in the very first packet.
    s.hit_with({.type = PacketType::initial, .frames = Data{0x21}, .size = 1200});
    CHECK_LE(s.bytes_out, 3 * s.bytes_in);
    for (int i = 0; i < 500; i++) {
      s.hit_with({.type = PacketType::initial, .frames = frames(PingFrame{}), .size = 1200});
      CHECK_LE(s.bytes_out, 3 * s.bytes_in);
    }
    CHECK_LE(s.datagrams_out, 12);
    // Small ones from a spoofer: 30 bytes each.
    s.mark();
    for (int i = 0; i < 500; i++) s.hit(Data(30, 0x44));
    CHECK_LE(s.bytes_out, 3 * s.bytes_in);
    s.wait(Duration::seconds(30));
    CHECK_EQ(s.endpoint->connections(), 0);
  }

  // RFC 9000 §10.3.1, §21.11
  TEST_CASE("forged stateless resets, token after token, end nothing") {
    for (const Role role : kBothRoles) {
      Attack s(role);
      if (role == Role::client) {
        s.options.amend = [](TransportParameters& parameters) {
          parameters.stateless_reset_token.emplace();
          parameters.stateless_reset_token->fill(0x5a);
        };
      }
      REQUIRE(s.handshake());
      std::array<uint8_t, 16> right{};
      right.fill(0x5a);
      for (size_t i = 0; i < 2000; i++) {
        if (i == 1000) s.mark();
        std::array<uint8_t, 16> wrong = right;
        wrong[i % 16] ^= static_cast<uint8_t>(1 << i % 8);
        s.hit(reset_of(s, wrong, 30 + i % 100));
      }
      CHECK(s.is_open());
      CHECK_EQ(s.datagrams_out, 0);
      CHECK_LE(s.heap, kSome);
      if (role == Role::server) continue;
      s.hit(reset_of(s, right));
      REQUIRE(s.closed());
      CHECK(s.closed()->why == Closed::Why::stateless_reset);
    }
  }

  // RFC 9000 §14.2.1, §21.10
  TEST_CASE("forged ICMP messages do not shrink datagrams below 1200 bytes, nor at once at all") {
    for (const Role role : kBothRoles) {
      Attack s(role);
      s.transport.mtu.enabled = true;
      REQUIRE(s.handshake());
      for (int i = 0; i < 20; i++) {
        s.advance(Duration::milliseconds(200));
      }
      const uint16_t before = s.connection()->statistics().mtu;
      for (uint16_t mtu = 0; mtu < 2000; mtu = static_cast<uint16_t>(mtu + 50)) {
        s.connection()->on_icmp_too_big(s.now, s.path, mtu, s.rng.bytes(64));
        s.connection()->on_icmp_too_big(s.now, s.path, mtu, {});
        s.connection()->on_icmp_too_big(s.now, {.local = s.path.local, .remote = stranger(1)}, mtu, s.rng.bytes(64));
      }
      s.advance(Duration::seconds(1));
      CHECK(s.is_open());
      CHECK_GE(s.connection()->statistics().mtu, 1200);
      CHECK_EQ(s.connection()->statistics().mtu, before);
    }
  }

  // RFC 9000 §6.1, §10.3.3
  TEST_CASE("two servers that are given each other's address fall silent, whatever began it") {
    Stage a(Role::server, 1), b(Role::server, 2);
    a.start();
    b.start();
    quoll::tests::SeededRng rng(9);
    const Path path = a.path;
    std::vector<uint8_t> scratch(65'535);
    for (size_t kind = 0; kind < 4; kind++) {
      for (const size_t size : {30, 43, 100, 1200, 1400, 4000}) {
        Data seed = rng.bytes(size);
        seed[0] = kind == 0 ? 0x40 : 0xc0;
        if (kind == 1) store_be(seed.data() + 1, uint32_t{0x0a0a0a0a});
        if (kind == 2) store_be(seed.data() + 1, uint32_t{1});
        if (kind == 3) store_be(seed.data() + 1, uint32_t{0});
        if (kind != 0 && size > 30) {
          seed[5] = 8;
          seed[14] = 8;
        }
        size_t messages = 0;
        std::vector<Data> on_the_way = {seed};
        for (bool to_a = true; !on_the_way.empty() && messages < 1000; to_a = !to_a) {
          std::vector<Data> next;
          Endpoint& endpoint = to_a ? *a.endpoint : *b.endpoint;
          for (const Data& datagram : on_the_way) {
            messages++;
            Received received{.path = path, .ecn = Ecn::not_ect, .data = Buffer::allocate(datagram.size())};
            copy_bytes(received.data.bytes().data(), datagram);
            endpoint.receive(a.now, std::move(received));
            while (const auto transmit = endpoint.poll_transmit(a.now, scratch)) {
              next.emplace_back(transmit->bytes.begin(), transmit->bytes.end());
            }
          }
          on_the_way = std::move(next);
        }
        CAPTURE(kind);
        CAPTURE(size);
        CHECK_LE(messages, 80);
      }
    }
    CHECK_EQ(a.endpoint->connections(), 0);
    CHECK_EQ(b.endpoint->connections(), 0);
  }

  // RFC 9000 §10.3.3, §21.11
  TEST_CASE("a flood of short packets for nobody gets few resets, each smaller than what provoked it") {
    Attack s(Role::server);
    s.endpoint_config.stateless_answers_per_second = 100;
    s.start();
    s.puppet_hears = false;
    for (uint32_t i = 0; i < 2000; i++) {
      if (i == 1000) s.mark();
      Data noise = s.rng.bytes(100);
      noise[0] = 0x41;
      const uint64_t before = s.bytes_out;
      s.hit(noise, {.local = s.path.local, .remote = stranger(i)});
      CHECK_LT(s.bytes_out - before, 100);
    }
    CHECK_LE(s.endpoint->statistics().stateless_resets_sent, 51);
    CHECK_LE(s.heap, kSome);
    CHECK_EQ(s.endpoint->connections(), 0);
  }
}

}  // namespace quoll::quic::tests
