// SHA-2, SHA-3 and HMAC against OpenSSL.
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "crypto/hmac.h"
#include "tests/crypto/hash_support.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

namespace {

using namespace quoll;
using namespace quoll::crypto;
using namespace quoll::tests;
using namespace quoll::tests::hashes;

const EVP_MD* openssl_hash(HashId id) {
  switch (id) {
    case HashId::sha256:
      return EVP_sha256();
    case HashId::sha384:
      return EVP_sha384();
    case HashId::sha512:
      return EVP_sha512();
    case HashId::sha3_256:
      return EVP_sha3_256();
    case HashId::sha3_512:
      return EVP_sha3_512();
  }
  return nullptr;
}

std::string openssl_digest(HashId id, Bytes message) {
  uint8_t digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  REQUIRE(EVP_Digest(message.data(), message.size(), digest, &size, openssl_hash(id), nullptr) == 1);
  return hex({digest, size});
}

}  // namespace

TEST_SUITE("hash") {
  TEST_CASE("every implementation agrees with OpenSSL at every length from 0 to 4096") {
    SeededRng rng(test_seed(1));
    const auto message = rng.bytes(4096);
    for (const HashAlgorithm* algorithm : runnable()) {
      CAPTURE(algorithm->name);
      CAPTURE(algorithm->implementation);
      for (size_t length = 0; length <= message.size(); length++) {
        const Bytes part = Bytes(message).first(length);
        CHECK(hex(hash(*algorithm, part)) == openssl_digest(algorithm->id, part));
      }
    }
  }

  TEST_CASE("every implementation agrees with OpenSSL on messages of up to 20000 bytes") {
    const uint64_t seed = test_seed(2);
    INFO("QUOLL_TEST_SEED=" << seed);
    SeededRng rng(seed);
    const auto message = rng.bytes(20000);
    for (const HashAlgorithm* algorithm : runnable()) {
      CAPTURE(algorithm->name);
      CAPTURE(algorithm->implementation);
      for (int round = 0; round < 30; round++) {
        const Bytes part = Bytes(message).first(rng.below(message.size() + 1));
        CHECK(hex(hash(*algorithm, part)) == openssl_digest(algorithm->id, part));
      }
    }
  }

  TEST_CASE("HMAC agrees with OpenSSL") {
    SeededRng rng(test_seed(3));
    for (const HashAlgorithm* algorithm : runnable()) {
      CAPTURE(algorithm->name);
      CAPTURE(algorithm->implementation);
      for (size_t key_size = 1; key_size < 300; key_size += 7) {
        const auto key = rng.bytes(key_size);
        const auto message = rng.bytes(rng.below(500));
        uint8_t code[EVP_MAX_MD_SIZE];
        unsigned size = 0;
        REQUIRE(HMAC(openssl_hash(algorithm->id), key.data(), static_cast<int>(key.size()), message.data(),
                     message.size(), code, &size) != nullptr);
        CHECK(hex(hmac(*algorithm, key, message)) == hex({code, size}));
      }
    }
  }
}
