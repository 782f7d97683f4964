// Keys and certificates beside OpenSSL: it takes what we make, we take what it makes, and signatures verify both ways.
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <memory>
#include <string>

#include "tests/support/random.h"
#include "tls/x509/certificate_maker.h"
#include "tls/x509/pem.h"

#include <doctest/doctest.h>

namespace quoll::x509 {
namespace {

using Buffer = std::vector<uint8_t>;

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(X509_STORE* store) const { X509_STORE_free(store); }
  void operator()(X509_STORE_CTX* context) const { X509_STORE_CTX_free(context); }
  void operator()(PKCS8_PRIV_KEY_INFO* info) const { PKCS8_PRIV_KEY_INFO_free(info); }
  void operator()(BIO* bio) const { BIO_free(bio); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

/// The DER of any structure of OpenSSL, by its i2d function.
template <class T>
Buffer der_of(int (*encode)(T, uint8_t**), T object) {
  const int size = encode(object, nullptr);
  REQUIRE(size > 0);
  Buffer der(static_cast<size_t>(size));
  uint8_t* end = der.data();
  encode(object, &end);
  return der;
}

Owned<EVP_PKEY> rsa_key(const char* algorithm) {
  const Owned<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_name(nullptr, algorithm, nullptr));
  EVP_PKEY* key = nullptr;
  REQUIRE(EVP_PKEY_keygen_init(context.get()) == 1);
  REQUIRE(EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), 2048) == 1);
  REQUIRE(EVP_PKEY_generate(context.get(), &key) == 1);
  return Owned<EVP_PKEY>(key);
}

struct PeerKey {
  KeyType type;
  Owned<EVP_PKEY> key;
};

std::vector<PeerKey> peer_keys() {
  std::vector<PeerKey> keys;
  keys.push_back({KeyType::rsa, rsa_key("RSA")});
  keys.push_back({KeyType::rsa_pss, rsa_key("RSA-PSS")});
  keys.push_back({KeyType::ecdsa_p256, Owned<EVP_PKEY>(EVP_EC_gen("P-256"))});
  keys.push_back({KeyType::ecdsa_p384, Owned<EVP_PKEY>(EVP_EC_gen("P-384"))});
  keys.push_back({KeyType::ed25519, Owned<EVP_PKEY>(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"))});
  for (const PeerKey& key : keys) REQUIRE(key.key);
  return keys;
}

Buffer pkcs8_of(EVP_PKEY* key) {
  const Owned<PKCS8_PRIV_KEY_INFO> info(EVP_PKEY2PKCS8(key));
  REQUIRE(info);
  return der_of<const PKCS8_PRIV_KEY_INFO*>(i2d_PKCS8_PRIV_KEY_INFO, info.get());
}

/// The PEM that `write(bio)` writes.
template <class Write>
std::string pem_of(const Write& write) {
  const Owned<BIO> bio(BIO_new(BIO_s_mem()));
  REQUIRE(write(bio.get()) == 1);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<size_t>(size)};
}
std::string pkcs8_pem_of(const EVP_PKEY* key) {
  return pem_of(
      [&](BIO* bio) { return PEM_write_bio_PKCS8PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr); });
}
std::string traditional_pem_of(const EVP_PKEY* key) {
  return pem_of(
      [&](BIO* bio) { return PEM_write_bio_PrivateKey_traditional(bio, key, nullptr, nullptr, 0, nullptr, nullptr); });
}

struct Algorithm {
  SignatureAlgorithm algorithm;
  const char* hash;  // null: the algorithm has its own
  bool pss;
};
constexpr Algorithm kAlgorithms[] = {
    {SignatureAlgorithm::rsa_pkcs1_sha256, "SHA256", false}, {SignatureAlgorithm::rsa_pkcs1_sha384, "SHA384", false},
    {SignatureAlgorithm::rsa_pkcs1_sha512, "SHA512", false}, {SignatureAlgorithm::rsa_pss_sha256, "SHA256", true},
    {SignatureAlgorithm::rsa_pss_sha384, "SHA384", true},    {SignatureAlgorithm::rsa_pss_sha512, "SHA512", true},
    {SignatureAlgorithm::ecdsa_sha256, "SHA256", false},     {SignatureAlgorithm::ecdsa_sha384, "SHA384", false},
    {SignatureAlgorithm::ecdsa_sha512, "SHA512", false},     {SignatureAlgorithm::ed25519, nullptr, false},
};

void set_padding(EVP_PKEY_CTX* context, const Algorithm& algorithm) {
  if (!algorithm.pss) return;
  REQUIRE(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1);
  REQUIRE(EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1);
}

bool peer_verifies(EVP_PKEY* key, const Algorithm& algorithm, Bytes message, Bytes signature) {
  const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* inner = nullptr;
  REQUIRE(EVP_DigestVerifyInit_ex(context.get(), &inner, algorithm.hash, nullptr, nullptr, key, nullptr) == 1);
  set_padding(inner, algorithm);
  return EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) == 1;
}

