#include "tls/cipher_suite.h"

#include "base/check.h"

namespace quoll::tls {

using x509::KeyType;
using x509::SignatureAlgorithm;

namespace {

struct SuiteEntry {
  CipherSuite suite;
  std::string_view name;
  const crypto::HashAlgorithm* crypto::Provider::* hash;
  const crypto::Aead* crypto::Provider::* aead;
  const crypto::HeaderProtection* crypto::Provider::* header_protection;
};

constexpr SuiteEntry kSuites[] = {
    {CipherSuite::aes_128_gcm_sha256, "TLS_AES_128_GCM_SHA256", &crypto::Provider::sha256,
     &crypto::Provider::aes_128_gcm, &crypto::Provider::header_aes_128},
    {CipherSuite::aes_256_gcm_sha384, "TLS_AES_256_GCM_SHA384", &crypto::Provider::sha384,
     &crypto::Provider::aes_256_gcm, &crypto::Provider::header_aes_256},
    {CipherSuite::chacha20_poly1305_sha256, "TLS_CHACHA20_POLY1305_SHA256", &crypto::Provider::sha256,
     &crypto::Provider::chacha20_poly1305, &crypto::Provider::header_chacha20},
};

const SuiteEntry* find(CipherSuite suite) {
  for (const SuiteEntry& entry : kSuites) {
    if (entry.suite == suite) return &entry;
  }
  return nullptr;
}

const SuiteEntry& entry_of(CipherSuite suite) {
  const SuiteEntry* entry = find(suite);
  QUOLL_CHECK(entry != nullptr);
  return *entry;
}

/// A scheme with the algorithm and the type of key that it stands for.
struct SchemeEntry {
  SignatureScheme scheme;
  SignatureAlgorithm algorithm;
  KeyType key;
};

// RFC 8446 §4.2.3. The curve belongs to an ECDSA scheme.
constexpr SchemeEntry kSchemes[] = {
    {SignatureScheme::ecdsa_secp256r1_sha256, SignatureAlgorithm::ecdsa_sha256, KeyType::ecdsa_p256},
    {SignatureScheme::ecdsa_secp384r1_sha384, SignatureAlgorithm::ecdsa_sha384, KeyType::ecdsa_p384},
    {SignatureScheme::ed25519, SignatureAlgorithm::ed25519, KeyType::ed25519},
    {SignatureScheme::rsa_pss_rsae_sha256, SignatureAlgorithm::rsa_pss_sha256, KeyType::rsa},
    {SignatureScheme::rsa_pss_rsae_sha384, SignatureAlgorithm::rsa_pss_sha384, KeyType::rsa},
    {SignatureScheme::rsa_pss_rsae_sha512, SignatureAlgorithm::rsa_pss_sha512, KeyType::rsa},
    {SignatureScheme::rsa_pss_pss_sha256, SignatureAlgorithm::rsa_pss_sha256, KeyType::rsa_pss},
    {SignatureScheme::rsa_pss_pss_sha384, SignatureAlgorithm::rsa_pss_sha384, KeyType::rsa_pss},
    {SignatureScheme::rsa_pss_pss_sha512, SignatureAlgorithm::rsa_pss_sha512, KeyType::rsa_pss},
    {SignatureScheme::rsa_pkcs1_sha256, SignatureAlgorithm::rsa_pkcs1_sha256, KeyType::rsa},
    {SignatureScheme::rsa_pkcs1_sha384, SignatureAlgorithm::rsa_pkcs1_sha384, KeyType::rsa},
    {SignatureScheme::rsa_pkcs1_sha512, SignatureAlgorithm::rsa_pkcs1_sha512, KeyType::rsa},
};

constexpr bool is_pkcs1(SignatureAlgorithm algorithm) {
  return algorithm == SignatureAlgorithm::rsa_pkcs1_sha256 || algorithm == SignatureAlgorithm::rsa_pkcs1_sha384 ||
         algorithm == SignatureAlgorithm::rsa_pkcs1_sha512;
}

// The cheapest to verify and to send first.
constexpr SignatureScheme kDefaultSchemes[] = {
    SignatureScheme::ecdsa_secp256r1_sha256, SignatureScheme::ed25519,
    SignatureScheme::ecdsa_secp384r1_sha384, SignatureScheme::rsa_pss_rsae_sha256,
    SignatureScheme::rsa_pss_rsae_sha384,    SignatureScheme::rsa_pss_rsae_sha512,
    SignatureScheme::rsa_pss_pss_sha256,     SignatureScheme::rsa_pss_pss_sha384,
    SignatureScheme::rsa_pss_pss_sha512,
};

}  // namespace

bool is_supported(CipherSuite suite) { return find(suite) != nullptr; }

const crypto::HashAlgorithm& hash_of(const crypto::Provider& provider, CipherSuite suite) {
  return *(provider.*entry_of(suite).hash);
}

const crypto::Aead& aead_of(const crypto::Provider& provider, CipherSuite suite) {
  return *(provider.*entry_of(suite).aead);
}

const crypto::HeaderProtection& header_protection_of(const crypto::Provider& provider, CipherSuite suite) {
  return *(provider.*entry_of(suite).header_protection);
}

std::string_view name_of(CipherSuite suite) {
  const SuiteEntry* entry = find(suite);
  return entry ? entry->name : "unknown";
}

std::optional<SignatureAlgorithm> handshake_algorithm(SignatureScheme scheme, KeyType key) {
  for (const SchemeEntry& entry : kSchemes) {
    // RFC 8446 §4.4.3: PKCS#1 never in CertificateVerify.
    if (entry.scheme == scheme && entry.key == key && !is_pkcs1(entry.algorithm)) return entry.algorithm;
  }
  return std::nullopt;
}

bool covers(SignatureScheme scheme, SignatureAlgorithm algorithm, KeyType issuer_key) {
  for (const SchemeEntry& entry : kSchemes) {
    if (entry.scheme == scheme) return entry.algorithm == algorithm && entry.key == issuer_key;
  }
  return false;
}

std::span<const SignatureScheme> default_signature_schemes() { return kDefaultSchemes; }

}  // namespace quoll::tls
