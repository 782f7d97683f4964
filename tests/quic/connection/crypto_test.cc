// Handshake data in CRYPTO frames, and what TLS may not say over QUIC (RFC 9001 §4, §6, §8; RFC 9000 §7.5, §19.20).
#include "base/hex.h"
#include "tests/quic/connection/stage.h"

#include <doctest/doctest.h>

namespace quoll::quic::tests {
namespace {

using T = FrameType;
using tls::Level;
constexpr Role kBoth[] = {Role::client, Role::server};
constexpr uint64_t kCryptoError = static_cast<uint64_t>(TransportError::crypto_error_base);

bool closed_with_alert(const Stage& s, uint8_t alert) {
  const CollectedFrame* frame = s.find(T::connection_close);
  return frame && frame->numbers[0] == kCryptoError + alert;
}

}  // namespace

TEST_SUITE("quic connection: crypto") {
  // RFC 9000 §7.5
  TEST_CASE("4096 bytes of CRYPTO data out of order are held") {
    for (const Role role : kBoth) {
      Stage s(role);
      s.start();
      s.drain();
      // Padding of a ClientHello, or a certificate's OCSP response, would be of such size; here it comes after the
      // handshake, behind a gap that is never closed.
      s.run();
      for (uint64_t offset = 2000; offset < 6096; offset += 1024) {
        const PacketNumber number = s.send_frames(CryptoFrame{.offset = offset, .data = Data(1024, 4)});
        s.advance(Duration::milliseconds(50));
        CHECK(s.acknowledged(number));
      }
      CHECK_FALSE(s.close());
    }
  }

  // RFC 9000 §7.5
  TEST_CASE("CRYPTO data beyond the buffer is CRYPTO_BUFFER_EXCEEDED") {
    for (const Role role : kBoth) {
      Stage s(role);
      REQUIRE(s.handshake());
      s.send_frames(CryptoFrame{.offset = uint64_t{1} << 20, .data = Data{1}});
      CHECK(s.closed_with(TransportError::crypto_buffer_exceeded));
    }
  }

  // RFC 9000 §7.5
  TEST_CASE("CRYPTO data that came before is passed over, and its packet acknowledged") {
    Stage s(Role::client);
    s.start();
    s.puppet->sends_done = s.puppet->acknowledges = false;
    s.run();
    REQUIRE(s.event<Connected>());
    const PacketNumber number =
        s.send({.type = PacketType::handshake, .frames = frames(CryptoFrame{.offset = 0, .data = Data(300, 9)})});
    CHECK(s.acknowledged(number, Space::handshake));
    CHECK_FALSE(s.close());
  }

  // RFC 9001 §4.1.2; RFC 9000 §19.20
  TEST_CASE("HANDSHAKE_DONE goes out when the handshake is complete, and not before") {
    Stage s(Role::server);
    s.start();
    s.answer();
    const std::vector<Data> finished = s.puppet->take_datagrams();
    s.advance(Duration::milliseconds(500));
    CHECK_FALSE(s.find(T::handshake_done));
    for (const Data& datagram : finished) s.deliver(datagram);
    CHECK(s.find(T::handshake_done));  // at once
    CHECK(s.connection()->is_confirmed());
  }

  // RFC 9001 §4.1.3
  TEST_CASE("more CRYPTO data at a level that is done is PROTOCOL_VIOLATION") {
    Stage s(Role::client);
    s.start();
    s.puppet->sends_done = false;
    s.drain();
    const std::vector<Data> flight = s.puppet->take_datagrams();
    s.deliver(flight[0]);  // the ServerHello: the Handshake level has begun
    s.send({.type = PacketType::initial, .frames = frames(CryptoFrame{.offset = 90, .data = Data(100)})});
    CHECK(s.closed_with(TransportError::protocol_violation));
  }

  // RFC 9001 §4.1.3
  TEST_CASE("a level that ends with bytes left over is PROTOCOL_VIOLATION") {
    Stage s(Role::client);
    s.start();
    s.drain();
    s.puppet->say(Level::initial, Data{8, 0, 0});  // a part of a message behind the ServerHello
    s.answer();
    CHECK(s.closed_with(TransportError::protocol_violation));
  }

  // RFC 9001 §4.4
  TEST_CASE("a CertificateRequest after the handshake is PROTOCOL_VIOLATION") {
    Stage s(Role::client);
    REQUIRE(s.handshake());
    s.puppet->say(Level::application, *from_hex("0d00000b"
                                                "00"
                                                "0008"
                                                "000d0004"
                                                "00020403"));
    s.answer();
    CHECK(s.closed_with(TransportError::protocol_violation));
  }

  // RFC 9001 §4.6.1
  TEST_CASE("a ticket with another max_early_data_size than 0xffffffff is PROTOCOL_VIOLATION") {
    for (const char* size : {"00000400", "fffffffe"}) {
      Stage s(Role::client);
      REQUIRE(s.handshake());
      // Lifetime, age_add, nonce, ticket, extensions: early_data.
      s.puppet->say(Level::application, *from_hex(std::string("0400001a") + "00000e10" + "01020304" + "0101" +
                                                  "0004aabbccdd" + "0008002a0004" + size));
      s.answer();
      CHECK(s.closed_with(TransportError::protocol_violation));
    }
  }

  // RFC 9001 §4.4, §4.6.1, §6
  TEST_CASE("after the handshake a server says nothing but tickets, and a client nothing") {
    for (const Role role : kBoth) {
      Stage s(role);
      quoll::tests::SeededRng rng(3);
      tls::TicketKeys::Secret secret;
      rng.fill(secret);
      s.tls_server.ticket_keys = tls::tests::must(tls::TicketKeys::from_secrets(crypto::best(), std::span(&secret, 1)));
      REQUIRE(s.handshake());
      s.connection()->ping();
      s.advance(Duration::milliseconds(200));
      CHECK(s.connection()->update_keys(s.now));
      s.connection()->ping();
      s.advance(Duration::seconds(1));
      Bytes said = s.puppet->crypto_received(Level::application);
      CHECK_EQ(said.empty(), role == Role::client);
      while (!said.empty()) {
        REQUIRE_GE(said.size(), 4);
        CHECK_EQ(said[0], 4);  // NewSessionTicket
        said = said.subspan(4 + size_t{said[1]} * 65536 + size_t{said[2]} * 256 + said[3]);
      }
    }
  }

  // RFC 9001 §4.8, §6
  TEST_CASE("a TLS KeyUpdate closes with 0x010a") {
    for (const Role role : kBoth) {
      Stage s(role);
      REQUIRE(s.handshake());
      s.puppet->say(Level::application, *from_hex("1800000100"));
      s.answer();
      CHECK(closed_with_alert(s, 10));
    }
  }

  // RFC 9001 §8.1
  TEST_CASE("without a protocol in common both roles close with 0x0178") {
    Stage s(Role::server);
    s.tls_client.application_protocols = {"h9"};
    s.handshake();
    CHECK(closed_with_alert(s, 120));
    // A server that selects what was not offered is the TLS tests' matter; no protocol at all ends with its alert.
    Stage c(Role::client);
    c.tls_server.application_protocols = {"h9"};
    c.handshake();
    CHECK_FALSE(c.event<Connected>());
  }

  // RFC 9001 §4.8
  TEST_CASE("an alert of TLS closes the connection, whatever it is") {
    Stage s(Role::client);
    s.tls_server.identities = {s.authority.issue({.names = {"example.net"}})};
    s.handshake();
    CHECK(closed_with_alert(s, 42));  // bad_certificate: another name
    REQUIRE(s.event<Closed>());
    CHECK_EQ(s.event<Closed>()->error_code, kCryptoError + 42);
  }
}

}  // namespace quoll::quic::tests
