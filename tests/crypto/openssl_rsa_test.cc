// RSA beside OpenSSL: keys of many sizes made by it, its signatures verified here and ours there.
#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "crypto/der.h"
#include "tests/crypto/rsa_kernels.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

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

/// An RSAPrivateKey of 4096 bits: generating one takes seconds.
const char* const kPrivateKey4096 =
    "308209290201000282020100b384571f2330d08c29835ec4df46399b61b756a870f738c4966299a841043e8f22c0be97bb610858781f6b189b"
    "668b0141e3b85cc12b8f8b306fc96a5dcd0312244c4ee36e79126b3bd9836adb2bb80a7e00e11a170232e1fb4aee19cd278a9322b90f583a45"
    "4026ca75c1b0b05b7a234be6a193bf9731bc22b1537d1abfe0811564c3e78682aad6ce7fe12f2b00be5530bbd2ac2a67f881f33c6c4b65132f"
    "4751459b67483d6022b8242348260f6a70cf040707a0c1799a6f22acf9f5ba29f350395dfbf45e46743b33243260d326abd0244ed3ea1827a4"
    "bc1ebc8e343788e67273f1e575b55c95698fe906ac97b396f575b05eb0ee3171f4e544a638e99c7f2ea91173d9202ab2c1f1a406f9af6d05ce"
    "09eb8c601c16d36c9b709b882a11e601195100653b15832b846c6800aeb139673f32a7c258d79514f4eea86d84b4fef2b62dd9c55a8cbc37a9"
    "3b9362814bcfff2be1277824960cd559e0fd4068bcddb0749c1071a4e605feec6d58e0c744732e368b71aaab2b938acef71de81aa810a1e2b4"
    "2da2a13fcd60ac1a7286cdf69b576c9a8867bc9f87da9e528fa2f0c155975a017664c81d78ea2183e6d7d82ae4d5a8b91433dbdababbc6fa71"
    "5781d0eb907e0962e64c64fac391c90a6561cdc358ae2a49bd65cf4cf7fe4fe47fba3650f8d5bdaf94c53d19207b090e16f1a651d3d0fe5d94"
    "1351bae9d09c47e87aa9090203010001028202003083ca05c4bd6b070e2b0e40177543994e11bdce3ce55b46a9bbd0fa0b4429e2060ae01762"
    "91092fdb9ae6171adc5e21c35c57155e3137146f4d2eba5bca4d93a812a5594aa056cd7b39c00def5883def609a7cc24beb7e0a1c8b0cb7149"
    "c7e616c2bbb664dd1546c67d87908840d8a3d45dea79e313e9e185e0b58700652db7c4ffdbffe4b6c893cfeff87c065ba7949f5c8b45731a71"
    "2b3180b965b0d5bbf7c2ab94a19780dacbd74710efed354a575d6321c13a7d3f2f70ec86a1f0fa545f08e5d014090937722f1395ab35c6aad3"
    "512796d427964a947730b95597201113f2878a2eb09e887c6ab0755213efd59dad0d96d2286fdf160490b77a52b433d2297b03a802928930c9"
    "771bf26e2bdb85d54fa4735e0293721c8a57d2bef9a1e507b71afb080e492f66d3f221bcce952d7ddf505edc65215bc08c81cd25d504a168e9"
    "c54820839e570fe94defa4d60ab47bad8bebc1639a91ab6bbe21565d6b34f1227947f1967d1ddde948f10a4ef606dfe36c0b476ed297340a48"
    "ddd130a414f77ecb796bcb18206e81f80070739b799722a2562aa3e4478c21f00ecab8238bad022d924b0da4c6020ea9c9d30c6bdd5dc09679"
    "5be5d84a22eb64a4d0f3a16066a9a230f3e18ac9b7fa681a07b4e6905f599d670cc14c05ec1c947195f3b838294613ce196ada96f7bf45b703"
    "c03e43e681eada4f063d3192ed7ddaff9bcdf70282010100d768d90a4943d1b594c235d68c0cfe039f92e52329c6b22590087d54553a871ea9"
    "df23608d4166f5f5480d69c8dc5d8d71fd52af5debc911e16d58607dd935054ac617dea1720335509af8918e7eb0f7c81e3b5da255bff912d0"
    "a62f19ba910e876190ab2306303e95b949253e7a7c961fa7219a35a688e0118bc0b88d9e046c86eef1acd2c6ce02c3d4a6d03bcb64e677a48f"
    "80d1eb916a165123c6e465e41ec8e92bce40fb17876189613083a1fe68b958723945589fcd2c265eb04c124917f5cf858bc0a19b6a8ec4768f"
    "8060994df480a05874bf6139e8c6de0694bdfd786cf3a11a942e2d0487d327275b69bbf0c2da3d83fe1f132a562f10fd1044ed0f0282010100"
    "d558113a3e6d47b81960b2a0b44f522b96499d47cf542a537b4ea85cc285ba226d72b9e96d8845ee820c74ff160f56402ade9dd58105ecaf54"
    "9145f73b237407b63735eb197289ad160a3d113d42bc74ecff96fbb7e21a97858c950fb8a1ca53b64c1c13a3278c9dca62b08978d4eac1ef75"
    "58ca55539513f1ba87d96cb1308b0e3a9ed2150eeba50249a32352d25a20e4c77ad37ab346297f55c2253b104c6ea417ce02d7e9625dde2e34"
    "8e43e00b58599945d9f712d75eb0473d37255fba4c9177834a38802910473e4e9b79f3f7edd0ab3f73b8798dca5356746e16f6c8f03aad88d4"
    "f520fb50138f99b6e5dcd4f6b238a68e184a930581c202bb70dc38670282010100a7197f9c7a1f3113f215021cafc1f85ea93013ae465f0b9d"
    "15f16fffb6a9d35d971b30df5a548ce169e7fdf7bcc82d8e6709c355a4bf1ed84f0e3acb8774b2abab48a6059f29c9915739107021a0e7f91e"
    "f54cca22fef00ff0678932ea7b8ec13d8612ea9f1dd2d909de94fe5e4c384f60b88ed9889aea7d1f3f513e1925a67ae5e57ff6b7ff5e9a487d"
    "b2f5c01cd4e5ef93e97a5ddda68d2c48bf3f2fb856d106bbd2ae8a3bfe11983930faa87246dfc83ff343b826bab83772806bb4674eea565628"
    "5bb40fe9772ccefcc5ef29806337b37c2f82495fcbc366599fb34cfaceab7e06d08e788f957f23eeb09a3a187ff937c1169e504ed6bdca7f1c"
    "40bda743028201010088dc3820ff0f27a50852aa04c1e6e8b5a17193fe0f18d5163cd216db7ac642c3f72653f1551cc88fdac996fc54f07dca"
    "28362b565db0a947489ef11d4ac8d19468e63e26956a8ebb849a08d6d84fc989d0c79dd9d8faa9486e99e2bdf519852bf2941ca6d45178b978"
    "ad9ac675c750da1c7d50fa6b8674ea18762ad3e6103d2dd770ef95a180b2d666034b2e4be13984447f5b61f322b26dc88c0141d503fda4348c"
    "38d2462427c043d9ac495f6d8899a2d0daa89b01713c03259035a23a28cf19ba6b74df8e07c9b38a5aef0e6addafa7df53932ed27b8d41ad02"
    "7fe527677c04887270fad7afa08d0bdff61ebb6dbadc55cf32f48e528683d92bdb86e91f1d028201006a7c6e0da871d2041d8cb1c1552e867c"
    "8141899214a0663a083a23f6c4de5828996f5e18bf7d063cef9d81c21acfb14fc3f335ba7180a9ee82c4b544e37179a6a6b1005585204b703a"
    "d12dd0da6e6feb5892a1eca262d69ec355711edfe9f65c8d9c1d7ab7c7f3dbff4aa39ced8ddc80f653df5cea53762fe6c393306f3325573a4b"
    "475e1f680726708d74e1cae4cc38e81787c7ba45063b06ba7d0f700293bc09a86c7a6a30ece5399d2be996c693618591257d71572875a89217"
    "8ba812f1a2a5935bb0b3f1da6f8e67c227d1adedb432a2ca244ea467946019a479e410f986732ded4c17259e920b0108301c5adecda2880f28"
    "99fa40b6f09afb96732cd56f";

Owned<EVP_PKEY> known_key_4096() {
  const std::string_view hex = kPrivateKey4096;
  ByteString der;
  for (size_t i = 0; i < hex.size(); i += 2) {
    der.push_back(static_cast<uint8_t>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  const uint8_t* start = der.data();
  EVP_PKEY* key = d2i_AutoPrivateKey(nullptr, &start, static_cast<long>(der.size()));
  REQUIRE(key != nullptr);
  return Owned<EVP_PKEY>(key);
}

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

/// Every implementation signs and verifies with a key; the first one with all schemes, the others with one.
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
      if (k != 0 && i != k % 6) continue;
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
  compare(generate_key(2048), 2048);
  compare(generate_key(3072), 3072);
  compare(known_key_4096(), 4096);
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
      moduli[h].prepare(kRsaPortable);
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
