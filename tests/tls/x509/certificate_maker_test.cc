// Made certificates are read back: what was asked for is in them, their signatures verify, and what cannot be asked for
// is refused.
#include <algorithm>
#include <string>

#include "tests/support/random.h"
#include "tests/tls/x509/key_samples.h"
#include "tls/x509/certificate_maker.h"
#include "tls/x509/failure.h"
#include "tls/x509/name.h"
#include "tls/x509/oids.h"

#include <doctest/doctest.h>

namespace quoll::x509 {
namespace {

using Buffer = std::vector<uint8_t>;

constexpr int64_t kYear2026 = 1'767'225'600;

CertificateRequest request_for(std::string common_name) {
  return {.common_name = std::move(common_name),
          .not_before = UnixTime::from_seconds(kYear2026),
          .not_after = UnixTime::from_seconds(kYear2026 + 90 * 86'400)};
}

PrivateKey new_key(Rng& rng, KeyType type = KeyType::ecdsa_p256) {
  auto key = PrivateKey::generate(crypto::best(), type, rng);
  REQUIRE(key);
  return std::move(*key);
}

Certificate make(const CertificateRequest& request, Bytes subject_key, const Certificate* issuer, const PrivateKey& key,
                 Rng& rng) {
  const auto der = make_certificate(request, subject_key, issuer, key, rng);
  REQUIRE(der);
  auto certificate = Certificate::parse(*der);
  REQUIRE(certificate);
  return std::move(*certificate);
}

void check_signature(const Certificate& certificate, Bytes issuer_key) {
  const auto algorithm = parse_signature_algorithm(certificate.signature_algorithm);
  REQUIRE(algorithm);
  const auto key = PublicKey::parse(crypto::best(), issuer_key);
  REQUIRE(key);
  CHECK(key->verify(*algorithm, certificate.tbs, certificate.signature));
}

bool refused(const CertificateRequest& request) {
  tests::SeededRng rng(1);
  const PrivateKey key = new_key(rng);
  const auto made = make_certificate(request, key.public_key_info(), nullptr, key, rng);
  return !made && made.error().code == static_cast<uint64_t>(Failure::malformed) &&
         made.error().domain == ErrorDomain::certificate;
}

std::string text_of(Bytes bytes) { return std::string(as_text(bytes)); }

TEST_SUITE("certificate_maker") {
  TEST_CASE("a self-signed leaf has what a server needs") {
    tests::SeededRng rng(tests::test_seed(3));
    const PrivateKey key = new_key(rng);
    CertificateRequest request = request_for("example.com");
    request.names = {"example.com", "*.example.com", "192.0.2.1", "2001:db8::1"};
    const Certificate leaf = make(request, key.public_key_info(), nullptr, key, rng);
    CHECK(leaf.version == 3);
    CHECK(leaf.serial_number.size() == 16);
    CHECK((leaf.serial_number[0] & 0xc0) == 0x40);
    CHECK(name_text(leaf.subject) == "CN=example.com");
    CHECK(leaf.is_self_issued());
    CHECK(leaf.not_before == request.not_before);
    CHECK(leaf.not_after == request.not_after);
    CHECK(std::ranges::equal(leaf.subject_public_key_info, key.public_key_info()));
    REQUIRE(leaf.basic_constraints);
    CHECK_FALSE(leaf.basic_constraints->is_ca);
    CHECK(leaf.basic_constraints->critical);
    CHECK(leaf.key_usage == static_cast<uint16_t>(KeyUsage::digital_signature));
    REQUIRE(leaf.extended_key_usage);
    REQUIRE(leaf.extended_key_usage->size() == 1);
    CHECK(oid::is((*leaf.extended_key_usage)[0], oid::kServerAuth));
    REQUIRE(leaf.subject_alt_names);
    REQUIRE(leaf.subject_alt_names->size() == 4);
    CHECK(text_of((*leaf.subject_alt_names)[1].value) == "*.example.com");
    CHECK((*leaf.subject_alt_names)[2].kind == GeneralName::Kind::ip);
    CHECK((*leaf.subject_alt_names)[2].value.size() == 4);
    CHECK((*leaf.subject_alt_names)[3].value.size() == 16);
    CHECK_FALSE(leaf.subject_alt_names_critical);
    REQUIRE(leaf.subject_key_identifier);
    CHECK(leaf.subject_key_identifier->size() == 20);
    CHECK_FALSE(leaf.name_constraints);
    CHECK_FALSE(leaf.has_unknown_critical_extension);
    check_signature(leaf, key.public_key_info());
  }

  TEST_CASE("every kind of key signs certificates") {
    tests::SeededRng rng(tests::test_seed(4));
    std::vector<PrivateKey> keys;
    for (const char* pem : {tests::kPkcs8P256, tests::kPkcs8P384, tests::kPkcs8Rsa, tests::kPkcs8Pss,
                            tests::kPkcs8PssSha384, tests::kPkcs8Ed25519}) {
      auto key = PrivateKey::parse_pem(crypto::best(), pem);
      REQUIRE(key);
      keys.push_back(std::move(*key));
    }
    for (const PrivateKey& key : keys) {
      const Certificate made = make(request_for("x"), key.public_key_info(), nullptr, key, rng);
      check_signature(made, key.public_key_info());
      CHECK(parse_signature_algorithm(made.signature_algorithm) == key.preferred_algorithm());
    }
    CertificateRequest other = request_for("x");
    other.algorithm = SignatureAlgorithm::rsa_pss_sha512;
    check_signature(make(other, keys[2].public_key_info(), nullptr, keys[2], rng), keys[2].public_key_info());
    other.algorithm = SignatureAlgorithm::ed25519;
    CHECK_FALSE(make_certificate(other, keys[2].public_key_info(), nullptr, keys[2], rng));
  }

  TEST_CASE("an authority issues: names and key identifiers point to it") {
    tests::SeededRng rng(tests::test_seed(5));
    const PrivateKey root_key = new_key(rng, KeyType::ecdsa_p384), leaf_key = new_key(rng, KeyType::ed25519);
    CertificateRequest root_request = request_for("Root");
    root_request.is_ca = true;
    root_request.path_length = 0;
    root_request.permitted_names = {"example.com", "192.0.2.0/24"};
    root_request.excluded_names = {"bad.example.com", "2001:db8::/33"};
    const Certificate root = make(root_request, root_key.public_key_info(), nullptr, root_key, rng);
    CHECK(root.is_ca());
    CHECK(root.basic_constraints->path_length == 0);
    CHECK(root.key_usage ==
          (static_cast<uint16_t>(KeyUsage::key_cert_sign) | static_cast<uint16_t>(KeyUsage::crl_sign)));
    CHECK_FALSE(root.extended_key_usage);
    REQUIRE(root.name_constraints);
    CHECK(root.name_constraints->critical);
    REQUIRE(root.name_constraints->permitted.size() == 2);
    REQUIRE(root.name_constraints->excluded.size() == 2);
    CHECK(text_of(root.name_constraints->permitted[0].value) == "example.com");
    CHECK(std::ranges::equal(root.name_constraints->permitted[1].value, Buffer{192, 0, 2, 0, 255, 255, 255, 0}));
    CHECK(root.name_constraints->excluded[1].value[16 + 4] == 0x80);

    CertificateRequest leaf_request = request_for("");
    leaf_request.names = {"a.example.com"};
    leaf_request.client_auth = true;
    const Certificate leaf = make(leaf_request, leaf_key.public_key_info(), &root, root_key, rng);
    check_signature(leaf, root_key.public_key_info());
    CHECK(names_equal(leaf.issuer, root.subject));
    CHECK(name_is_empty(leaf.subject));
    CHECK(leaf.subject_alt_names_critical);  // RFC 5280 §4.2.1.6
    CHECK(leaf.extended_key_usage->size() == 2);
    REQUIRE(leaf.authority_key_identifier);
    CHECK(std::ranges::equal(*leaf.authority_key_identifier->key_identifier, *root.subject_key_identifier));
    CHECK_FALSE(std::ranges::equal(leaf.serial_number, root.serial_number));

    const auto wrong_key = make_certificate(leaf_request, leaf_key.public_key_info(), &root, leaf_key, rng);
    REQUIRE_FALSE(wrong_key);
    CHECK(wrong_key.error().domain == ErrorDomain::usage);
    CHECK_FALSE(make_certificate(leaf_request, leaf_key.public_key_info(), nullptr, root_key, rng));
  }

  TEST_CASE("times are written as RFC 5280 §4.1.2.5 says") {
    tests::SeededRng rng(tests::test_seed(6));
    const PrivateKey key = new_key(rng);
    constexpr int64_t kYear0 = -62'167'219'200, kYear1950 = -631'152'000, kYear2050 = 2'524'608'000,
                      kYear10000 = 253'402'300'800;
    const std::pair<int64_t, std::string_view> times[] = {
        {kYear0,
         "\x18\x0f"
         "00000101000000Z"},
        {kYear1950 - 1,
         "\x18\x0f"
         "19491231235959Z"},
        {kYear1950,
         "\x17\x0d"
         "500101000000Z"},
        {0,
         "\x17\x0d"
         "700101000000Z"},
        {kYear2050 - 1,
         "\x17\x0d"
         "491231235959Z"},
        {kYear2050,
         "\x18\x0f"
         "20500101000000Z"},
        {kYear10000 - 1,
         "\x18\x0f"
         "99991231235959Z"},
    };
    CertificateRequest request = request_for("x");
    for (const auto& [seconds, element] : times) {
      INFO(seconds);
      request.not_before = UnixTime::from_seconds(kYear0);
      request.not_after = UnixTime::from_seconds(seconds);
      const Certificate made = make(request, key.public_key_info(), nullptr, key, rng);
      CHECK(made.not_after == request.not_after);
      CHECK(as_text(made.tbs).find(element) != std::string_view::npos);
    }
    request.not_after = UnixTime::from_seconds(kYear10000);
    CHECK(refused(request));
    request.not_after = request.not_before;
    request.not_before = UnixTime::from_seconds(kYear0 - 1);
    CHECK(refused(request));
  }

  TEST_CASE("names that are neither DNS names nor addresses are refused") {
    for (const std::string bad : {"", ".", "a.", ".a", "a..b", "-a", "a b", "*", "*.", "a.*", "a*.b", "*.*.b", "1",
                                  "1.2.3", "1.2.3.256", "b\xc3\xbc.de", "fe80::1%2"}) {
      INFO(bad);
      CertificateRequest request = request_for("x");
      request.names = {"good.example", bad};
      CHECK(refused(request));
    }
    for (const std::string bad :
         {"", "*.a", "192.0.2.0/33", "192.0.2.0/", "192.0.2.0/1x", "a/8", "2001:db8::/129", "192.0.2.0/-1"}) {
      INFO(bad);
      CertificateRequest request = request_for("x");
      request.permitted_names = {bad};
      CHECK(refused(request));
      request.permitted_names.clear();
      request.excluded_names = {bad};
      CHECK(refused(request));
    }
  }

  TEST_CASE("a common name is UTF-8 of at most 64 characters") {
    std::string umlauts;
    for (int i = 0; i < 64; i++) umlauts += "\xc3\xbc";
    tests::SeededRng rng(tests::test_seed(8));
    const PrivateKey key = new_key(rng);
    CHECK(name_text(make(request_for(umlauts), key.public_key_info(), nullptr, key, rng).subject) == "CN=" + umlauts);
    CHECK(refused(request_for(umlauts + "a")));
    CHECK(refused(request_for("\xc3")));
    CHECK(refused(request_for("\xff")));
  }

  TEST_CASE("a key that is no SubjectPublicKeyInfo is refused") {
    tests::SeededRng rng(tests::test_seed(9));
    const PrivateKey key = new_key(rng);
    CertificateRequest ca_request = request_for("ca");
    ca_request.is_ca = true;
    const Certificate ca = make(ca_request, key.public_key_info(), nullptr, key, rng);
    const Buffer info(key.public_key_info().begin(), key.public_key_info().end());
    for (size_t size = 0; size < info.size(); size++) {
      CHECK_FALSE(make_certificate(request_for("x"), Bytes(info).first(size), &ca, key, rng));
    }
    CHECK(make_certificate(request_for("x"), info, &ca, key, rng));
  }

  TEST_CASE("odd certificates for tests") {
    tests::SeededRng rng(tests::test_seed(10));
    const PrivateKey key = new_key(rng);
    CertificateRequest request = request_for("x");
    request.version = 1;
    const Certificate old = make(request, key.public_key_info(), nullptr, key, rng);
    CHECK(old.version == 1);
    CHECK(old.extensions.empty());
    CHECK_FALSE(old.basic_constraints);

    request.version = 3;
    request.with_basic_constraints = request.with_key_identifiers = false;
    request.key_usage = static_cast<uint16_t>(KeyUsage::decipher_only);
    request.extra_extensions = {{0x30, 0x0c, 0x06, 0x05, 0x2a, 0x03, 0x04, 0x05, 0x06, 0x01, 0x01, 0xff, 0x04, 0x00}};
    const Certificate odd = make(request, key.public_key_info(), nullptr, key, rng);
    CHECK_FALSE(odd.basic_constraints);
    CHECK_FALSE(odd.subject_key_identifier);
    CHECK_FALSE(odd.authority_key_identifier);
    CHECK(odd.key_usage == static_cast<uint16_t>(KeyUsage::decipher_only));
    CHECK(odd.has_unknown_critical_extension);

    request.key_usage = 0;
    CHECK_FALSE(make(request, key.public_key_info(), nullptr, key, rng).key_usage);
  }

  TEST_CASE("a thousand names make a certificate as large as they need") {
    tests::SeededRng rng(tests::test_seed(11));
    const PrivateKey key = new_key(rng);
    CertificateRequest request = request_for("x");
    for (int i = 0; i < 1000; i++)
      request.names.push_back("host-" + std::to_string(i) + ".a-domain-of-some-length.example");
    const auto der = make_certificate(request, key.public_key_info(), nullptr, key, rng);
    REQUIRE(der);
    CHECK(der->size() > 40'000);
    const auto certificate = Certificate::parse(*der);
    REQUIRE(certificate);
    CHECK(certificate->subject_alt_names->size() == 1000);
  }
}

}  // namespace
}  // namespace quoll::x509
