// X25519 and Ed25519 against the system's OpenSSL.
#include <openssl/evp.h>

#include "tests/crypto/curve25519_support.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::crypto;

TEST_CASE("X25519 agrees with OpenSSL") {
  const uint64_t seed = tests::test_seed(10);
  INFO("seed ", seed);
  tests::SeededRng rng(seed);
  for (int i = 0; i < 60; i++) {
    const auto key = rng.bytes(32), peer = rng.bytes(32);
    EVP_PKEY* theirs = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, key.data(), 32);
    EVP_PKEY* their_peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, peer.data(), 32);
    std::vector<uint8_t> expected_public(32), expected(32);
    size_t size = 32;
    REQUIRE(EVP_PKEY_get_raw_public_key(theirs, expected_public.data(), &size) == 1);
    EVP_PKEY_CTX* context = EVP_PKEY_CTX_new(theirs, nullptr);
    REQUIRE(EVP_PKEY_derive_init(context) == 1);
    REQUIRE(EVP_PKEY_derive_set_peer(context, their_peer) == 1);
    REQUIRE(EVP_PKEY_derive(context, expected.data(), &size) == 1);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(theirs);
    EVP_PKEY_free(their_peer);
    for (const Group* x25519 : tests::x25519_implementations()) {
      INFO(x25519->implementation);
      std::vector<uint8_t> derived(32), shared(32);
      REQUIRE(derive_public(*x25519, key, derived));
      CHECK(derived == expected_public);
      REQUIRE(agree(*x25519, key, peer, shared));
      CHECK(shared == expected);
    }
  }
}

TEST_CASE("Ed25519 agrees with OpenSSL") {
  const uint64_t seed_of_run = tests::test_seed(11);
  INFO("seed ", seed_of_run);
  tests::SeededRng rng(seed_of_run);
  for (size_t i = 0; i < 40; i++) {
    const auto seed = rng.bytes(32), message = rng.bytes(i * 7);
    EVP_PKEY* theirs = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), 32);
    std::vector<uint8_t> expected_public(32), expected(64);
    size_t size = 32;
    REQUIRE(EVP_PKEY_get_raw_public_key(theirs, expected_public.data(), &size) == 1);
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    REQUIRE(EVP_DigestSignInit(context, nullptr, nullptr, nullptr, theirs) == 1);
    size = 64;
    REQUIRE(EVP_DigestSign(context, expected.data(), &size, message.data(), message.size()) == 1);
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(theirs);
    for (const Ed25519* ed25519 : tests::ed25519_implementations()) {
      INFO(ed25519->implementation);
      std::vector<uint8_t> derived(32), signature(64);
      REQUIRE(ed25519_public_key(*ed25519, *best().sha512, seed, derived));
      CHECK(derived == expected_public);
      REQUIRE(ed25519_sign(*ed25519, *best().sha512, seed, derived, message, signature));
      CHECK(signature == expected);
      CHECK(ed25519_verify(*ed25519, *best().sha512, derived, message, expected));
    }
  }
}
