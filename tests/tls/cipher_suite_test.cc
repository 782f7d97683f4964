// What suites and signature schemes stand for.
#include "tls/cipher_suite.h"

#include <algorithm>

#include <doctest/doctest.h>

namespace quoll::tls {
namespace {

using x509::KeyType;
using x509::SignatureAlgorithm;

TEST_SUITE("cipher suite") {
  TEST_CASE("each suite has its hash, its AEAD and its header protection, in every provider") {
    for (const crypto::Provider& provider : crypto::all()) {
      CHECK(hash_of(provider, CipherSuite::aes_128_gcm_sha256).id == crypto::HashId::sha256);
      CHECK(hash_of(provider, CipherSuite::aes_256_gcm_sha384).id == crypto::HashId::sha384);
      CHECK(hash_of(provider, CipherSuite::chacha20_poly1305_sha256).id == crypto::HashId::sha256);
      CHECK(aead_of(provider, CipherSuite::aes_128_gcm_sha256).id == crypto::AeadId::aes_128_gcm);
      CHECK(aead_of(provider, CipherSuite::aes_256_gcm_sha384).id == crypto::AeadId::aes_256_gcm);
      CHECK(aead_of(provider, CipherSuite::chacha20_poly1305_sha256).id == crypto::AeadId::chacha20_poly1305);
      CHECK(&header_protection_of(provider, CipherSuite::aes_128_gcm_sha256) == provider.header_aes_128);
      CHECK(&header_protection_of(provider, CipherSuite::aes_256_gcm_sha384) == provider.header_aes_256);
      CHECK(&header_protection_of(provider, CipherSuite::chacha20_poly1305_sha256) == provider.header_chacha20);
    }
  }

  TEST_CASE("three suites are supported, and named") {
    int supported = 0;
    for (uint32_t number = 0; number <= 0xffff; number++) supported += is_supported(CipherSuite(number));
    CHECK(supported == 3);
    CHECK(name_of(CipherSuite::aes_256_gcm_sha384) == "TLS_AES_256_GCM_SHA384");
    CHECK(name_of(CipherSuite{0x1304}) == "unknown");
  }

  // RFC 8446 §4.2.3.
  TEST_CASE("a handshake signature wants the scheme's own type of key") {
    CHECK(handshake_algorithm(SignatureScheme::ecdsa_secp256r1_sha256, KeyType::ecdsa_p256) ==
          SignatureAlgorithm::ecdsa_sha256);
    CHECK(handshake_algorithm(SignatureScheme::ecdsa_secp384r1_sha384, KeyType::ecdsa_p384) ==
          SignatureAlgorithm::ecdsa_sha384);
    CHECK(handshake_algorithm(SignatureScheme::ed25519, KeyType::ed25519) == SignatureAlgorithm::ed25519);
    CHECK(handshake_algorithm(SignatureScheme::rsa_pss_rsae_sha512, KeyType::rsa) ==
          SignatureAlgorithm::rsa_pss_sha512);
    CHECK(handshake_algorithm(SignatureScheme::rsa_pss_pss_sha384, KeyType::rsa_pss) ==
          SignatureAlgorithm::rsa_pss_sha384);
    CHECK_FALSE(handshake_algorithm(SignatureScheme::ecdsa_secp256r1_sha256, KeyType::ecdsa_p384));
    CHECK_FALSE(handshake_algorithm(SignatureScheme::ecdsa_secp384r1_sha384, KeyType::ecdsa_p256));
    CHECK_FALSE(handshake_algorithm(SignatureScheme::rsa_pss_rsae_sha256, KeyType::rsa_pss));
    CHECK_FALSE(handshake_algorithm(SignatureScheme::rsa_pss_pss_sha256, KeyType::rsa));
    CHECK_FALSE(handshake_algorithm(SignatureScheme::ed25519, KeyType::rsa));
    CHECK_FALSE(handshake_algorithm(SignatureScheme{0x0a0a}, KeyType::rsa));
  }

  TEST_CASE("PKCS#1 covers certificates, and never a handshake") {
    CHECK(covers(SignatureScheme::rsa_pkcs1_sha256, SignatureAlgorithm::rsa_pkcs1_sha256, KeyType::rsa));
    CHECK_FALSE(covers(SignatureScheme::rsa_pkcs1_sha256, SignatureAlgorithm::rsa_pkcs1_sha384, KeyType::rsa));
    CHECK_FALSE(covers(SignatureScheme::rsa_pkcs1_sha256, SignatureAlgorithm::rsa_pss_sha256, KeyType::rsa));
    for (const SignatureScheme scheme :
         {SignatureScheme::rsa_pkcs1_sha256, SignatureScheme::rsa_pkcs1_sha384, SignatureScheme::rsa_pkcs1_sha512}) {
      CHECK_FALSE(handshake_algorithm(scheme, KeyType::rsa));
    }
  }

  TEST_CASE("a certificate's signature is covered by the scheme of its algorithm and its issuer's key") {
    CHECK(covers(SignatureScheme::ecdsa_secp256r1_sha256, SignatureAlgorithm::ecdsa_sha256, KeyType::ecdsa_p256));
    CHECK_FALSE(covers(SignatureScheme::ecdsa_secp256r1_sha256, SignatureAlgorithm::ecdsa_sha256, KeyType::ecdsa_p384));
    CHECK_FALSE(covers(SignatureScheme::ecdsa_secp256r1_sha256, SignatureAlgorithm::ecdsa_sha384, KeyType::ecdsa_p256));
    CHECK(covers(SignatureScheme::rsa_pss_rsae_sha256, SignatureAlgorithm::rsa_pss_sha256, KeyType::rsa));
    CHECK(covers(SignatureScheme::rsa_pss_pss_sha256, SignatureAlgorithm::rsa_pss_sha256, KeyType::rsa_pss));
    CHECK_FALSE(covers(SignatureScheme{0x0603}, SignatureAlgorithm::ecdsa_sha512, KeyType::ecdsa_p384));
  }

  TEST_CASE("the default schemes are for handshakes, each once") {
    const auto schemes = default_signature_schemes();
    CHECK(schemes.size() == 9);
    for (const SignatureScheme scheme : schemes) {
      CHECK(std::ranges::count(schemes, scheme) == 1);
      bool usable = false;
      for (const KeyType key :
           {KeyType::rsa, KeyType::rsa_pss, KeyType::ecdsa_p256, KeyType::ecdsa_p384, KeyType::ed25519}) {
        usable |= handshake_algorithm(scheme, key).has_value();
      }
      CHECK(usable);
    }
  }
}

}  // namespace
}  // namespace quoll::tls