Buffer peer_signs(EVP_PKEY* key, const Algorithm& algorithm, Bytes message) {
  const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* inner = nullptr;
  REQUIRE(EVP_DigestSignInit_ex(context.get(), &inner, algorithm.hash, nullptr, nullptr, key, nullptr) == 1);
  set_padding(inner, algorithm);
  Buffer signature(kSignatureSizeMax);
  size_t size = signature.size();
  REQUIRE(EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) == 1);
  signature.resize(size);
  return signature;
}

/// Signatures of every algorithm that the key has, by us for OpenSSL and the other way round.
void compare_signatures(const PrivateKey& ours, EVP_PKEY* theirs, tests::SeededRng& rng) {
  const auto public_key = PublicKey::parse(crypto::best(), ours.public_key_info());
  REQUIRE(public_key);
  for (const Algorithm& algorithm : kAlgorithms) {
    if (!ours.supports(algorithm.algorithm)) continue;
    INFO("algorithm " << static_cast<int>(algorithm.algorithm));
    const Buffer message = rng.bytes(1 + rng.below(300));
    Buffer signature(ours.signature_size_max());
    const auto size = ours.sign(algorithm.algorithm, rng, message, signature);
    REQUIRE(size);
    CHECK(peer_verifies(theirs, algorithm, message, Bytes(signature).first(*size)));
    CHECK(public_key->verify(algorithm.algorithm, message, peer_signs(theirs, algorithm, message)));
  }
}

Owned<X509> peer_certificate(Bytes der) {
  const uint8_t* at = der.data();
  Owned<X509> certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  REQUIRE(certificate);
  REQUIRE(at == der.data() + der.size());
  REQUIRE(der_of<const X509*>(i2d_X509, certificate.get()) == Buffer(der.begin(), der.end()));
  return certificate;
}

/// OpenSSL's verdict under its strictest rules: X509_V_OK or another.
int peer_verdict(X509* leaf, X509* intermediate, X509* root, const char* host, int64_t time) {
  const Owned<X509_STORE> store(X509_STORE_new());
  const Owned<X509_STORE_CTX> context(X509_STORE_CTX_new());
  STACK_OF(X509)* const untrusted = sk_X509_new_null();
  if (intermediate) sk_X509_push(untrusted, intermediate);
  X509_STORE_add_cert(store.get(), root);
  REQUIRE(X509_STORE_CTX_init(context.get(), store.get(), leaf, untrusted) == 1);
  X509_VERIFY_PARAM* const parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE);
  X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_SERVER);
  X509_VERIFY_PARAM_set_time(parameters, time);
  X509_VERIFY_PARAM_set1_host(parameters, host, 0);
  (void)X509_verify_cert(context.get());
  const int verdict = X509_STORE_CTX_get_error(context.get());
  sk_X509_free(untrusted);
  return verdict;
}

constexpr int64_t kNow = 1'780'000'000;

CertificateRequest request_for(std::string common_name, bool is_ca) {
  return {.common_name = std::move(common_name),
          .not_before = UnixTime::from_seconds(kNow - 100),
          .not_after = UnixTime::from_seconds(kNow + 100),
          .is_ca = is_ca};
}

Certificate parsed(const Result<Buffer>& der) {
  REQUIRE(der);
  auto certificate = Certificate::parse(*der);
  REQUIRE(certificate);
  return std::move(*certificate);
}

