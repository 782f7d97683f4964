// CRYPTO frames that leave gaps, go too far, or come in the smallest pieces (RFC 9000 §7.5, §19.6).
#include "quic/stream/crypto_stream.h"
#include "tests/quic/attacks/attack.h"

#include <doctest/doctest.h>

namespace quoll::quic::tests {
namespace {

constexpr PacketType kLevels[] = {PacketType::initial, PacketType::handshake, PacketType::one_rtt};

/// Brings both to where packets of a type can be exchanged. A byte of CRYPTO is awaited at `offset` in that space.
bool bring_to(Attack& s, PacketType type, uint64_t& offset) {
  offset = 0;
  if (type == PacketType::one_rtt) {
    if (!s.handshake()) return false;
    s.puppet_hears = false;
    offset = 1 << 14;  // beyond tickets
    return true;
  }
  s.start();
  s.drain();
  if (type == PacketType::initial) {
    // A client awaits the ServerHello, a server the ClientHello.
    s.puppet_hears = false;
    return s.puppet->can_seal(type);
  }
  s.puppet->crypto_chunk = 4000;
  s.puppet->acknowledges = false;
  if (s.puppet->role() == Role::client) {
    s.answer();  // the ClientHello; the server's flight comes back
    s.puppet_hears = false;
    return s.puppet->can_seal(type);
  }
  // A client under test gets the ServerHello alone.
  const std::vector<Data> out = s.puppet->take_datagrams();
  if (out.empty()) return false;
  s.hit(out[0]);
  s.puppet_hears = false;
  return s.puppet->can_seal(type);
}

}  // namespace

TEST_SUITE("quic attacks: crypto") {
  // RFC 9000 §7.5
  TEST_CASE("handshake bytes too far ahead are CRYPTO_BUFFER_EXCEEDED in every space") {
    for (const Role role : kBothRoles) {
      for (const PacketType type : kLevels) {
        CAPTURE(static_cast<int>(role));
        CAPTURE(static_cast<int>(type));
        for (const uint64_t far : {kCryptoBufferMax + 100'000, kVarintMax - 1}) {
          Attack s(role);
          uint64_t offset = 0;
          REQUIRE(bring_to(s, type, offset));
          s.puppet_hears = true;
          s.mark();
          s.hit_with({.type = type,
                      .frames = frames(CryptoFrame{.offset = far, .data = Data{1}}),
                      .size = type == PacketType::initial ? size_t{1200} : 0});
          CHECK_LE(s.heap, (role == Role::server ? 16 : 4) * kSome);  // a server's whole connection
          REQUIRE(s.closed());
          CHECK_EQ(s.closed()->error_code, static_cast<uint64_t>(TransportError::crypto_buffer_exceeded));
        }
      }
    }
  }

  // RFC 9000 §7.5
  TEST_CASE("every second byte of handshake data: memory is bounded, and the gaps are") {
    for (const Role role : kBothRoles) {
      for (const PacketType type : kLevels) {
        CAPTURE(static_cast<int>(role));
        CAPTURE(static_cast<int>(type));
        Attack s(role);
        uint64_t offset = 0;
        REQUIRE(bring_to(s, type, offset));
        if (role == Role::server && type == PacketType::initial) {
          // A connection to begin with.
          s.hit_with({.type = type, .frames = frames(PingFrame{}), .size = 1200});
        }
        s.mark();
        for (uint64_t at = offset + 50; at < offset + kCryptoBufferMax - 500 && !s.closed();) {
          Data out;
          for (int i = 0; i < 150; i++, at += 2) out = out + frames(CryptoFrame{.offset = at, .data = Data{0xff}});
          s.hit_with({.type = type, .frames = out, .size = type == PacketType::initial ? size_t{1200} : 0});
        }
        CHECK_LE(s.heap, static_cast<int64_t>(kReceiveSlack + 2 * kCryptoBufferMax));
        REQUIRE(s.closed());
        CHECK_EQ(s.closed()->error_code, static_cast<uint64_t>(TransportError::crypto_buffer_exceeded));
        CHECK_LE(s.bytes_out, 3 * s.bytes_in);
      }
    }
  }

  // RFC 9000 §7.5, §13.1
  TEST_CASE("a handshake of one-byte fragments, each sent twice and in the wrong order, completes") {
    for (const Role role : kBothRoles) {
      Attack s(role);
      s.start();
      s.drain();
      s.puppet->crypto_chunk = 1;
      s.mark();
      for (int round = 0; round < 40 && !(s.puppet->is_complete() && s.connection() && s.connection()->is_confirmed());
           round++) {
        std::vector<Data> out = s.puppet->take_datagrams();
        for (size_t i = out.size(); i > 0; i--) s.hit(out[i - 1]);
        for (const Data& again : out) s.hit(again);
        s.now += Duration::milliseconds(5);
      }
      CHECK(s.puppet->is_complete());
      REQUIRE(s.connection());
      CHECK(s.connection()->is_confirmed());
      CHECK_LE(s.datagrams_out, s.blows + 20);
    }
  }

  // RFC 9000 §19.6
  TEST_CASE("the same handshake bytes for ever: nothing grows, nothing is done with them") {
    for (const Role role : kBothRoles) {
      for (const PacketType type : {PacketType::initial, PacketType::handshake}) {
        Attack s(role);
        uint64_t offset = 0;
        REQUIRE(bring_to(s, type, offset));
        if (role == Role::server && type == PacketType::initial) {
          s.hit_with({.type = type, .frames = frames(PingFrame{}), .size = 1200});
        }
        const Data out = frames(CryptoFrame{.offset = 100, .data = Data(800, 0xee)});
        for (int i = 0; i < 1000 && !s.closed(); i++) {
          if (i == 100) s.mark();
          s.hit_with({.type = type, .frames = out, .size = 1200});
        }
        CHECK_FALSE(s.closed());
        // Unacknowledged ACKs and the handshake's own flight.
        CHECK_LE(s.heap, 160 * 1024);
        CHECK_LE(s.datagrams_out, 2 * s.blows);
      }
    }
  }

  // RFC 9001 §4.1.3, §8.3
  TEST_CASE("post-handshake bytes that TLS does not know, or that go on for ever, end the connection") {
    for (const Role role : kBothRoles) {
      Attack s(role);
      REQUIRE(s.handshake());
      s.mark();
      // A message that says that it is 16 MB.
      const Data head = {4, 0xff, 0xff, 0xff};
      s.puppet->say(tls::Level::application, head);
      for (int i = 0; i < 400 && s.is_open(); i++) {
        s.puppet->say(tls::Level::application, Data(1000, 0));
        s.reply();
      }
      CHECK_FALSE(s.is_open());
      CHECK_LE(s.heap, 64 * 1024);
    }
  }
}

}  // namespace quoll::quic::tests
