// RSA: PSS signing and verification, PKCS#1 v1.5 verification, and what preparing a public key costs, on digests.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "bench/crypto_families.h"
#include "crypto/der.h"
#include "tests/support/random.h"

namespace quoll::bench {
namespace {

using namespace crypto;

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeContext {
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_PKEY_CTX, FreeContext>;

void require(bool fine, const char* what) {
  if (fine) return;
  std::fprintf(stderr, "crypto_bench: RSA: %s failed\n", what);
  std::exit(1);
}

/// OpenSSL's context for signing or verifying digests with a key, ready to be used many times.
Context make_context(EVP_PKEY* key, int (*init)(EVP_PKEY_CTX*), int padding) {
  Context context(EVP_PKEY_CTX_new(key, nullptr));
  require(init(context.get()) == 1 && EVP_PKEY_CTX_set_rsa_padding(context.get(), padding) == 1 &&
              EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256()) == 1,
          "OpenSSL's context");
  if (padding == RSA_PKCS1_PSS_PADDING) {
    require(EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), RSA_PSS_SALTLEN_DIGEST) == 1, "OpenSSL's context");
  }
  return context;
}

void bench_size(Table& table, const Provider& provider, int bits) {
  const std::string name = "rsa-" + std::to_string(bits);
  constexpr const char* kRows[] = {" pss sign", " pss verify", " pkcs1 verify", " load key, pkcs1 verify"};
  if (std::ranges::none_of(kRows, [&](const char* row) { return table.wants(name + row); })) return;
  const std::unique_ptr<EVP_PKEY, FreeKey> peer_key(EVP_RSA_gen(static_cast<unsigned>(bits)));
  require(peer_key != nullptr, "generating a key");
  std::vector<uint8_t> der(static_cast<size_t>(i2d_PrivateKey(peer_key.get(), nullptr)));
  uint8_t* end = der.data();
  i2d_PrivateKey(peer_key.get(), &end);

  const auto key = RsaPrivateKey::parse(*provider.rsa, der);
  require(key.has_value(), "parsing the key");
  const HashAlgorithm& sha256 = *provider.sha256;
  const std::string_view implementation = provider.rsa->implementation;
  tests::SeededRng rng(1);
  const std::vector<uint8_t> digest = rng.bytes(32);
  std::vector<uint8_t> pss(key->public_key().modulus_size()), pkcs1(pss.size()), peer_signature(pss.size());
  require(key->sign_pss(sha256, rng, digest, pss).has_value(), "signing");
  require(key->sign_pkcs1(sha256, rng, digest, pkcs1).has_value(), "signing");

  const Context pss_sign = make_context(peer_key.get(), EVP_PKEY_sign_init, RSA_PKCS1_PSS_PADDING);
  const Context pss_verify = make_context(peer_key.get(), EVP_PKEY_verify_init, RSA_PKCS1_PSS_PADDING);
  const Context pkcs1_verify = make_context(peer_key.get(), EVP_PKEY_verify_init, RSA_PKCS1_PADDING);

  table.row(
      name + kRows[0], implementation, 0,
      [&] { require(key->sign_pss(sha256, rng, digest, pss).has_value(), "signing"); },
      [&] {
        size_t size = peer_signature.size();
        require(EVP_PKEY_sign(pss_sign.get(), peer_signature.data(), &size, digest.data(), digest.size()) == 1,
                "OpenSSL's signing");
      });
  table.row(
      name + kRows[1], implementation, 0,
      [&] { require(key->public_key().verify_pss(sha256, digest, pss).has_value(), "verifying"); },
      [&] {
        require(EVP_PKEY_verify(pss_verify.get(), pss.data(), pss.size(), digest.data(), digest.size()) == 1,
                "OpenSSL's verifying");
      });
  table.row(
      name + kRows[2], implementation, 0,
      [&] { require(key->public_key().verify_pkcs1(sha256, digest, pkcs1).has_value(), "verifying"); },
      [&] {
        require(EVP_PKEY_verify(pkcs1_verify.get(), pkcs1.data(), pkcs1.size(), digest.data(), digest.size()) == 1,
                "OpenSSL's verifying");
      });

  // A certificate's key is used once: the preparation counts. OpenSSL's is part of its first verification.
  DerReader reader(der);
  DerReader sequence = reader.enter(DerTag::sequence);
  sequence.read_small_integer();
  const Bytes modulus = *sequence.read_unsigned_integer();
  const Bytes exponent = *sequence.read_unsigned_integer();
  std::vector<uint8_t> info(static_cast<size_t>(i2d_PUBKEY(peer_key.get(), nullptr)));
  end = info.data();
  i2d_PUBKEY(peer_key.get(), &end);
  table.row(
      name + kRows[3], implementation, 0,
      [&] {
        const auto once = RsaPublicKey::create(*provider.rsa, modulus, exponent);
        require(once && once->verify_pkcs1(sha256, digest, pkcs1), "verifying");
      },
      [&] {
        const uint8_t* start = info.data();
        const std::unique_ptr<EVP_PKEY, FreeKey> once(d2i_PUBKEY(nullptr, &start, static_cast<long>(info.size())));
        const Context context = make_context(once.get(), EVP_PKEY_verify_init, RSA_PKCS1_PADDING);
        require(EVP_PKEY_verify(context.get(), pkcs1.data(), pkcs1.size(), digest.data(), digest.size()) == 1,
                "OpenSSL's verifying");
      });
}

}  // namespace

void bench_rsa(Table& table, const crypto::Provider& provider) {
  for (const int bits : {2048, 3072, 4096}) bench_size(table, provider, bits);
}

}  // namespace quoll::bench
