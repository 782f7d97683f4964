// How a server authenticates its clients: policies, what they send, what is remembered in tickets.
#include <algorithm>

#include "tests/tls/server_scene.h"
#include "tls/alert.h"
#include "tls/messages.h"

#include <doctest/doctest.h>

namespace quoll::tls {
namespace {

using Buffer = std::vector<uint8_t>;
using tests::alert_for_change;
using tests::alert_of;
using tests::Authority;
using tests::complete;
using tests::must;
using tests::Pump;
using tests::resume;
using tests::Scene;
using tests::sent_by_server;

constexpr int code_of(Alert alert) { return static_cast<int>(alert); }

/// A server that asks clients for certificates, and a client that has one.
struct ClientAuthScene : Scene {
  explicit ClientAuthScene(ClientAuthentication authentication, bool has_identity = true) : Scene(Mode::quic) {
    server.client_policy.authentication = authentication;
    server.client_policy.trust = authority.trust();
    Authority::Leaf leaf;
    leaf.names = {"client.example"};
    if (has_identity) client.identities = {authority.issue(leaf)};
  }
};

TEST_CASE("a client that authenticates is known to the server") {
  ClientAuthScene scene(ClientAuthentication::required);
  Pump pump = complete(scene);
  const Negotiated& negotiated = pump.server().session.negotiated();
  REQUIRE(negotiated.peer_certificates.size() == 1);
  CHECK(std::ranges::equal(negotiated.peer_certificates[0].der(), scene.client.identities[0]->leaf().der()));
  CHECK(negotiated.peer_signature_scheme == SignatureScheme::ecdsa_secp256r1_sha256);
}

// RFC 8446 §4.4.2.4
TEST_CASE("a client without a certificate passes where it is optional, and not where it is required") {
  ClientAuthScene optional(ClientAuthentication::optional, false);
  Pump pump = complete(optional);
  CHECK(pump.server().session.negotiated().peer_certificates.empty());
  ClientAuthScene required(ClientAuthentication::required, false);
  CHECK(alert_of(required.pump().run()) == code_of(Alert::certificate_required));
}

TEST_CASE("a client whose certificate is not trusted fails, also where it is optional") {
  for (const auto authentication : {ClientAuthentication::optional, ClientAuthentication::required}) {
    ClientAuthScene scene(authentication);
    Authority other(scene.rng, "Other Authority");
    scene.client.identities = {other.issue()};
    scene.server.client_policy.announce_authorities = false;
    Pump pump = scene.pump();
    CHECK(alert_of(pump.run()) == code_of(Alert::unknown_ca));
    CHECK(pump.failed() == Side::server);
  }
}

TEST_CASE("a verifier of the application's own decides about clients") {
  ClientAuthScene scene(ClientAuthentication::required);
  size_t seen = 0;
  scene.server.client_policy.trust = nullptr;
  scene.server.client_policy.verifier = [&seen](const PeerCertificates& peer) -> Result<void> {
    seen += peer.chain.size();
    return x509::refuse(x509::Failure::expired, "too old for me");
  };
  CHECK(alert_of(scene.pump().run()) == code_of(Alert::certificate_expired));
  CHECK(seen == 1);
}

TEST_CASE("the client policy is that of the server name") {
  ClientAuthScene scene(ClientAuthentication::none, false);
  ClientPolicy strict = scene.server.client_policy;
  strict.authentication = ClientAuthentication::required;
  scene.server.client_policies.emplace_back("example.com", strict);
  CHECK(alert_of(scene.pump().run()) == code_of(Alert::certificate_required));
  scene.server.client_policies[0].first = "example.org";
  complete(scene);
}

TEST_CASE("a resumed session knows the client's certificate from the ticket") {
  ClientAuthScene scene(ClientAuthentication::required);
  scene.give_tickets();
  resume(scene);
  scene.client.identities.clear();
  Pump pump = complete(scene);
  const Negotiated& negotiated = pump.server().session.negotiated();
  CHECK(negotiated.resumed);
  REQUIRE(negotiated.peer_certificates.size() == 1);
  CHECK_FALSE(negotiated.peer_signature_scheme);
}

TEST_CASE("who the client is stays known after the handshake's memory was given back, and tickets go on carrying it") {
  ClientAuthScene scene(ClientAuthentication::required);
  scene.give_tickets();
  // Leaf and issuer: of the two, the leaf stays.
  const std::shared_ptr<const Identity> single = scene.client.identities[0];
  std::vector<Buffer> chain = {single->chain()[0],
                               Buffer(scene.authority.root().der().begin(), scene.authority.root().der().end())};
  auto key = x509::PrivateKey::parse_der(crypto::best(), single->key().to_pkcs8());
  scene.client.identities = {std::make_shared<const Identity>(must(Identity::create(chain, std::move(*key))))};
  Pump pump = complete(scene);
  Session& server = pump.server().session;
  REQUIRE(server.negotiated().peer_certificates.size() == 2);
  server.confirm();
  REQUIRE(server.negotiated().peer_certificates.size() == 1);
  CHECK(std::ranges::equal(server.negotiated().peer_certificates[0].der(), single->leaf().der()));
  CHECK(server.send_ticket(tests::kNow));
}

// RFC 8446 §4.3.2, §4.2.3
TEST_CASE("a CertificateRequest says which signatures are accepted, PKCS#1 in certificates alone") {
  ClientAuthScene scene(ClientAuthentication::required);
  scene.server.preferences.signature_schemes = {SignatureScheme::ecdsa_secp256r1_sha256};
  scene.server.grease = false;
  Pump pump = complete(scene);
  const auto request = parse_certificate_request(sent_by_server(pump, HandshakeType::certificate_request));
  REQUIRE(request);
  CHECK(request->context.empty());
  REQUIRE(request->signature_algorithms);
  CHECK(request->signature_algorithms->size() == 1);
  CHECK(request->signature_algorithms->contains(SignatureScheme::ecdsa_secp256r1_sha256));
  REQUIRE(request->signature_algorithms_cert);
  CHECK(request->signature_algorithms_cert->contains(SignatureScheme::ecdsa_secp256r1_sha256));
  CHECK(request->signature_algorithms_cert->contains(SignatureScheme::rsa_pkcs1_sha256));
  // RFC 8701 §4.1: an extension more.
  scene.server.grease = true;
  Pump greased = complete(scene);
  const auto longer = parse_certificate_request(sent_by_server(greased, HandshakeType::certificate_request));
  REQUIRE(longer);
  CHECK(longer->extensions.size() == request->extensions.size() + 4);
}

TEST_CASE("the authorities of clients are announced as long as they fit") {
  for (const size_t count : {1, 300}) {
    ClientAuthScene scene(ClientAuthentication::required);
    Authority of_clients(scene.rng, "Authority of Clients");
    scene.client.identities = {of_clients.issue()};
    auto trust = std::make_shared<x509::TrustStore>();
    trust->add(of_clients.root().clone());
    for (size_t i = 1; i < count; i++) {
      trust->add(Authority(scene.rng, "Authority " + std::to_string(i), x509::KeyType::ed25519).root().clone());
    }
    scene.server.client_policy.trust = trust;
    Pump pump = complete(scene);
    CHECK(std::ranges::search(pump.server().sent[Level::handshake], of_clients.root().subject).empty() == (count > 1));
    scene.server.client_policy.announce_authorities = false;
    Pump silent = complete(scene);
    CHECK(std::ranges::search(silent.server().sent[Level::handshake], of_clients.root().subject).empty());
  }
}

TEST_CASE("a client that was asked for a certificate answers with a Certificate") {
  ClientAuthScene scene(ClientAuthentication::required);
  const auto instead = [&scene](auto write) {
    return alert_for_change(scene, [write](Buffer& bytes) {
      bytes.clear();
      append_message(bytes, write);
    });
  };
  CHECK(instead([](auto& sink) { write_finished(sink, Buffer(32, 1)); }) == code_of(Alert::unexpected_message));
  // RFC 8446 §4.4.2: the context of a CertificateRequest in the handshake is empty.
  CHECK(instead([](auto& sink) { write_certificate(sink, Buffer{1}, {}); }) == code_of(Alert::illegal_parameter));
}

TEST_CASE("a signature of the client that does not hold is decrypt_error") {
  ClientAuthScene scene(ClientAuthentication::required);
  CHECK(alert_for_change(scene, [](Buffer& bytes) {
          const size_t finished_size = kHandshakeHeaderSize + 32;
          bytes[bytes.size() - finished_size - 1] ^= 1;
        }) == code_of(Alert::decrypt_error));
}

}  // namespace
}  // namespace quoll::tls
