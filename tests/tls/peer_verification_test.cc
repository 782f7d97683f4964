// The checks on a peer's Certificate and CertificateVerify that both roles share. How policies decide is tested with
// whole handshakes (client_authentication_test.cc).
#include "tls/peer_verification.h"

#include "tests/tls/support.h"
#include "tls/alert.h"
#include "tls/cipher_suite.h"

#include <doctest/doctest.h>

namespace quoll::tls {
namespace {

using namespace tests;

constexpr int as_int(Alert alert) { return static_cast<int>(alert); }

struct Message {
  std::vector<uint8_t> whole;
  CertificateMessage parsed;
};

Message make_message(const std::vector<CertificateEntry>& entries) {
  Message message;
  append_message(message.whole, [&](auto& sink) { write_certificate(sink, {}, entries); });
  message.parsed = must(parse_certificate(Bytes(message.whole).subspan(kHandshakeHeaderSize)));
  return message;
}

std::vector<CertificateEntry> entries_of(const Identity& identity, size_t count = 1) {
  std::vector<CertificateEntry> entries(count);
  for (CertificateEntry& entry : entries) entry.certificate = identity.chain()[0];
  return entries;
}

int alert_of_chain(const Result<PeerChain>& chain) { return chain ? -1 : alert_of(std::unexpected(chain.error())); }

TEST_CASE("a Certificate message becomes a chain, leaf first, with the leaf's OCSP response") {
  SeededRng rng(1);
  Authority authority(rng);
  const auto identity = authority.issue();
  std::vector<CertificateEntry> entries = entries_of(*identity);
  const std::vector<uint8_t> root(authority.root().der().begin(), authority.root().der().end());
  entries.resize(2);
  entries[1].certificate = root;
  const uint8_t ocsp[] = {1, 2}, other[] = {3};
  entries[0].ocsp_response = Bytes(ocsp);
  entries[1].ocsp_response = Bytes(other);
  const Result<PeerChain> chain = parse_peer_chain(make_message(entries).parsed, true);
  REQUIRE(chain.has_value());
  REQUIRE(chain->certificates.size() == 2);
  CHECK(std::ranges::equal(chain->certificates[0].der(), identity->leaf().der()));
  CHECK(std::ranges::equal(chain->certificates[1].der(), root));
  CHECK(chain->ocsp_response == std::vector<uint8_t>{1, 2});
}

// RFC 8446 §4.4.2.
TEST_CASE("an OCSP response that was not asked for is an unsupported_extension, on any certificate") {
  SeededRng rng(1);
  Authority authority(rng);
  const auto identity = authority.issue();
  const uint8_t ocsp[] = {1, 2};
  for (const size_t at : {size_t{0}, size_t{1}}) {
    std::vector<CertificateEntry> entries = entries_of(*identity, 2);
    entries[at].ocsp_response = Bytes(ocsp);
    CHECK(alert_of_chain(parse_peer_chain(make_message(entries).parsed, true)) == -1);
    CHECK(alert_of_chain(parse_peer_chain(make_message(entries).parsed, false)) ==
          as_int(Alert::unsupported_extension));
  }
}

TEST_CASE("more certificates than the limit, or bytes that are none, are a bad_certificate") {
  SeededRng rng(1);
  Authority authority(rng);
  const auto identity = authority.issue();
  CHECK(alert_of_chain(parse_peer_chain(make_message(entries_of(*identity, kPeerCertificatesMax)).parsed, false)) ==
        -1);
  CHECK(alert_of_chain(parse_peer_chain(make_message(entries_of(*identity, kPeerCertificatesMax + 1)).parsed, false)) ==
        as_int(Alert::bad_certificate));
  std::vector<CertificateEntry> entries = entries_of(*identity, 2);
  const uint8_t garbage[] = {0x30, 0x01, 0x00};
  entries[1].certificate = garbage;
  CHECK(alert_of_chain(parse_peer_chain(make_message(entries).parsed, false)) == as_int(Alert::bad_certificate));
}

TEST_CASE("a peer without any certificate is not trusted by any policy") {
  const PeerVerifier verifier = [](const PeerCertificates&) -> Result<void> { return {}; };
  for (const PeerPolicy& policy :
       {PeerPolicy{.verification = PeerVerification::none}, PeerPolicy{.verifier = &verifier}}) {
    CHECK(alert_of(verify_peer(crypto::best(), policy, {})) == as_int(alert_for(x509::Failure::no_certificate)));
  }
}

// RFC 9525 §6.1.
TEST_CASE("a server's chain is verified for a name or for a pin; a client's has no name") {
  SeededRng rng(1);
  Authority authority(rng);
  const auto identity = authority.issue();
  const Result<PeerChain> chain = parse_peer_chain(make_message(entries_of(*identity)).parsed, false);
  REQUIRE(chain.has_value());
  const std::shared_ptr<const x509::TrustStore> trust = authority.trust();
  PeerCertificates peer;
  peer.chain = chain->certificates;
  peer.server_name = "example.com";
  peer.now = kNow;
  PeerPolicy policy{.trust = trust.get()};
  CHECK(verify_peer(crypto::best(), policy, peer).has_value());
  peer.server_name = {};
  CHECK(alert_of(verify_peer(crypto::best(), policy, peer)) == as_int(Alert::bad_certificate));
  policy.purpose = x509::Purpose::client;
  CHECK(verify_peer(crypto::best(), policy, peer).has_value());
  policy.purpose = x509::Purpose::server;
  const x509::SpkiPin pins[] = {x509::spki_pin(crypto::best(), identity->leaf())};
  policy.pins = pins;
  CHECK(verify_peer(crypto::best(), policy, peer).has_value());
  const x509::SpkiPin others[] = {x509::SpkiPin{}};
  policy.pins = others;
  CHECK(alert_of(verify_peer(crypto::best(), policy, peer)) == as_int(Alert::bad_certificate));
}

TEST_CASE("verification of a path trusts nobody when there are no anchors") {
  SeededRng rng(1);
  Authority authority(rng);
  const auto identity = authority.issue();
  const Result<PeerChain> chain = parse_peer_chain(make_message(entries_of(*identity)).parsed, false);
  REQUIRE(chain.has_value());
  PeerCertificates peer;
  peer.chain = chain->certificates;
  peer.now = kNow;
  CHECK(alert_of(verify_peer(crypto::best(), {}, peer)) == as_int(Alert::unknown_ca));
}

TEST_CASE("a CertificateVerify is good for one side, one transcript and one key, whatever the scheme") {
  SeededRng rng(2);
  Authority authority(rng);
  for (const x509::KeyType type : {x509::KeyType::rsa, x509::KeyType::rsa_pss, x509::KeyType::ecdsa_p256,
                                   x509::KeyType::ecdsa_p384, x509::KeyType::ed25519}) {
    const auto identity = authority.issue({.type = type});
    const auto another = authority.issue({.type = type});
    const std::vector<uint8_t> hash = rng.bytes(32), other_hash = rng.bytes(32);
    const SignedTranscript transcript{.signer = Side::server, .hash = hash};
    size_t schemes = 0;
    for (const SignatureScheme scheme : default_signature_schemes()) {
      if (!handshake_algorithm(scheme, type)) continue;
      schemes++;
      std::vector<uint8_t> signature(identity->key().signature_size_max());
      const Result<size_t> size = sign_certificate_verify(*identity, scheme, rng, transcript, signature);
      REQUIRE(size.has_value());
      signature.resize(*size);
      const auto check = [&](const Identity& signer, const SignedTranscript& signed_by, Bytes bytes) {
        return alert_of(check_certificate_verify(crypto::best(), signer.leaf(), {.scheme = scheme, .signature = bytes},
                                                 default_signature_schemes(), signed_by));
      };
      CHECK(check(*identity, transcript, signature) == -1);
      CHECK(check(*identity, {.signer = Side::client, .hash = hash}, signature) == as_int(Alert::decrypt_error));
      CHECK(check(*identity, {.signer = Side::server, .hash = other_hash}, signature) == as_int(Alert::decrypt_error));
      CHECK(check(*identity, transcript, Bytes(signature).first(signature.size() - 1)) == as_int(Alert::decrypt_error));
      CHECK(check(*identity, transcript, {}) == as_int(Alert::decrypt_error));
      if (type != x509::KeyType::rsa && type != x509::KeyType::rsa_pss) {  // of those there is one sample each
        CHECK(check(*another, transcript, signature) == as_int(Alert::decrypt_error));
      }
    }
    CHECK(schemes > 0);
  }
}

// RFC 8446 §4.4.3, §4.2.3.
TEST_CASE("a scheme that was not offered, is for other keys or is PKCS#1 is an illegal_parameter") {
  SeededRng rng(3);
  Authority authority(rng);
  const std::vector<uint8_t> hash = rng.bytes(32);
  const SignedTranscript transcript{.signer = Side::server, .hash = hash};
  const auto alert = [&](const Identity& identity, SignatureScheme scheme, std::span<const SignatureScheme> offered) {
    const uint8_t signature[] = {1};
    return alert_of(check_certificate_verify(crypto::best(), identity.leaf(),
                                             {.scheme = scheme, .signature = signature}, offered, transcript));
  };
  const auto p256 = authority.issue(), rsa = authority.issue({.type = x509::KeyType::rsa});
  const SignatureScheme only_ed25519[] = {SignatureScheme::ed25519};
  const SignatureScheme pkcs1[] = {SignatureScheme::rsa_pkcs1_sha256};
  const int illegal = as_int(Alert::illegal_parameter);
  CHECK(alert(*p256, SignatureScheme::ecdsa_secp256r1_sha256, only_ed25519) == illegal);
  CHECK(alert(*p256, SignatureScheme::ecdsa_secp384r1_sha384, default_signature_schemes()) == illegal);
  CHECK(alert(*p256, SignatureScheme::ed25519, default_signature_schemes()) == illegal);
  CHECK(alert(*rsa, SignatureScheme::rsa_pss_pss_sha256, default_signature_schemes()) == illegal);
  CHECK(alert(*rsa, SignatureScheme::rsa_pkcs1_sha256, pkcs1) == illegal);
  CHECK(alert(*rsa, SignatureScheme::rsa_pss_rsae_sha256, default_signature_schemes()) == as_int(Alert::decrypt_error));
}

// RFC 8446 §4.4.2.2.
TEST_CASE("a certificate whose key usage forbids signatures does not verify a handshake") {
  SeededRng rng(4);
  Authority authority(rng);
  const x509::PrivateKey key = make_key(x509::KeyType::ecdsa_p256, rng);
  x509::CertificateRequest request;
  request.names = {"example.com"};
  request.not_before = kNow - kDay;
  request.not_after = kNow + kDay;
  request.key_usage = static_cast<uint16_t>(x509::KeyUsage::key_agreement);
  const auto leaf =
      must(x509::Certificate::parse(must(x509::make_certificate(request, key.public_key_info(), nullptr, key, rng))));
  const std::vector<uint8_t> hash = rng.bytes(32);
  uint8_t content[kCertificateVerifyContentSizeMax];
  const size_t size = certificate_verify_content(Side::server, hash, content);
  std::vector<uint8_t> signature(key.signature_size_max());
  signature.resize(must(key.sign(x509::SignatureAlgorithm::ecdsa_sha256, rng, Bytes(content).first(size), signature)));
  const Result<void> checked = check_certificate_verify(
      crypto::best(), leaf, {.scheme = SignatureScheme::ecdsa_secp256r1_sha256, .signature = signature},
      default_signature_schemes(), {.signer = Side::server, .hash = hash});
  CHECK(alert_of(checked) == as_int(alert_for(x509::Failure::wrong_usage)));
}

TEST_CASE("PKCS#1 is added to what certificates may be signed with, and only once") {
  Preferences preferences;
  CHECK(std::ranges::equal(accepted_schemes(preferences), default_signature_schemes()));
  preferences.signature_schemes = {SignatureScheme::rsa_pkcs1_sha256, SignatureScheme::ed25519};
  CHECK(certificate_schemes(preferences) == std::vector{SignatureScheme::rsa_pkcs1_sha256, SignatureScheme::ed25519,
                                                        SignatureScheme::rsa_pkcs1_sha384,
                                                        SignatureScheme::rsa_pkcs1_sha512});
}

}  // namespace
}  // namespace quoll::tls
