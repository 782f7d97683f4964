// SHA-3 and SHAKE beside OpenSSL, at every length up to a few blocks.
#include <openssl/evp.h>

#include "tests/crypto/sha3_support.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

namespace quoll::tests {
namespace {

using namespace crypto;

std::vector<uint8_t> openssl_digest(const EVP_MD* algorithm, Bytes message, size_t size, bool extendable) {
  std::vector<uint8_t> out(size);
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_DigestInit_ex(context, algorithm, nullptr);
  EVP_DigestUpdate(context, message.data(), message.size());
  if (extendable) {
    EVP_DigestFinalXOF(context, out.data(), size);
  } else {
    EVP_DigestFinal_ex(context, out.data(), nullptr);
  }
  EVP_MD_CTX_free(context);
  return out;
}

TEST_CASE("SHA3-256 and SHA3-512 agree with OpenSSL at every length from 0 to 300") {
  SeededRng rng(1);
  const auto bytes = rng.bytes(300);
  for (size_t length = 0; length <= bytes.size(); length++) {
    const Bytes message = Bytes(bytes).first(length);
    CAPTURE(length);
    for (const HashAlgorithm* algorithm : sha3_implementations(HashId::sha3_256)) {
      CHECK(sha3_digest(*algorithm, message) == openssl_digest(EVP_sha3_256(), message, 32, false));
    }
    for (const HashAlgorithm* algorithm : sha3_implementations(HashId::sha3_512)) {
      CHECK(sha3_digest(*algorithm, message) == openssl_digest(EVP_sha3_512(), message, 64, false));
    }
  }
}

TEST_CASE("SHAKE128 and SHAKE256 agree with OpenSSL at every length of input and output from 0 to 300") {
  SeededRng rng(2);
  const auto bytes = rng.bytes(300);
  for (size_t length = 0; length <= bytes.size(); length++) {
    const Bytes message = Bytes(bytes).first(length);
    const size_t out_size = 1 + (length * 7) % 400;
    CAPTURE(length);
    for (const Keccak* keccak : keccaks()) {
      CHECK(squeezed(Shake::shake128(*keccak).absorb(message), out_size) ==
            openssl_digest(EVP_shake128(), message, out_size, true));
      CHECK(squeezed(Shake::shake256(*keccak).absorb(message), out_size) ==
            openssl_digest(EVP_shake256(), message, out_size, true));
    }
  }
}

}  // namespace
}  // namespace quoll::tests
