// Identities: what makes one, which schemes it signs with, and which of several is chosen.
#include "tls/identity.h"

#include <algorithm>

#include "crypto/der.h"
#include "tests/support/random.h"
#include "tests/tls/x509/key_samples.h"
#include "tls/cipher_suite.h"
#include "tls/x509/algorithm_identifier.h"
#include "tls/x509/certificate_maker.h"
#include "tls/x509/failure.h"
#include "tls/x509/host_name.h"
#include "tls/x509/pem.h"

#include <doctest/doctest.h>

namespace quoll::tls {
namespace {

using Buffer = std::vector<uint8_t>;
using tests::SeededRng;
using x509::KeyType;
using x509::PrivateKey;

PrivateKey key_of(std::string_view pem) { return PrivateKey::parse_pem(crypto::best(), pem).value(); }

PrivateKey new_key(KeyType type, uint64_t seed = 1) {
  SeededRng rng(seed);
  return PrivateKey::generate(crypto::best(), type, rng).value();
}

x509::CertificateRequest request_for(std::string common_name) {
  return {.common_name = std::move(common_name),
          .not_before = UnixTime::from_seconds(1'767'225'600),
          .not_after = UnixTime::from_seconds(1'775'000'000)};
}

/// A leaf for `subject_key` from some authority.
Buffer leaf_for(Bytes subject_key, std::vector<std::string> names, std::optional<uint16_t> key_usage = {}) {
  SeededRng rng(2);
  const PrivateKey authority_key = new_key(KeyType::ed25519, 99);
  x509::CertificateRequest authority = request_for("authority");
  authority.is_ca = true;
  const Buffer issuer =
      x509::make_certificate(authority, authority_key.public_key_info(), nullptr, authority_key, rng).value();
  const x509::Certificate issuer_certificate = x509::Certificate::parse(issuer).value();
  x509::CertificateRequest leaf = request_for("leaf");
  leaf.names = std::move(names);
  leaf.key_usage = key_usage;
  return x509::make_certificate(leaf, subject_key, &issuer_certificate, authority_key, rng).value();
}

std::shared_ptr<const Identity> identity(PrivateKey key, std::vector<std::string> names) {
  Buffer leaf = leaf_for(key.public_key_info(), std::move(names));
  return std::make_shared<const Identity>(Identity::create({std::move(leaf)}, std::move(key)).value());
}

std::shared_ptr<const Identity> p256(std::vector<std::string> names) {
  return identity(new_key(KeyType::ecdsa_p256), std::move(names));
}
std::shared_ptr<const Identity> ed25519(std::vector<std::string> names) {
  return identity(new_key(KeyType::ed25519), std::move(names));
}

/// A peer's list of schemes.
class Offer {
 public:
  Offer(std::initializer_list<SignatureScheme> schemes) {
    for (const SignatureScheme scheme : schemes) {
      raw_.push_back(static_cast<uint8_t>(static_cast<uint16_t>(scheme) >> 8));
      raw_.push_back(static_cast<uint8_t>(scheme));
    }
  }
  operator CodeList<SignatureScheme>() const { return CodeList<SignatureScheme>(raw_); }

 private:
  Buffer raw_;
};

Offer everything() {
  using enum SignatureScheme;
  return {rsa_pkcs1_sha256,    rsa_pkcs1_sha384,    rsa_pkcs1_sha512,    ecdsa_secp256r1_sha256,
          rsa_pss_rsae_sha256, rsa_pss_rsae_sha384, rsa_pss_rsae_sha512, ecdsa_secp384r1_sha384,
          rsa_pss_pss_sha256,  rsa_pss_pss_sha384,  rsa_pss_pss_sha512,  ed25519};
}

/// The SubjectPublicKeyInfo of `key` with another AlgorithmIdentifier.
Buffer relabelled(const PrivateKey& key, Bytes algorithm_identifier) {
  crypto::DerReader info = crypto::DerReader(key.public_key_info()).enter(crypto::DerTag::sequence);
  info.read_element();
  crypto::DerReader algorithm(algorithm_identifier);
  Buffer room(2'048);
  crypto::DerWriter writer(room);
  const size_t sequence = writer.open(crypto::DerTag::sequence);
  writer.write(crypto::DerTag::sequence, algorithm.read(crypto::DerTag::sequence).value());
  writer.write(crypto::DerTag::bit_string, info.read(crypto::DerTag::bit_string).value());
  writer.close(sequence);
  room.resize(writer.finish().value().size());
  return room;
}

Buffer relabelled(const PrivateKey& key, KeyType type) { return relabelled(key, x509::key_algorithm_identifier(type)); }

void check_refused(const Result<Identity>& result, x509::Failure failure) {
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().domain == ErrorDomain::certificate);
  CHECK(result.error().code == static_cast<uint64_t>(failure));
}

TEST_SUITE("identity") {
  TEST_CASE("a chain with its key makes an identity, which keeps what is to be sent as it came") {
    PrivateKey key = new_key(KeyType::ecdsa_p384);
    const Buffer leaf = leaf_for(key.public_key_info(), {"example.com"});
    const Buffer junk = {1, 2, 3};
    const Result<Identity> made = Identity::create({leaf, junk}, std::move(key), {4, 5});
    REQUIRE(made.has_value());
    REQUIRE(made->chain().size() == 2);
    CHECK(made->chain()[0] == leaf);
    CHECK(made->chain()[1] == junk);
    CHECK(std::ranges::equal(made->leaf().der(), leaf));
    CHECK(std::ranges::equal(made->ocsp_response(), Buffer{4, 5}));
    CHECK(made->key().type() == KeyType::ecdsa_p384);
    CHECK(made->key_type() == KeyType::ecdsa_p384);
    CHECK(made->is_for("example.com"));
  }

  TEST_CASE("PEM texts make the same identity") {
    const PrivateKey key = key_of(tests::kSec1P256);
    const Buffer leaf = leaf_for(key.public_key_info(), {"a.example"}), other = leaf_for(key.public_key_info(), {});
    const std::string chain = "text\n" + x509::write_pem("CERTIFICATE", leaf) + x509::write_pem("X509 CRL", leaf) +
                              x509::write_pem("CERTIFICATE", other);
    const Result<Identity> made = Identity::from_pem(crypto::best(), chain, tests::kSec1P256);
    REQUIRE(made.has_value());
    REQUIRE(made->chain().size() == 2);
    CHECK(made->chain()[0] == leaf);
    CHECK(made->chain()[1] == other);

    check_refused(Identity::from_pem(crypto::best(), "no block", tests::kSec1P256), x509::Failure::no_certificate);
    check_refused(Identity::from_pem(crypto::best(), chain, "no key"), x509::Failure::malformed);
    check_refused(Identity::from_pem(crypto::best(), chain.substr(0, 100), tests::kSec1P256), x509::Failure::malformed);
    check_refused(Identity::from_pem(crypto::best(), chain, tests::kPkcs8Ed25519), x509::Failure::malformed);
  }

  TEST_CASE("chains that are empty, too long, or not of certificates are refused") {
    const auto key = [] { return new_key(KeyType::ecdsa_p256); };
    const Buffer leaf = leaf_for(key().public_key_info(), {});
    check_refused(Identity::create({}, key()), x509::Failure::no_certificate);
    check_refused(Identity::create({leaf, {}}, key()), x509::Failure::malformed);
    check_refused(Identity::create({{0x30, 0x00}}, key()), x509::Failure::malformed);
    CHECK(Identity::create(std::vector<Buffer>(Identity::kChainMax, leaf), key()).has_value());
    check_refused(Identity::create(std::vector<Buffer>(Identity::kChainMax + 1, leaf), key()), x509::Failure::limit);
    CHECK(Identity::create({leaf, Buffer(Identity::kChainSizeMax - leaf.size(), 1)}, key()).has_value());
    check_refused(Identity::create({leaf, Buffer(Identity::kChainSizeMax + 1 - leaf.size(), 1)}, key()),
                  x509::Failure::limit);
  }

  // What an extension cannot hold would otherwise come to light when the first client asks for it.
  TEST_CASE("an OCSP response that does not fit a handshake is refused") {
    const auto key = [] { return new_key(KeyType::ecdsa_p256); };
    const Buffer leaf = leaf_for(key().public_key_info(), {});
    CHECK(Identity::create({leaf}, key(), Buffer(Identity::kOcspResponseSizeMax, 1)).has_value());
    check_refused(Identity::create({leaf}, key(), Buffer(Identity::kOcspResponseSizeMax + 1, 1)), x509::Failure::limit);
  }

  TEST_CASE("a key that is not the leaf's is refused") {
    const Buffer leaf = leaf_for(new_key(KeyType::ecdsa_p256, 1).public_key_info(), {});
    CHECK(Identity::create({leaf}, new_key(KeyType::ecdsa_p256, 1)).has_value());
    check_refused(Identity::create({leaf}, new_key(KeyType::ecdsa_p256, 3)), x509::Failure::malformed);
    check_refused(Identity::create({leaf}, new_key(KeyType::ecdsa_p384, 1)), x509::Failure::malformed);
    check_refused(Identity::create({leaf}, new_key(KeyType::ed25519, 1)), x509::Failure::malformed);
    check_refused(Identity::create({leaf}, key_of(tests::kPkcs1Rsa)), x509::Failure::malformed);
    const Buffer rsa = leaf_for(key_of(tests::kPkcs1Rsa).public_key_info(), {});
    CHECK(Identity::create({rsa}, key_of(tests::kPkcs1Rsa)).has_value());
    check_refused(Identity::create({rsa}, key_of(tests::kPkcs8Pss)), x509::Failure::malformed);
  }

  // RFC 8446 §4.4.2.2.
  TEST_CASE("a leaf whose key usage excludes signatures is refused") {
    const auto key = [] { return new_key(KeyType::ecdsa_p256); };
    const auto usage = static_cast<uint16_t>(x509::KeyUsage::key_agreement);
    check_refused(Identity::create({leaf_for(key().public_key_info(), {}, usage)}, key()), x509::Failure::wrong_usage);
    CHECK(Identity::create({leaf_for(key().public_key_info(), {}, uint16_t{0})}, key()).has_value());
  }
}

TEST_SUITE("identity_schemes") {
  // RFC 8446 §4.2.3.
  TEST_CASE("a key signs with the schemes that are for it, and no others") {
    using enum SignatureScheme;
    const auto schemes_of = [](const Identity& made) {
      std::vector<SignatureScheme> schemes;
      const Offer offer = everything();
      const CodeList<SignatureScheme> all = offer;
      for (size_t i = 0; i < all.size(); i++) {
        if (made.choose_scheme(Offer{all[i]})) schemes.push_back(all[i]);
      }
      return schemes;
    };
    using Schemes = std::vector<SignatureScheme>;
    CHECK(schemes_of(*p256({})) == Schemes{ecdsa_secp256r1_sha256});
    CHECK(schemes_of(*identity(new_key(KeyType::ecdsa_p384), {})) == Schemes{ecdsa_secp384r1_sha384});
    CHECK(schemes_of(*tls::ed25519({})) == Schemes{SignatureScheme::ed25519});
    CHECK(schemes_of(*identity(key_of(tests::kPkcs1Rsa), {})) ==
          Schemes{rsa_pss_rsae_sha256, rsa_pss_rsae_sha384, rsa_pss_rsae_sha512});
    CHECK(schemes_of(*identity(key_of(tests::kPkcs8Pss), {})) ==
          Schemes{rsa_pss_pss_sha256, rsa_pss_pss_sha384, rsa_pss_pss_sha512});
  }

  TEST_CASE("our preference decides, not the peer's order") {
    using enum SignatureScheme;
    const auto rsa = identity(key_of(tests::kPkcs1Rsa), {});
    CHECK(rsa->choose_scheme(Offer{rsa_pss_rsae_sha512, rsa_pss_rsae_sha256}) == rsa_pss_rsae_sha256);
    CHECK_FALSE(rsa->choose_scheme(Offer{}));
  }

  // RFC 4055 §3.3.
  TEST_CASE("a PSS key that is restricted to one hash signs with that one") {
    const auto restricted = identity(key_of(tests::kPkcs8PssSha384), {});
    CHECK(restricted->choose_scheme(everything()) == SignatureScheme::rsa_pss_pss_sha384);
    CHECK_FALSE(restricted->choose_scheme(Offer{SignatureScheme::rsa_pss_pss_sha256}));
  }

  // RFC 4055 §3.3.
  TEST_CASE("a leaf that restricts its key to one hash does so for a key that knows nothing of that") {
    const PrivateKey restricted = key_of(tests::kPkcs8PssSha384);
    PrivateKey key = key_of(tests::kPkcs1Rsa);
    const Bytes algorithm =
        crypto::DerReader(restricted.public_key_info()).enter(crypto::DerTag::sequence).read_element().value();
    const Buffer leaf = leaf_for(relabelled(key, algorithm), {});
    const Result<Identity> made = Identity::create({leaf}, std::move(key));
    REQUIRE(made.has_value());
    CHECK(made->choose_scheme(everything()) == SignatureScheme::rsa_pss_pss_sha384);
    CHECK_FALSE(made->choose_scheme(Offer{SignatureScheme::rsa_pss_pss_sha256}));
  }

  TEST_CASE("the leaf says whether an RSA key is for PSS alone, whatever the file of the key says") {
    PrivateKey key = key_of(tests::kPkcs1Rsa);
    const Buffer leaf = leaf_for(relabelled(key, KeyType::rsa_pss), {});
    const Result<Identity> made = Identity::create({leaf}, std::move(key));
    REQUIRE(made.has_value());
    CHECK(made->key().type() == KeyType::rsa);
    CHECK(made->key_type() == KeyType::rsa_pss);
    CHECK(made->choose_scheme(everything()) == SignatureScheme::rsa_pss_pss_sha256);

    PrivateKey pss = key_of(tests::kPkcs8Pss);
    const Buffer plain = leaf_for(relabelled(pss, KeyType::rsa), {});
    const Result<Identity> other = Identity::create({plain}, std::move(pss));
    REQUIRE(other.has_value());
    CHECK(other->key_type() == KeyType::rsa);
    CHECK(other->choose_scheme(everything()) == SignatureScheme::rsa_pss_rsae_sha256);
  }

  TEST_CASE("what an identity signs, its leaf's key verifies") {
    using enum SignatureScheme;
    SeededRng rng(5);
    const Buffer message = rng.bytes(130);
    PrivateKey mixed = key_of(tests::kPkcs1Rsa);
    const Buffer mixed_leaf = leaf_for(relabelled(mixed, KeyType::rsa_pss), {});
    const auto made = std::make_shared<const Identity>(Identity::create({mixed_leaf}, std::move(mixed)).value());
    for (const auto& signer : {p256({}), tls::ed25519({}), identity(key_of(tests::kPkcs8Pss), {}), made}) {
      const auto scheme = signer->choose_scheme(everything());
      REQUIRE(scheme);
      const auto algorithm = handshake_algorithm(*scheme, signer->key_type());
      REQUIRE(algorithm);
      Buffer signature(signer->key().signature_size_max());
      const auto size = signer->key().sign(*algorithm, rng, message, signature);
      REQUIRE(size.has_value());
      const auto key = x509::PublicKey::parse(crypto::best(), signer->leaf().subject_public_key_info);
      REQUIRE(key.has_value());
      CHECK(key->verify(*algorithm, message, Bytes(signature).first(*size)).has_value());
    }
  }
}

TEST_SUITE("identity_choice") {
  TEST_CASE("an exact name comes before a wildcard, and that before the first identity") {
    const auto first = p256({"other.example"}), wildcard = p256({"*.example.com"}), exact = p256({"www.example.com"});
    const Identities identities = {first, wildcard, exact};
    const auto chosen = [&](std::string_view name) { return choose_identity(identities, name, everything()); };
    CHECK(chosen("www.example.com").identity == exact.get());
    CHECK(chosen("WWW.Example.com").identity == exact.get());
    CHECK(chosen("www.example.com").name_matched);
    CHECK(chosen("mail.example.com").identity == wildcard.get());
    CHECK(chosen("mail.example.com").name_matched);
    CHECK(chosen("example.com").identity == first.get());
    CHECK_FALSE(chosen("example.com").name_matched);
    CHECK(chosen("").identity == first.get());
    CHECK_FALSE(chosen("").name_matched);
    CHECK(chosen("other.example").identity == first.get());
    CHECK(chosen("other.example").name_matched);
    CHECK(chosen("other.example").scheme == SignatureScheme::ecdsa_secp256r1_sha256);
  }

  TEST_CASE("of identities with the same name, the first that the peer can verify is chosen") {
    const auto ecdsa = p256({"example.com"}), edwards = ed25519({"example.com"});
    const Identities identities = {edwards, ecdsa};
    CHECK(choose_identity(identities, "example.com", everything()).identity == edwards.get());
    const Offer only_ecdsa{SignatureScheme::ecdsa_secp256r1_sha256};
    CHECK(choose_identity(identities, "example.com", only_ecdsa).identity == ecdsa.get());
    CHECK(choose_identity(identities, "", only_ecdsa).identity == ecdsa.get());
  }

  TEST_CASE("an identity that the peer cannot verify is passed over, even if it alone has the name") {
    const auto ecdsa = p256({"other.example"}), edwards = ed25519({"example.com"}), wildcard = p256({"*.com.example"});
    const Offer only_ecdsa{SignatureScheme::ecdsa_secp256r1_sha256};
    const ChosenIdentity chosen = choose_identity({edwards, ecdsa, wildcard}, "example.com", only_ecdsa);
    CHECK(chosen.identity == ecdsa.get());
    CHECK_FALSE(chosen.name_matched);
  }

  TEST_CASE("nobody is chosen when nobody can sign") {
    const Offer pkcs1{SignatureScheme::rsa_pkcs1_sha256};
    CHECK(choose_identity({}, "example.com", everything()).identity == nullptr);
    CHECK(choose_identity({nullptr}, "example.com", everything()).identity == nullptr);
    CHECK(choose_identity({p256({"example.com"}), identity(key_of(tests::kPkcs1Rsa), {"example.com"})}, "example.com",
                          pkcs1)
              .identity == nullptr);
  }
}

TEST_SUITE("leaf_names") {
  TEST_CASE("a leaf has the DNS names that verification finds in it") {
    const auto made = p256({"example.com", "Mixed.Example.ORG", "*.wild.example", "192.0.2.1", "2001:db8::1",
                            "xn--bcher-kva.example", "www.wild.example"});
    const std::string_view names[] = {"example.com",
                                      "EXAMPLE.com",
                                      "example.com.",
                                      "example.com..",
                                      "www.example.com",
                                      "mixed.example.org",
                                      "MIXED.EXAMPLE.ORG.",
                                      "x.wild.example",
                                      "x.y.wild.example",
                                      "wild.example",
                                      ".wild.example",
                                      "*.wild.example",
                                      "X.WILD.EXAMPLE",
                                      "www.wild.example",
                                      "a_b.example",
                                      "",
                                      ".",
                                      "com",
                                      "example",
                                      "xn--bcher-kva.example",
                                      "-.wild.example",
                                      "1.wild.example",
                                      "example.com\n",
                                      "b\xc3\xbc.example"};
    size_t carried = 0;
    for (const std::string_view name : names) {
      CAPTURE(name);
      CHECK(made->is_for(name) == x509::verify_host(made->leaf(), name).has_value());
      carried += made->is_for(name);
    }
    CHECK(carried == 10);
  }

  TEST_CASE("names of every length are taken or not as verification takes them") {
    const std::string label(62, 'a');
    const auto made = p256({"*." + label + "." + label + "." + label + ".example"});
    for (size_t size = 1; size < 80; size++) {
      const std::string name = std::string(size, 'x') + "." + label + "." + label + "." + label + ".example";
      CAPTURE(size);
      CHECK(made->is_for(name) == x509::verify_host(made->leaf(), name).has_value());
    }
    CHECK(made->is_for("x." + label + "." + label + "." + label + ".example"));
    CHECK_FALSE(made->is_for(std::string(100'000, 'x')));
  }

  TEST_CASE("an address is no DNS name, and a leaf without names has none") {
    CHECK_FALSE(p256({"192.0.2.1"})->is_for("192.0.2.1"));
    CHECK_FALSE(p256({})->is_for("leaf"));
    CHECK_FALSE(p256({})->is_for(""));
  }

  TEST_CASE("how a name matched is told") {
    const auto made = p256({"*.example.com", "www.example.com"});
    CHECK(made->match(ServerName("www.example.com")) == NameMatch::exact);
    CHECK(made->match(ServerName("ftp.example.com")) == NameMatch::wildcard);
    CHECK(made->match(ServerName("example.com")) == NameMatch::none);
  }
}

}  // namespace
}  // namespace quoll::tls
