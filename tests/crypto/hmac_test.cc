// HMAC against RFC 4231, and against its definition in RFC 2104.
#include "crypto/hmac.h"
#include "tests/crypto/hash_support.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

namespace {

using namespace quoll;
using namespace quoll::crypto;
using namespace quoll::tests;
using namespace quoll::tests::hashes;

struct Example {
  std::string_view key, data;
  std::string_view sha256, sha384, sha512;  // case 5 is truncated to 128 bits
};

/// RFC 4231 §4.2 to §4.8.
constexpr Example kExamples[] = {
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
     "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6",
     "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d"
     "914eeb61f1702e696c203a126854"},
    {"4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
     "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
     "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaea"
     "b1a34d4a6b4b636e070a38bce737"},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd",
     "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
     "88062608d3e6ad8a0aa2ace014c8a86f0aa635d947ac9febe83ef4e55966144b2a5ab39dc13814b94e3ab6e101a34f27",
     "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39bf3e848279a722c806b485a47e67c807b946"
     "a337bee8942674278859e13292fb"},
    {"0102030405060708090a0b0c0d0e0f10111213141516171819",
     "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd",
     "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
     "3e8a69b7783c25851933ab6290af6ca77a9981480850009cc5577c6e1f573b4e6801dd23c4a7d679ccf8a386c674cffb",
     "b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3dba91ca5c11aa25eb4d679275cc5788063a5f1"
     "9741120c4f2de2adebeb10a298dd"},
    {"0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c", "546573742057697468205472756e636174696f6e",
     "a3b6167473100ee06e0c796c2955552b", "3abf34c3503b2a23a46efc619baef897", "415fad6271580a531d4179bc891d87a6"},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d2048617368204b65792046"
     "69727374",
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
     "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c60c2ef6ab4030fe8296248df163f44952",
     "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d6a1e5295e6"
     "4f73f63f0aec8b915a985d786598"},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "5468697320697320612074657374207573696e672061206c6172676572207468616e20626c6f636b2d73697a65206b657920"
     "616e642061206c6172676572207468616e20626c6f636b2d73697a6520646174612e20546865206b6579206e656564732074"
     "6f20626520686173686564206265666f7265206265696e6720757365642062792074686520484d414320616c676f72697468"
     "6d2e",
     "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
     "6617178e941f020d351e2f254e8fd32c602420feb0b8fb9adccebb82461e99c5a678cc31e799176d3860e6110c46523e",
     "e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944b6022cac3c4982b10d5eeb55c3e4de151346"
     "76fb6de0446065c97440fa8c6a58"},
};

void check_examples(HashId id, std::string_view Example::* code) {
  for (const HashAlgorithm* algorithm : runnable(id)) {
    CAPTURE(algorithm->name);
    CAPTURE(algorithm->implementation);
    for (const Example& example : kExamples) {
      const std::string found = hex(hmac(*algorithm, unhex(example.key), unhex(example.data)));
      CHECK(found.substr(0, (example.*code).size()) == example.*code);
    }
  }
}

/// RFC 2104 §2, word by word: H(K xor opad, H(K xor ipad, text)).
Digest hmac_by_definition(const HashAlgorithm& algorithm, Bytes key, Bytes text) {
  std::vector<uint8_t> padded(key.begin(), key.end());
  if (padded.size() > algorithm.block_size) {
    const Digest digest = hash(algorithm, key);
    padded.assign(digest.bytes().begin(), digest.bytes().end());
  }
  padded.resize(algorithm.block_size);
  std::vector<uint8_t> inner, outer;
  for (const uint8_t byte : padded) {
    inner.push_back(byte ^ 0x36);
    outer.push_back(byte ^ 0x5c);
  }
  inner.insert(inner.end(), text.begin(), text.end());
  const Digest inner_digest = hash(algorithm, inner);
  outer.insert(outer.end(), inner_digest.bytes().begin(), inner_digest.bytes().end());
  return hash(algorithm, outer);
}

}  // namespace

TEST_SUITE("hmac") {
  TEST_CASE("HMAC gives the codes of RFC 4231") {
    check_examples(HashId::sha256, &Example::sha256);
    check_examples(HashId::sha384, &Example::sha384);
    check_examples(HashId::sha512, &Example::sha512);
  }

  TEST_CASE("HMAC is its definition for keys and messages of every length around the block sizes") {
    SeededRng rng(test_seed(1));
    for (const HashAlgorithm* algorithm : runnable()) {
      CAPTURE(algorithm->name);
      CAPTURE(algorithm->implementation);
      for (size_t key_size = 0; key_size <= 300; key_size++) {
        const auto key = rng.bytes(key_size);
        const auto text = rng.bytes(rng.below(300));
        CAPTURE(key_size);
        CHECK(hex(hmac(*algorithm, key, text)) == hex(hmac_by_definition(*algorithm, key, text)));
      }
    }
  }

  TEST_CASE("a prepared key serves many messages through copies") {
    SeededRng rng(test_seed(2));
    for (const HashAlgorithm* algorithm : runnable()) {
      CAPTURE(algorithm->name);
      CAPTURE(algorithm->implementation);
      const auto key = rng.bytes(32);
      const Hmac prepared(*algorithm, key);
      for (size_t size = 0; size < 200; size += 11) {
        const auto text = rng.bytes(size);
        Hmac running = prepared;
        running.update(Bytes(text).first(size / 3));
        const Digest before = running.digest();
        CHECK(before == hmac(*algorithm, key, Bytes(text).first(size / 3)));
        running.update(Bytes(text).subspan(size / 3));
        CHECK(running.digest() == hmac(*algorithm, key, text));
      }
      CHECK(prepared.digest() == hmac(*algorithm, key, {}));
    }
  }
}
