// Who the peer is, as long as the connection is there: mutual TLS over QUIC.
#include "tests/quic/connection/stage.h"
#include "tests/support/quic_pair.h"

#include <doctest/doctest.h>

namespace quoll::quic::tests {
namespace {

std::vector<uint8_t> der_of(const x509::Certificate& certificate) {
  return {certificate.der().begin(), certificate.der().end()};
}

}  // namespace

TEST_SUITE("quic connection: the peer's certificate") {
  TEST_CASE("a server knows its client's certificate after the handshake and until the connection's end") {
    Stage s(Role::server);
    s.tls_server.client_policy.authentication = tls::ClientAuthentication::required;
    s.tls_server.client_policy.trust = s.authority.trust();
    s.tls_client.identities = {s.authority.issue({.names = {"client.example"}})};
    REQUIRE(s.handshake());
    REQUIRE(s.connection()->peer_certificate());
    CHECK(der_of(*s.connection()->peer_certificate()) == der_of(s.tls_client.identities[0]->leaf()));
    s.advance(Duration::seconds(5));
    s.connection()->close(s.now, ApplicationErrorCode{0}, "");
    CHECK(s.connection()->peer_certificate());
  }

  TEST_CASE("who was not asked, or has none, is nobody") {
    for (const auto authentication : {tls::ClientAuthentication::none, tls::ClientAuthentication::optional}) {
      Stage s(Role::server);
      s.tls_server.client_policy.authentication = authentication;
      s.tls_server.client_policy.trust = s.authority.trust();
      if (authentication == tls::ClientAuthentication::none) s.tls_client.identities = {s.authority.issue()};
      REQUIRE(s.handshake());
      CHECK(s.connection()->peer_certificate() == nullptr);
    }
  }

  TEST_CASE("a client has its server's certificate from the handshake's end until it is confirmed") {
    Stage s(Role::client);
    s.start();
    CHECK(s.connection()->peer_certificate() == nullptr);
    for (int round = 0; round < 10 && !s.connection()->is_established(); round++) {
      s.drain();
      s.answer();
    }
    REQUIRE(s.connection()->is_established());
    REQUIRE_FALSE(s.connection()->is_confirmed());
    REQUIRE(s.connection()->peer_certificate());
    CHECK(der_of(*s.connection()->peer_certificate()) == der_of(s.tls_server.identities[0]->leaf()));
    s.run();
    REQUIRE(s.connection()->is_confirmed());
    CHECK(s.connection()->peer_certificate() == nullptr);
  }
}

}  // namespace quoll::quic::tests
