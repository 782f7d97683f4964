// Every AEAD implementation beside OpenSSL's, at random sizes.
#include <openssl/evp.h>

#include <memory>
#include <vector>

#include "crypto/provider.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

namespace quoll::crypto {
namespace {

std::vector<uint8_t> openssl_seal(const EVP_CIPHER* cipher, Bytes key, const Nonce& nonce, Bytes aad, Bytes plaintext) {
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(EVP_CIPHER_CTX_new(),
                                                                                EVP_CIPHER_CTX_free);
  std::vector<uint8_t> out(plaintext.size() + kAeadTagSize);
  int size = 0;
  REQUIRE(EVP_EncryptInit_ex(context.get(), cipher, nullptr, key.data(), nonce.data()) == 1);
  REQUIRE(EVP_EncryptUpdate(context.get(), nullptr, &size, aad.data(), static_cast<int>(aad.size())) == 1);
  REQUIRE(EVP_EncryptUpdate(context.get(), out.data(), &size, plaintext.data(), static_cast<int>(plaintext.size())) ==
          1);
  REQUIRE(EVP_EncryptFinal_ex(context.get(), out.data() + size, &size) == 1);
  REQUIRE(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kAeadTagSize, out.data() + plaintext.size()) == 1);
  return out;
}

TEST_CASE("every AEAD implementation seals as OpenSSL does, at every length from 0 to 4096 and at some beyond") {
  const uint64_t seed = tests::test_seed(11);
  CAPTURE(seed);
  for (const Provider& provider : all()) {
    for (const auto& [aead, cipher] :
         {std::pair{provider.aes_128_gcm, EVP_aes_128_gcm()}, std::pair{provider.aes_256_gcm, EVP_aes_256_gcm()},
          std::pair{provider.chacha20_poly1305, EVP_chacha20_poly1305()}}) {
      CAPTURE(provider.name);
      REQUIRE(aead);
      CAPTURE(aead->name);
      tests::SeededRng rng(seed);
      for (size_t size = 0; size <= 4096; size++) {
        const auto material = rng.bytes(aead->key_size);
        const auto plaintext = rng.bytes(size % 500 == 3 ? 10 * size : size);
        const auto aad = rng.bytes(rng.below(100));
        Nonce nonce;
        rng.fill(nonce);
        auto key = AeadKey::create(*aead, material);
        std::vector<uint8_t> sealed(plaintext.size() + kAeadTagSize);
        REQUIRE(key->seal(nonce, aad, plaintext, sealed));
        REQUIRE(sealed == openssl_seal(cipher, material, nonce, aad, plaintext));
      }
    }
  }
}

}  // namespace
}  // namespace quoll::crypto
