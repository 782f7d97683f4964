// X25519 and Ed25519 beside OpenSSL's EVP, whose keys and contexts are made beforehand.
#include <openssl/evp.h>

#include <array>
#include <memory>

#include "base/check.h"
#include "bench/crypto_families.h"

namespace quoll::bench {
namespace {

template <auto kFree>
struct Freer {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freer<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Freer<EVP_MD_CTX_free>>;

constexpr uint8_t kSeed[32] = {1, 2, 3, 4, 5, 6, 7, 8};

void bench_x25519(Table& table, const crypto::Group& x25519) {
  uint8_t public_key[32], shared[32], peer[32];
  QUOLL_CHECK(x25519.public_key(kSeed, peer));
  // OpenSSL's key generation is its multiplication of the base point and 32 random bytes (some 0.3 us).
  const KeyContext generator(EVP_PKEY_CTX_new_id(EVP_PKEY_X25519, nullptr));
  QUOLL_CHECK(EVP_PKEY_keygen_init(generator.get()) == 1);
  table.row(
      "X25519 base point", x25519.implementation, 0,
      [&] {
        x25519.public_key(kSeed, public_key);
        keep(public_key);
      },
      [&] {
        EVP_PKEY* key = nullptr;
        QUOLL_CHECK(EVP_PKEY_keygen(generator.get(), &key) == 1);
        EVP_PKEY_free(key);
      });
  const Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, kSeed, 32));
  const Key peer_key(EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, peer, 32));
  const KeyContext context(EVP_PKEY_CTX_new(key.get(), nullptr));
  QUOLL_CHECK(EVP_PKEY_derive_init(context.get()) == 1);
  QUOLL_CHECK(EVP_PKEY_derive_set_peer(context.get(), peer_key.get()) == 1);
  table.row(
      "X25519 shared secret", x25519.implementation, 0,
      [&] {
        x25519.agree(kSeed, peer, shared);
        keep(shared);
      },
      [&] {
        size_t size = sizeof shared;
        QUOLL_CHECK(EVP_PKEY_derive(context.get(), shared, &size) == 1);
      });
}

void bench_ed25519(Table& table, const crypto::Ed25519& ed25519, const crypto::HashAlgorithm& sha512) {
  uint8_t public_key[32], signature[64];
  const std::array<uint8_t, 64> message{42};
  ed25519.public_key(sha512, kSeed, public_key);
  ed25519.sign(sha512, kSeed, public_key, message, signature);
  const Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, kSeed, 32));
  const DigestContext signer(EVP_MD_CTX_new()), verifier(EVP_MD_CTX_new());
  QUOLL_CHECK(EVP_DigestSignInit(signer.get(), nullptr, nullptr, nullptr, key.get()) == 1);
  QUOLL_CHECK(EVP_DigestVerifyInit(verifier.get(), nullptr, nullptr, nullptr, key.get()) == 1);
  table.row(
      "Ed25519 sign 64 B", ed25519.implementation, 0,
      [&] {
        ed25519.sign(sha512, kSeed, public_key, message, signature);
        keep(signature);
      },
      [&] {
        size_t size = sizeof signature;
        QUOLL_CHECK(EVP_DigestSign(signer.get(), signature, &size, message.data(), message.size()) == 1);
      });
  table.row(
      "Ed25519 verify 64 B", ed25519.implementation, 0,
      [&] { QUOLL_CHECK(ed25519.verify(sha512, public_key, message, signature)); },
      [&] { QUOLL_CHECK(EVP_DigestVerify(verifier.get(), signature, 64, message.data(), message.size()) == 1); });
}

}  // namespace

void bench_curves25519(Table& table, const crypto::Provider& provider) {
  if (provider.x25519) bench_x25519(table, *provider.x25519);
  if (provider.ed25519) bench_ed25519(table, *provider.ed25519, *provider.sha512);
}

}  // namespace quoll::bench
