// SHA-2, SHA3-256, HMAC-SHA256 and HKDF-Expand-Label, beside OpenSSL's EVP interface.
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <memory>

#include "base/check.h"
#include "bench/crypto_families.h"
#include "crypto/hkdf.h"
#include "crypto/hmac.h"

namespace quoll::bench {
namespace {

using namespace quoll::crypto;

template <auto release>
struct Release {
  template <class T>
  void operator()(T* object) const {
    release(object);
  }
};
template <class T, auto release>
using Owned = std::unique_ptr<T, Release<release>>;

void bench_digest(Table& table, const HashAlgorithm& algorithm, const char* peer, size_t size) {
  const std::vector<uint8_t> message(size, 0x33);
  // Fetched once: the EVP_sha256() of old looks its implementation up in each call.
  const Owned<EVP_MD, EVP_MD_free> fetched(EVP_MD_fetch(nullptr, peer, nullptr));
  const Owned<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
  QUOLL_CHECK(fetched && context);
  table.row(
      std::string(algorithm.name) + " " + std::to_string(size), algorithm.implementation, size,
      [&] { keep(hash(algorithm, message)); },
      [&] {
        uint8_t digest[EVP_MAX_MD_SIZE];
        QUOLL_CHECK(EVP_DigestInit_ex2(context.get(), fetched.get(), nullptr) == 1);
        QUOLL_CHECK(EVP_DigestUpdate(context.get(), message.data(), message.size()) == 1);
        QUOLL_CHECK(EVP_DigestFinal_ex(context.get(), digest, nullptr) == 1);
        keep(digest);
      });
}

char kSha256Name[] = "SHA256";

/// A MAC of 32 bytes under a new key, as a key schedule makes them.
void bench_hmac(Table& table, const HashAlgorithm& algorithm) {
  const std::vector<uint8_t> key(32, 0x42), message(32, 0x33);
  const Owned<EVP_MAC, EVP_MAC_free> fetched(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
  const Owned<EVP_MAC_CTX, EVP_MAC_CTX_free> context(EVP_MAC_CTX_new(fetched.get()));
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, kSha256Name, 0),
                                   OSSL_PARAM_construct_end()};
  QUOLL_CHECK(context && EVP_MAC_CTX_set_params(context.get(), parameters) == 1);
  const auto peer = [&](const uint8_t* peer_key, size_t key_size) {
    uint8_t code[EVP_MAX_MD_SIZE];
    size_t size = 0;
    QUOLL_CHECK(EVP_MAC_init(context.get(), peer_key, key_size, nullptr) == 1);
    QUOLL_CHECK(EVP_MAC_update(context.get(), message.data(), message.size()) == 1);
    QUOLL_CHECK(EVP_MAC_final(context.get(), code, &size, sizeof code) == 1);
    keep(code);
  };
  table.row(
      "HMAC-SHA-256 32, new key", algorithm.implementation, 0, [&] { keep(hmac(algorithm, key, message)); },
      [&] { peer(key.data(), key.size()); });
  const Hmac prepared(algorithm, key);
  table.row(
      "HMAC-SHA-256 32, prepared key", algorithm.implementation, 0,
      [&] {
        Hmac running = prepared;
        keep(running.update(message).digest());
      },
      [&] { peer(nullptr, 0); });
}

void bench_expand_label(Table& table, const HashAlgorithm& algorithm) {
  std::vector<uint8_t> secret(32, 0x42), context(32, 0x33), out(32);
  // OpenSSL's own form of the same function; its label comes in two parts.
  const Owned<EVP_KDF, EVP_KDF_free> fetched(EVP_KDF_fetch(nullptr, "TLS13-KDF", nullptr));
  const Owned<EVP_KDF_CTX, EVP_KDF_CTX_free> kdf(EVP_KDF_CTX_new(fetched.get()));
  QUOLL_CHECK(kdf);
  char prefix[] = "tls13 ", label[] = "c hs traffic";
  int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, kSha256Name, 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, secret.data(), secret.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PREFIX, prefix, sizeof prefix - 1),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_LABEL, label, sizeof label - 1),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_DATA, context.data(), context.size()),
      OSSL_PARAM_construct_end(),
  };
  std::vector<uint8_t> peer_out(32);
  table.row(
      "HKDF-Expand-Label 32", algorithm.implementation, 0,
      [&] {
        QUOLL_CHECK(hkdf_expand_label(algorithm, secret, "c hs traffic", context, out));
        keep(out);
      },
      [&] { QUOLL_CHECK(EVP_KDF_derive(kdf.get(), peer_out.data(), peer_out.size(), parameters) == 1); });
  QUOLL_CHECK(peer_out == out);  // the same work was measured
}

}  // namespace

void bench_hash(Table& table, const Provider& provider) {
  for (const size_t size : {64, 1350, 16384}) bench_digest(table, *provider.sha256, "SHA256", size);
  for (const size_t size : {64, 1350, 16384}) bench_digest(table, *provider.sha384, "SHA384", size);
  for (const size_t size : {64, 1350, 16384}) bench_digest(table, *provider.sha512, "SHA512", size);
  if (provider.sha3_256) bench_digest(table, *provider.sha3_256, "SHA3-256", 1350);
  bench_hmac(table, *provider.sha256);
  bench_expand_label(table, *provider.sha256);
}

}  // namespace quoll::bench
