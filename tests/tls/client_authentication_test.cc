// Whom the two sides trust: servers' certificates by each policy of a client, and clients' certificates (RFC 8446 §4.3.2,
// §4.4.2).
#include "tests/tls/support.h"
#include "tls/alert.h"
#include "tls/client_identity.h"
#include "tls/peer_verification.h"

#include <doctest/doctest.h>

namespace quoll::tls {
namespace {

using namespace tests;

int run(Scene& scene) {
  Pump pump = scene.pump();
  const Result<void> done = pump.run();
  if (done) {
    CHECK(pump.complete());
    return -1;
  }
  CHECK(pump.failed() == Side::client);
  return alert_of(done);
}

constexpr int as_int(Alert alert) { return static_cast<int>(alert); }

// RFC 8446 §6.2.
TEST_CASE("a server's certificate that is not trusted gets the alert that says why") {
  {
    Scene scene(Mode::quic);
    Authority stranger(scene.rng, "Stranger");
    scene.server.identities = {stranger.issue()};
    CHECK(run(scene) == as_int(Alert::unknown_ca));
  }
  {
    Scene scene(Mode::quic);
    scene.server.identities = {scene.authority.issue({.not_after = kNow - Duration::seconds(1)})};
    CHECK(run(scene) == as_int(Alert::certificate_expired));
  }
  {
    Scene scene(Mode::quic);
    scene.client_options.server_name = "other.example";
    CHECK(run(scene) == as_int(alert_for(x509::Failure::name_mismatch)));
  }
  {
    Scene scene(Mode::quic);
    scene.server.identities = {scene.authority.issue({.server_auth = false})};
    CHECK(run(scene) == as_int(alert_for(x509::Failure::wrong_usage)));
  }
}

TEST_CASE("a server may be asked for by its address, or with a pin by no name at all") {
  for (const char* name : {"192.0.2.7", "2001:db8::7", ""}) {
    Scene scene(Mode::quic);
    scene.server.identities = {scene.authority.issue({.names = {"192.0.2.7", "2001:db8::7"}})};
    scene.client_options.server_name = name;
    if (*name == 0) scene.client.pins = {x509::spki_pin(crypto::best(), scene.server.identities[0]->leaf())};
    CHECK(run(scene) == -1);
  }
  Scene scene(Mode::quic);
  scene.client_options.server_name = "192.0.2.8";
  CHECK(run(scene) == as_int(alert_for(x509::Failure::name_mismatch)));
}

TEST_CASE("a pin restricts a trusted path, and alone it stands for trust") {
  Scene scene(Mode::quic);
  const x509::SpkiPin right = x509::spki_pin(crypto::best(), scene.server.identities[0]->leaf());
  x509::SpkiPin wrong = right;
  wrong[0] ^= 1;
  for (const auto verification : {PeerVerification::chain, PeerVerification::pinned_leaf}) {
    scene.client.verification = verification;
    scene.client.pins = {wrong, right};
    CHECK(run(scene) == -1);
    scene.client.pins = {wrong};
    CHECK(run(scene) == as_int(alert_for(x509::Failure::pin_mismatch)));
  }
  // Neither name nor authority matter to a pinned leaf.
  scene.client.verification = PeerVerification::pinned_leaf;
  scene.client.pins = {right};
  scene.client.trust.reset();
  scene.client_options.server_name = "anything.example";
  CHECK(run(scene) == -1);
}

TEST_CASE("without verification whoever is there will do") {
  Scene scene(Mode::quic);
  Authority stranger(scene.rng, "Stranger");
  scene.server.identities = {stranger.issue({.not_after = kNow - Duration::seconds(1)})};
  scene.client.trust.reset();
  scene.client.verification = PeerVerification::none;
  CHECK(run(scene) == -1);
}

TEST_CASE("a verifier of the application replaces ours, and sees what it must") {
  Scene scene(Mode::quic);
  scene.server.identities = {scene.authority.issue({.ocsp_response = {1, 2, 3}})};
  scene.client.trust.reset();
  size_t calls = 0;
  scene.client.verifier = [&](const PeerCertificates& peer) -> Result<void> {
    calls++;
    CHECK(peer.chain.size() == 1);
    CHECK(peer.ocsp_response.size() == 3);
    CHECK(peer.server_name == "example.com");
    CHECK(peer.now == kNow);
    return {};
  };
  CHECK(run(scene) == -1);
  CHECK(calls == 1);

  scene.client.verifier = [](const PeerCertificates&) -> Result<void> {
    return x509::refuse(x509::Failure::expired, "by decision");
  };
  CHECK(run(scene) == as_int(Alert::certificate_expired));
  scene.client.verifier = [](const PeerCertificates&) -> Result<void> {
    return abort_with(Alert::access_denied, "by decision");
  };
  CHECK(run(scene) == as_int(Alert::access_denied));
  scene.client.verifier = [](const PeerCertificates&) -> Result<void> { return usage_error("broken"); };
  CHECK(run(scene) == as_int(Alert::certificate_unknown));
}

TEST_CASE("a client authenticates with every kind of key, in both modes") {
  for (const Mode mode : {Mode::quic, Mode::stream}) {
    for (const x509::KeyType type : {x509::KeyType::rsa, x509::KeyType::rsa_pss, x509::KeyType::ecdsa_p256,
                                     x509::KeyType::ecdsa_p384, x509::KeyType::ed25519}) {
      Scene scene(mode);
      scene.server.client_policy.authentication = ClientAuthentication::required;
      scene.server.client_policy.trust = scene.authority.trust();
      scene.client.identities = {scene.authority.issue({.names = {"client.example"}, .type = type})};
      Pump pump = scene.pump();
      const Result<void> done = pump.run();
      INFO("reason: " << std::string(done ? "" : done.error().reason));
      REQUIRE(done.has_value());
      CHECK(pump.disorder() == "");
      CHECK(pump.secrets_agree());
      REQUIRE(pump.server().session.negotiated().peer_certificates.size() == 1);
      CHECK(std::ranges::equal(pump.server().session.negotiated().peer_certificates[0].der(),
                               scene.client.identities[0]->leaf().der()));
    }
  }
}

// RFC 8446 §4.4.2.
TEST_CASE("a client without a certificate says so, and the server decides") {
  for (const auto authentication : {ClientAuthentication::optional, ClientAuthentication::required}) {
    Scene scene(Mode::stream);
    scene.server.client_policy.authentication = authentication;
    scene.server.client_policy.trust = scene.authority.trust();
    Pump pump = scene.pump();
    const Result<void> done = pump.run();
    if (authentication == ClientAuthentication::optional) {
      REQUIRE(done.has_value());
      CHECK(pump.complete());
      CHECK(pump.server().session.negotiated().peer_certificates.empty());
    } else {
      CHECK(alert_of(done) == as_int(Alert::certificate_required));
      CHECK(pump.failed() == Side::server);
    }
  }
}

TEST_CASE("a client's certificate from a stranger is refused by the server") {
  Scene scene(Mode::quic);
  Authority stranger(scene.rng, "Stranger");
  scene.server.client_policy.authentication = ClientAuthentication::required;
  scene.server.client_policy.trust = scene.authority.trust();
  scene.client.identities = {stranger.issue({.names = {"client.example"}})};
  Pump pump = scene.pump();
  CHECK(alert_of(pump.run()) == as_int(Alert::unknown_ca));
  CHECK(pump.failed() == Side::server);
}

TEST_CASE("accepted early data and a client's certificate go together with a resumed session") {
  // The certificate was shown in the first handshake; with a PSK nobody is asked again.
  Scene scene(Mode::stream);
  scene.give_tickets();
  scene.server.client_policy.authentication = ClientAuthentication::required;
  scene.server.client_policy.trust = scene.authority.trust();
  scene.client.identities = {scene.authority.issue({.names = {"client.example"}})};
  Pump first = scene.pump();
  REQUIRE(first.run().has_value());
  REQUIRE(!first.client().tickets.empty());
  scene.client_options.ticket = first.client().tickets.back();
  scene.client_options.early_data = true;
  Pump second = scene.pump();
  REQUIRE(second.run().has_value());
  CHECK(second.disorder() == "");
  CHECK(second.client().session.negotiated().early_data);
  REQUIRE(second.server().session.negotiated().peer_certificates.size() == 1);
}

// RFC 8446 §4.4.2.3.
TEST_CASE("of several identities a client shows the first that can sign and comes from an authority that was named") {
  Scene scene(Mode::quic);
  Authority other(scene.rng, "Other");
  const auto ours_p256 = scene.authority.issue({.type = x509::KeyType::ecdsa_p256});
  const auto others_p256 = other.issue({.type = x509::KeyType::ecdsa_p256});
  const auto others_ed25519 = other.issue({.type = x509::KeyType::ed25519});
  const Identities identities = {ours_p256, others_ed25519, others_p256};

  const auto choose = [&](std::vector<SignatureScheme> schemes, const Authority* named) {
    std::vector<uint8_t> raw, names;
    for (const SignatureScheme scheme : schemes) {
      raw.push_back(static_cast<uint8_t>(static_cast<uint16_t>(scheme) >> 8));
      raw.push_back(static_cast<uint8_t>(scheme));
    }
    CertificateRequest request;
    request.signature_algorithms = CodeList<SignatureScheme>(raw);
    if (named) {
      const Bytes subject = named->root().subject;
      names = {static_cast<uint8_t>(subject.size() >> 8), static_cast<uint8_t>(subject.size())};
      names.insert(names.end(), subject.begin(), subject.end());
      request.certificate_authorities = names;
    }
    return choose_client_identity(identities, request).identity;
  };
  const Authority stranger(scene.rng, "Stranger");
  const SignatureScheme p256 = SignatureScheme::ecdsa_secp256r1_sha256, ed25519 = SignatureScheme::ed25519;
  CHECK(choose({p256, ed25519}, nullptr) == ours_p256);
  CHECK(choose({p256, ed25519}, &other) == others_ed25519);
  CHECK(choose({p256}, &other) == others_p256);
  CHECK(choose({ed25519}, &scene.authority) == others_ed25519);
  CHECK(choose({p256, ed25519}, &stranger) == ours_p256);
  CHECK(choose({SignatureScheme::rsa_pss_rsae_sha256}, nullptr) == nullptr);
}

}  // namespace
}  // namespace quoll::tls
