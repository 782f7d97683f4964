// RSA beside OpenSSL: keys of many sizes made by it, its signatures verified here and ours there.
#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <thread>

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "crypto/der.h"
#include "tests/crypto/rsa_kernels.h"
#include "tests/support/random.h"

using namespace quoll;
using namespace quoll::crypto;
using quoll::tests::all_rsa_kernels;
using quoll::tests::SeededRng;
using quoll::tests::test_seed;
using ByteString = std::vector<uint8_t>;

namespace {

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
  void operator()(BIGNUM* number) const { BN_free(number); }
  void operator()(BN_CTX* context) const { BN_CTX_free(context); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

Owned<EVP_PKEY> generate_key(unsigned bits) {
  EVP_PKEY* key = EVP_RSA_gen(bits);
  REQUIRE(key != nullptr);
  return Owned<EVP_PKEY>(key);
}

/// A key of primes of these sizes, which OpenSSL's own generator would not choose, with a modulus of all their bits.
Owned<EVP_PKEY> assemble_key(int p_bits, int q_bits, uint64_t e_value) {
  const Owned<BN_CTX> context(BN_CTX_new());
  const auto number = [] { return Owned<BIGNUM>(BN_new()); };
  const auto e = number(), p = number(), q = number(), n = number(), p1 = number(), q1 = number(), order = number();
  const auto d = number(), dp = number(), dq = number(), q_inverse = number(), zero = number();
  uint8_t e_bytes[8];
  store_be(e_bytes, e_value);
  BN_bin2bn(e_bytes, 8, e.get());
  do {
    REQUIRE(BN_generate_prime_ex(p.get(), p_bits, 0, nullptr, nullptr, nullptr) == 1);
    REQUIRE(BN_generate_prime_ex(q.get(), q_bits, 0, nullptr, nullptr, nullptr) == 1);
    BN_mul(n.get(), p.get(), q.get(), context.get());
    BN_sub(p1.get(), p.get(), BN_value_one());
    BN_sub(q1.get(), q.get(), BN_value_one());
    BN_mul(order.get(), p1.get(), q1.get(), context.get());
  } while (BN_num_bits(n.get()) != p_bits + q_bits || !BN_mod_inverse(d.get(), e.get(), order.get(), context.get()));
  BN_mod(dp.get(), d.get(), p1.get(), context.get());
  BN_mod(dq.get(), d.get(), q1.get(), context.get());
  BN_mod_inverse(q_inverse.get(), q.get(), p.get(), context.get());

  ByteString der(4096);
  DerWriter writer(der);
  const size_t sequence = writer.open(DerTag::sequence);
  for (const auto* integer : {&zero, &n, &e, &d, &p, &q, &dp, &dq, &q_inverse}) {
    ByteString bytes(512);
    BN_bn2binpad(integer->get(), bytes.data(), 512);
    writer.write_unsigned_integer(bytes);
  }
  writer.close(sequence);
  const Bytes written = *writer.finish();
  const uint8_t* start = written.data();
  EVP_PKEY* key = d2i_AutoPrivateKey(nullptr, &start, static_cast<long>(written.size()));
  REQUIRE(key != nullptr);
  return Owned<EVP_PKEY>(key);
}

ByteString private_der(EVP_PKEY* key) {
  ByteString der(static_cast<size_t>(i2d_PrivateKey(key, nullptr)));
  uint8_t* end = der.data();
  i2d_PrivateKey(key, &end);
  return der;
}

struct Scheme {
  const HashAlgorithm* hash;
  const EVP_MD* peer_hash;
  bool pss;
};

std::vector<Scheme> schemes() {
  std::vector<Scheme> list;
  for (const bool pss : {false, true}) {
    list.push_back({best().sha256, EVP_sha256(), pss});
    list.push_back({best().sha384, EVP_sha384(), pss});
    list.push_back({best().sha512, EVP_sha512(), pss});
  }
  return list;
}

Owned<EVP_PKEY_CTX> peer_context(EVP_PKEY* key, const Scheme& scheme, int (*init)(EVP_PKEY_CTX*)) {
  Owned<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new(key, nullptr));
  REQUIRE(init(context.get()) == 1);
  const int padding = scheme.pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING;
  REQUIRE(EVP_PKEY_CTX_set_rsa_padding(context.get(), padding) == 1);
  REQUIRE(EVP_PKEY_CTX_set_signature_md(context.get(), scheme.peer_hash) == 1);
  if (scheme.pss) REQUIRE(EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), RSA_PSS_SALTLEN_DIGEST) == 1);
  return context;
}

bool peer_verifies(EVP_PKEY* key, const Scheme& scheme, const ByteString& digest, const ByteString& signature) {
  const auto context = peer_context(key, scheme, EVP_PKEY_verify_init);
  return EVP_PKEY_verify(context.get(), signature.data(), signature.size(), digest.data(), digest.size()) == 1;
}

ByteString peer_signs(EVP_PKEY* key, const Scheme& scheme, const ByteString& digest) {
  const auto context = peer_context(key, scheme, EVP_PKEY_sign_init);
  ByteString signature(static_cast<size_t>(EVP_PKEY_size(key)));
  size_t size = signature.size();
  REQUIRE(EVP_PKEY_sign(context.get(), signature.data(), &size, digest.data(), digest.size()) == 1);
  REQUIRE(size == signature.size());
  return signature;
}

Result<void> sign(const RsaPrivateKey& key, const Scheme& scheme, Rng& rng, Bytes digest, MutBytes signature) {
  return scheme.pss ? key.sign_pss(*scheme.hash, rng, digest, signature)
                    : key.sign_pkcs1(*scheme.hash, rng, digest, signature);
}

