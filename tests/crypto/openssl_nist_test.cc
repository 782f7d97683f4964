// P-256 and P-384 against OpenSSL: keys, agreements and signatures, both ways.
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

#include <memory>

#include "crypto/ecdsa.h"
#include "crypto/group.h"
#include "tests/crypto/nist_support.h"

namespace quoll::crypto::tests {
namespace {

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
};
using OpenSslKey = std::unique_ptr<EVP_PKEY, Free>;
using Context = std::unique_ptr<EVP_PKEY_CTX, Free>;

Buffer public_bytes(EVP_PKEY* key) {
  Buffer bytes(kPublicKeySizeMax);
  size_t size = 0;
  REQUIRE(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, bytes.data(), bytes.size(), &size) ==
          1);
  bytes.resize(size);
  return bytes;
}

Buffer private_bytes(EVP_PKEY* key, size_t size) {
  BIGNUM* number = nullptr;
  REQUIRE(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &number) == 1);
  Buffer bytes(size);
  REQUIRE(BN_bn2binpad(number, bytes.data(), static_cast<int>(size)) == static_cast<int>(size));
  BN_free(number);
  return bytes;
}

Buffer derive(EVP_PKEY* key, EVP_PKEY* peer) {
  const Context context(EVP_PKEY_CTX_new(key, nullptr));
  Buffer secret(kSharedSecretSizeMax);
  size_t size = secret.size();
  REQUIRE(EVP_PKEY_derive_init(context.get()) == 1);
  REQUIRE(EVP_PKEY_derive_set_peer(context.get(), peer) == 1);
  REQUIRE(EVP_PKEY_derive(context.get(), secret.data(), &size) == 1);
  secret.resize(size);
  return secret;
}

void check_agreements(GroupId id, const char* curve, int count) {
  for (int i = 0; i < count; i++) {
    const OpenSslKey a(EVP_EC_gen(curve)), b(EVP_EC_gen(curve));
    const Buffer expected = derive(a.get(), b.get());
    for (const Group* group : runnable(&Catalogue::groups, id)) {
      INFO(group->implementation);
      const Buffer private_key = private_bytes(a.get(), group->private_key_size);
      Buffer public_key(group->public_key_size), secret(group->shared_secret_size);
      REQUIRE(group->public_key(private_key.data(), public_key.data()));
      REQUIRE(public_key == public_bytes(a.get()));
      REQUIRE(group->agree(private_key.data(), public_bytes(b.get()).data(), secret.data()));
      REQUIRE(secret == expected);
    }
  }
}

void check_signatures(EcdsaId id, const char* curve, int count) {
  quoll::tests::SeededRng rng(quoll::tests::test_seed(0x0551));
  for (int i = 0; i < count; i++) {
    const OpenSslKey key(EVP_EC_gen(curve));
    const Context context(EVP_PKEY_CTX_new(key.get(), nullptr));
    const Buffer digest = rng.bytes(size_t{20} + static_cast<size_t>(i) % 45);
    Buffer theirs(kEcdsaSignatureSizeMax);
    size_t their_size = theirs.size();
    REQUIRE(EVP_PKEY_sign_init(context.get()) == 1);
    REQUIRE(EVP_PKEY_sign(context.get(), theirs.data(), &their_size, digest.data(), digest.size()) == 1);
    theirs.resize(their_size);
    REQUIRE(EVP_PKEY_verify_init(context.get()) == 1);
    for (const Ecdsa* ecdsa : runnable(&Catalogue::ecdsas, id)) {
      INFO(ecdsa->implementation << " digest of " << digest.size());
      REQUIRE(ecdsa_verify(*ecdsa, public_bytes(key.get()), digest, theirs).has_value());
      Buffer ours(kEcdsaSignatureSizeMax);
      const Buffer private_key = private_bytes(key.get(), ecdsa->scalar_size);
      const Result<size_t> size = ecdsa_sign(*ecdsa, *best().sha256, private_key, digest, ours);
      REQUIRE(size.has_value());
      REQUIRE(EVP_PKEY_verify(context.get(), ours.data(), *size, digest.data(), digest.size()) == 1);
    }
  }
}

TEST_SUITE("nist curves and openssl") {
  TEST_CASE("public keys and shared secrets are OpenSSL's") {
    check_agreements(GroupId::p256, "P-256", 24);
    check_agreements(GroupId::p384, "P-384", 12);
  }

  TEST_CASE("each verifies the other's signatures, for digests of any length") {
    check_signatures(EcdsaId::p256, "P-256", 45);
    check_signatures(EcdsaId::p384, "P-384", 45);
  }
}

}  // namespace
}  // namespace quoll::crypto::tests
