// P-256 and P-384 beside OpenSSL's EVP: signatures of a digest, verification, key generation (without the drawing of
// the key), agreement. Our signatures derive an RFC 6979 nonce; OpenSSL's draw a random one. Neither side may keep
// state of a key between calls except what its key object holds: ours are bytes.
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <vector>

#include "bench/crypto_families.h"
#include "crypto/ecdsa.h"
#include "crypto/group.h"

namespace quoll::bench {
namespace {

using crypto::Ecdsa;
using crypto::Group;
using crypto::HashAlgorithm;

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
};
using Key = std::unique_ptr<EVP_PKEY, Free>;
using Context = std::unique_ptr<EVP_PKEY_CTX, Free>;

void require(bool condition) {
  if (!condition) std::abort();
}

Key make_key(const char* curve) {
  Key key(EVP_EC_gen(curve));
  require(key != nullptr);
  return key;
}

std::vector<uint8_t> public_bytes(EVP_PKEY* key) {
  std::vector<uint8_t> bytes(crypto::kPublicKeySizeMax);
  size_t size = 0;
  require(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, bytes.data(), bytes.size(), &size) ==
          1);
  bytes.resize(size);
  return bytes;
}

std::vector<uint8_t> private_bytes(EVP_PKEY* key, size_t size) {
  BIGNUM* number = nullptr;
  require(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &number) == 1);
  std::vector<uint8_t> bytes(size);
  require(BN_bn2binpad(number, bytes.data(), static_cast<int>(size)) == static_cast<int>(size));
  BN_clear_free(number);
  return bytes;
}

Context made(EVP_PKEY_CTX* context, int (*init)(EVP_PKEY_CTX*)) {
  require(context != nullptr && init(context) == 1);
  return Context(context);
}

void bench_signatures(Table& table, const Ecdsa& ecdsa, const HashAlgorithm& hash, const char* curve) {
  const std::string name(ecdsa.name);
  const Key key = make_key(curve);
  const std::vector<uint8_t> private_key = private_bytes(key.get(), ecdsa.scalar_size);
  const std::vector<uint8_t> public_key = public_bytes(key.get());
  const std::vector<uint8_t> digest(hash.digest_size, 0x5a);

  const Context signing = made(EVP_PKEY_CTX_new(key.get(), nullptr), EVP_PKEY_sign_init);
  const Context verifying = made(EVP_PKEY_CTX_new(key.get(), nullptr), EVP_PKEY_verify_init);
  std::array<uint8_t, crypto::kEcdsaSignatureSizeMax> ours, theirs;
  size_t their_size = theirs.size();
  require(EVP_PKEY_sign(signing.get(), theirs.data(), &their_size, digest.data(), digest.size()) == 1);
  const std::vector<uint8_t> signature(theirs.begin(), theirs.begin() + static_cast<ptrdiff_t>(their_size));

  table.row(
      "ecdsa " + name + " sign", ecdsa.implementation, 0,
      [&] { require(crypto::ecdsa_sign(ecdsa, hash, private_key, digest, ours).has_value()); },
      [&] {
        size_t size = theirs.size();
        require(EVP_PKEY_sign(signing.get(), theirs.data(), &size, digest.data(), digest.size()) == 1);
      });
  table.row(
      "ecdsa " + name + " verify", ecdsa.implementation, 0,
      [&] { require(crypto::ecdsa_verify(ecdsa, public_key, digest, signature).has_value()); },
      [&] {
        require(EVP_PKEY_verify(verifying.get(), signature.data(), signature.size(), digest.data(), digest.size()) ==
                1);
      });
}

void bench_agreement(Table& table, const Group& group, const char* curve) {
  const std::string name(group.name);
  const Key key = make_key(curve);
  const Key peer = make_key(curve);
  const std::vector<uint8_t> private_key = private_bytes(key.get(), group.private_key_size);
  const std::vector<uint8_t> peer_public_key = public_bytes(peer.get());
  std::array<uint8_t, crypto::kPublicKeySizeMax> out;

  const Context generating = made(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr), EVP_PKEY_keygen_init);
  require(EVP_PKEY_CTX_set_group_name(generating.get(), curve) == 1);
  const Context deriving = made(EVP_PKEY_CTX_new(key.get(), nullptr), EVP_PKEY_derive_init);
  require(EVP_PKEY_derive_set_peer(deriving.get(), peer.get()) == 1);

  table.row(
      "ecdh " + name + " keygen", group.implementation, 0,
      [&] { require(group.public_key(private_key.data(), out.data())); },
      [&] {
        EVP_PKEY* generated = nullptr;
        require(EVP_PKEY_generate(generating.get(), &generated) == 1);
        EVP_PKEY_free(generated);
      });
  table.row(
      "ecdh " + name + " agree", group.implementation, 0,
      [&] { require(group.agree(private_key.data(), peer_public_key.data(), out.data())); },
      [&] {
        size_t size = out.size();
        require(EVP_PKEY_derive(deriving.get(), out.data(), &size) == 1);
      });
}

}  // namespace

void bench_nist_curves(Table& table, const crypto::Provider& provider) {
  bench_signatures(table, *provider.ecdsa_p256, *provider.sha256, "P-256");
  bench_agreement(table, *provider.p256, "P-256");
  bench_signatures(table, *provider.ecdsa_p384, *provider.sha384, "P-384");
  bench_agreement(table, *provider.p384, "P-384");
}

}  // namespace quoll::bench