TEST_SUITE("openssl_certificate") {
  TEST_CASE("keys that OpenSSL writes, in every form, are read and make signatures that it takes") {
    tests::SeededRng rng(tests::test_seed(20));
    for (const PeerKey& peer : peer_keys()) {
      INFO("type " << static_cast<int>(peer.type));
      EVP_PKEY* const theirs = peer.key.get();
      const Buffer info = der_of<const EVP_PKEY*>(i2d_PUBKEY, theirs);
      std::vector<Result<PrivateKey>> forms;
      forms.push_back(PrivateKey::parse_der(crypto::best(), pkcs8_of(theirs)));
      forms.push_back(PrivateKey::parse_der(crypto::portable(), der_of<const EVP_PKEY*>(i2d_PrivateKey, theirs)));
      forms.push_back(PrivateKey::parse_pem(crypto::best(), pkcs8_pem_of(theirs)));
      if (peer.type != KeyType::ed25519 && peer.type != KeyType::rsa_pss) {  // those have no other form
        forms.push_back(PrivateKey::parse_pem(crypto::best(), traditional_pem_of(theirs)));
      }
      for (const auto& form : forms) {
        REQUIRE(form);
        CHECK(form->type() == peer.type);
        CHECK(std::ranges::equal(form->public_key_info(), info));
        CHECK(form->to_pkcs8() == pkcs8_of(theirs));
      }
      compare_signatures(*forms[0], theirs, rng);
    }
  }

  TEST_CASE("keys that are generated here are keys for OpenSSL") {
    tests::SeededRng rng(tests::test_seed(21));
    for (const KeyType type : {KeyType::ecdsa_p256, KeyType::ecdsa_p384, KeyType::ed25519}) {
      const auto key = PrivateKey::generate(crypto::best(), type, rng);
      REQUIRE(key);
      const Buffer der = key->to_pkcs8();
      const uint8_t* at = der.data();
      const Owned<EVP_PKEY> theirs(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(der.size())));
      REQUIRE(theirs);
      const Owned<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new(theirs.get(), nullptr));
      CHECK(EVP_PKEY_check(context.get()) == 1);
      CHECK(std::ranges::equal(key->public_key_info(), der_of<const EVP_PKEY*>(i2d_PUBKEY, theirs.get())));
      compare_signatures(*key, theirs.get(), rng);
    }
  }

  TEST_CASE("OpenSSL's strict rules find nothing wrong in chains that are made here, whatever the keys") {
    tests::SeededRng rng(tests::test_seed(22));
    std::vector<PrivateKey> keys;
    for (const PeerKey& peer : peer_keys()) {
      auto key = PrivateKey::parse_der(crypto::best(), pkcs8_of(peer.key.get()));
      REQUIRE(key);
      keys.push_back(std::move(*key));
    }
    for (size_t i = 0; i < keys.size(); i++) {
      INFO("key " << i);
      const PrivateKey& root_key = keys[i];
      const PrivateKey& intermediate_key = keys[(i + 1) % keys.size()];
      const PrivateKey& leaf_key = keys[(i + 2) % keys.size()];
      const Certificate root =
          parsed(make_certificate(request_for("Root", true), root_key.public_key_info(), nullptr, root_key, rng));
      CertificateRequest middle = request_for("Intermediate", true);
      middle.path_length = 0;
      middle.permitted_names = {"example.com", "192.0.2.0/24"};
      middle.excluded_names = {"no.example.com", "2001:db8::/32"};
      const Certificate intermediate =
          parsed(make_certificate(middle, intermediate_key.public_key_info(), &root, root_key, rng));
      CertificateRequest last = request_for("", false);
      last.names = {"www.example.com", "*.sub.example.com", "192.0.2.9"};
      const Certificate leaf =
          parsed(make_certificate(last, leaf_key.public_key_info(), &intermediate, intermediate_key, rng));

      const Owned<X509> peer_root = peer_certificate(root.der());
      const Owned<X509> peer_middle = peer_certificate(intermediate.der());
      const Owned<X509> peer_leaf = peer_certificate(leaf.der());
      const auto verdict = [&](const char* host, int64_t time) {
        return peer_verdict(peer_leaf.get(), peer_middle.get(), peer_root.get(), host, time);
      };
      CHECK(verdict("www.example.com", kNow) == X509_V_OK);
      CHECK(verdict("a.sub.example.com", kNow) == X509_V_OK);
      CHECK(verdict("other.example.com", kNow) == X509_V_ERR_HOSTNAME_MISMATCH);
      CHECK(verdict("www.example.com", kNow + 101) == X509_V_ERR_CERT_HAS_EXPIRED);
      CHECK(verdict("www.example.com", kNow - 101) == X509_V_ERR_CERT_NOT_YET_VALID);

      last.names = {"www.no.example.com"};
      const Certificate outside =
          parsed(make_certificate(last, leaf_key.public_key_info(), &intermediate, intermediate_key, rng));
      const Owned<X509> peer_outside = peer_certificate(outside.der());
      CHECK(peer_verdict(peer_outside.get(), peer_middle.get(), peer_root.get(), "www.no.example.com", kNow) ==
            X509_V_ERR_EXCLUDED_VIOLATION);
    }
  }

  TEST_CASE("a self-signed leaf is its own anchor for OpenSSL") {
    tests::SeededRng rng(tests::test_seed(23));
    for (const KeyType type : {KeyType::ecdsa_p256, KeyType::ecdsa_p384, KeyType::ed25519}) {
      const auto key = PrivateKey::generate(crypto::best(), type, rng);
      REQUIRE(key);
      CertificateRequest request = request_for("localhost", false);
      request.names = {"localhost", "127.0.0.1", "::1"};
      const Certificate leaf = parsed(make_certificate(request, key->public_key_info(), nullptr, *key, rng));
      const Owned<X509> theirs = peer_certificate(leaf.der());
      CHECK(peer_verdict(theirs.get(), nullptr, theirs.get(), "localhost", kNow) == X509_V_OK);
      CHECK(X509_check_ip_asc(theirs.get(), "::1", 0) == 1);
      CHECK(X509_check_ip_asc(theirs.get(), "::2", 0) == 0);
    }
  }
}

}  // namespace
}  // namespace quoll::x509