Result<void> verify(const RsaPublicKey& key, const Scheme& scheme, Bytes digest, Bytes signature) {
  return scheme.pss ? key.verify_pss(*scheme.hash, digest, signature)
                    : key.verify_pkcs1(*scheme.hash, digest, signature);
}

/// Every implementation signs and verifies with a key; the first one with all schemes, the others with two.
void compare(const Owned<EVP_PKEY>& peer_key, unsigned bits) {
  const uint64_t seed = test_seed(bits);
  INFO(bits << " bits, seed " << seed);
  SeededRng rng(seed);
  const ByteString der = private_der(peer_key.get());
  const std::vector<Scheme> every_scheme = schemes();
  for (size_t k = 0; k < all_rsa_kernels().size(); k++) {
    const Rsa& rsa = *all_rsa_kernels()[k];
    INFO(rsa.implementation);
    const auto key = RsaPrivateKey::parse(rsa, der);
    REQUIRE(key.has_value());
    REQUIRE(key->public_key().modulus_bits() == bits);
    const size_t size = key->public_key().modulus_size();
    for (size_t i = 0; i < every_scheme.size(); i++) {
      if (k != 0 && i % 3 != k % 3) continue;
      const Scheme& scheme = every_scheme[i];
      const ByteString digest = rng.bytes(scheme.hash->digest_size);
      const ByteString theirs = peer_signs(peer_key.get(), scheme, digest);
      CHECK(verify(key->public_key(), scheme, digest, theirs));
      ByteString ours(size);
      REQUIRE(sign(*key, scheme, rng, digest, ours));
      CHECK(peer_verifies(peer_key.get(), scheme, digest, ours));
      CHECK(verify(key->public_key(), scheme, digest, ours));
      if (!scheme.pss) CHECK(ours == theirs);

      ByteString changed = theirs;
      changed[rng.below(size)] ^= static_cast<uint8_t>(1 << rng.below(8));
      CHECK_FALSE(verify(key->public_key(), scheme, digest, changed));
    }
  }
}

}  // namespace

TEST_CASE("RSA keys of usual sizes work as OpenSSL's") {
  for (const unsigned bits : {2048u, 3072u, 4096u}) compare(generate_key(bits), bits);
}

TEST_CASE("RSA keys of odd sizes and exponents work as OpenSSL's") {
  compare(assemble_key(1024, 1024, 3), 2048);
  // modBits - 1 is a multiple of 8: the PSS encoding is a byte shorter than the modulus (RFC 8017 §8.1.1).
  compare(assemble_key(1025, 1024, 65537), 2049);
  compare(assemble_key(1028, 1029, 17), 2057);
  compare(assemble_key(1028, 1028, 0x1'0000'0001), 2056);
  compare(assemble_key(1500, 1500, 65537), 3000);
}

TEST_CASE("Exponentiations agree with OpenSSL's") {
  SeededRng rng(test_seed(1));
  const Owned<BN_CTX> context(BN_CTX_new());
  for (const size_t limbs : {16, 24, 32}) {
    uint64_t base[2][32], exponent[2][32], result[2][32];
    MontgomeryModulus moduli[2];
    Owned<BIGNUM> expected[2];
    for (size_t h = 0; h < 2; h++) {
      const auto number = [&](uint64_t* limbs_out) {
        const ByteString bytes = rng.bytes(8 * limbs);
        bignum::from_bytes({limbs_out, limbs}, bytes);
        return Owned<BIGNUM>(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
      };
      moduli[h].limbs = limbs;
      Owned<BIGNUM> m = number(moduli[h].value);
      moduli[h].value[0] |= 1;
      moduli[h].value[limbs - 1] |= uint64_t{1} << 63;
      BN_set_bit(m.get(), 0);
      BN_set_bit(m.get(), static_cast<int>(64 * limbs - 1));
      moduli[h].prepare(portable_rsa);
      Owned<BIGNUM> b = number(base[h]), e = number(exponent[h]);
      base[h][limbs - 1] &= ~(uint64_t{1} << 63);  // below the modulus
      BN_clear_bit(b.get(), static_cast<int>(64 * limbs - 1));
      expected[h].reset(BN_new());
      BN_mod_exp(expected[h].get(), b.get(), e.get(), m.get(), context.get());
    }
    for (const Rsa* rsa : all_rsa_kernels()) {
      INFO(rsa->implementation << ", " << limbs << " limbs");
      rsa->exponentiate({{result[0], base[0], exponent[0], &moduli[0]}, {result[1], base[1], exponent[1], &moduli[1]}});
      for (size_t h = 0; h < 2; h++) {
        ByteString ours(8 * limbs), theirs(8 * limbs);
        bignum::to_bytes(ours, {result[h], limbs});
        BN_bn2binpad(expected[h].get(), theirs.data(), static_cast<int>(theirs.size()));
        CHECK(ours == theirs);
      }
    }
  }
}

TEST_CASE("Threads may sign with one RSA key at the same time") {
  const auto peer_key = generate_key(2048);
  const auto key = RsaPrivateKey::parse(*best().rsa, private_der(peer_key.get()));
  REQUIRE(key);
  const Scheme scheme = schemes()[0];
  const ByteString digest(32, 7);
  const ByteString expected = peer_signs(peer_key.get(), scheme, digest);
  std::atomic<int> right = 0;
  const auto work = [&](uint64_t seed) {
    SeededRng rng(seed);
    for (int i = 0; i < 50; i++) {
      ByteString signature(expected.size());
      if (sign(*key, scheme, rng, digest, signature) && signature == expected) right++;
    }
  };
  std::thread first(work, 1), second(work, 2);
  first.join();
  second.join();
  CHECK(right == 100);
}
