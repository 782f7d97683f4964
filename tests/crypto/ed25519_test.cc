#include "crypto/ed25519.h"

#include <cstring>

#include "crypto/failure.h"
#include "tests/crypto/curve25519_support.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::crypto;
using tests::from_hex;

namespace {

struct Vector {
  const char *name, *seed, *public_key, *message, *signature;
};

constexpr Vector kRfc8032[] = {
    {"1", "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25b"
     "f5f0595bbe24655141438e7a100b"},
    {"2", "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b"
     "2eaeb4302aeeb00d291612bb0c00"},
    {"3", "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c"
     "15e9716ed28dc027beceea1ec40a"},
    {"1024", "f5e5767cf153319517630f226876b86c8160cc583bc013744c6bf255f5cc0ee5",
     "278117fc144c72340f67d0f2316e8386ceffbf2b2428c9c51fef7c597f1d426e",
     "08b8b2b733424243760fe426a4b54908632110a66c2f6591eabd3345e3e4eb98fa6e264bf09efe12ee50f8f54e9f77b1e355"
     "f6c50544e23fb1433ddf73be84d879de7c0046dc4996d9e773f4bc9efe5738829adb26c81b37c93a1b270b20329d658675fc"
     "6ea534e0810a4432826bf58c941efb65d57a338bbd2e26640f89ffbc1a858efcb8550ee3a5e1998bd177e93a7363c344fe6b"
     "199ee5d02e82d522c4feba15452f80288a821a579116ec6dad2b3b310da903401aa62100ab5d1a36553e06203b33890cc9b8"
     "32f79ef80560ccb9a39ce767967ed628c6ad573cb116dbefefd75499da96bd68a8a97b928a8bbc103b6621fcde2beca1231d"
     "206be6cd9ec7aff6f6c94fcd7204ed3455c68c83f4a41da4af2b74ef5c53f1d8ac70bdcb7ed185ce81bd84359d44254d9562"
     "9e9855a94a7c1958d1f8ada5d0532ed8a5aa3fb2d17ba70eb6248e594e1a2297acbbb39d502f1a8c6eb6f1ce22b3de1a1f40"
     "cc24554119a831a9aad6079cad88425de6bde1a9187ebb6092cf67bf2b13fd65f27088d78b7e883c8759d2c4f5c65adb7553"
     "878ad575f9fad878e80a0c9ba63bcbcc2732e69485bbc9c90bfbd62481d9089beccf80cfe2df16a2cf65bd92dd597b0707e0"
     "917af48bbb75fed413d238f5555a7a569d80c3414a8d0859dc65a46128bab27af87a71314f318c782b23ebfe808b82b0ce26"
     "401d2e22f04d83d1255dc51addd3b75a2b1ae0784504df543af8969be3ea7082ff7fc9888c144da2af58429ec96031dbcad3"
     "dad9af0dcbaaaf268cb8fcffead94f3c7ca495e056a9b47acdb751fb73e666c6c655ade8297297d07ad1ba5e43f1bca32301"
     "651339e22904cc8c42f58c30c04aafdb038dda0847dd988dcda6f3bfd15c4b4c4525004aa06eeff8ca61783aacec57fb3d1f"
     "92b0fe2fd1a85f6724517b65e614ad6808d6f6ee34dff7310fdc82aebfd904b01e1dc54b2927094b2db68d6f903b68401ade"
     "bf5a7e08d78ff4ef5d63653a65040cf9bfd4aca7984a74d37145986780fc0b16ac451649de6188a7dbdf191f64b5fc5e2ab4"
     "7b57f7f7276cd419c17a3ca8e1b939ae49e488acba6b965610b5480109c8b17b80e1b7b750dfc7598d5d5011fd2dcc5600a3"
     "2ef5b52a1ecc820e308aa342721aac0943bf6686b64b2579376504ccc493d97e6aed3fb0f9cd71a43dd497f01f17c0e2cb37"
     "97aa2a2f256656168e6c496afc5fb93246f6b1116398a346f1a641f3b041e989f7914f90cc2c7fff357876e506b50d334ba7"
     "7c225bc307ba537152f3f1610e4eafe595f6d9d90d11faa933a15ef1369546868a7f3a45a96768d40fd9d03412c091c6315c"
     "f4fde7cb68606937380db2eaaa707b4c4185c32eddcdd306705e4dc1ffc872eeee475a64dfac86aba41c0618983f8741c5ef"
     "68d3a101e8a3b8cac60c905c15fc910840b94c00a0b9d0",
     "0aab4c900501b3e24d7cdf4663326a3a87df5e4843b2cbdb67cbf6e460fec350aa5371b1508f9f4528ecea23c436d94b5e8f"
     "cd4f681e30a6ac00a9704a188a03"},
    {"SHA(abc)", "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
     "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d"
     "4423643ce80e2a9ac94fa54ca49f",
     "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca"
     "179c138ac17ad9bef1177331a704"},
};

const HashAlgorithm& sha512() { return *best().sha512; }

bool verifies(const Ed25519& ed25519, Bytes public_key, Bytes message, Bytes signature) {
  return ed25519_verify(ed25519, sha512(), public_key, message, signature).has_value();
}

/// value + L, for a scalar that leaves room for it.
std::vector<uint8_t> plus_order(std::vector<uint8_t> value) {
  const auto order = from_hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
  unsigned carry = 0;
  for (size_t i = 0; i < 32; i++) {
    carry += value[i] + order[i];
    value[i] = static_cast<uint8_t>(carry);
    carry >>= 8;
  }
  return value;
}

}  // namespace

TEST_CASE("Ed25519 gives the keys and signatures of RFC 8032 §7.1, and verifies them") {
  for (const Ed25519* ed25519 : tests::ed25519_implementations()) {
    for (const Vector& vector : kRfc8032) {
      INFO(ed25519->implementation, " ", vector.name);
      const auto seed = from_hex(vector.seed), message = from_hex(vector.message);
      std::vector<uint8_t> public_key(32), signature(64);
      REQUIRE(ed25519_public_key(*ed25519, sha512(), seed, public_key));
      CHECK(public_key == from_hex(vector.public_key));
      REQUIRE(ed25519_sign(*ed25519, sha512(), seed, public_key, message, signature));
      CHECK(signature == from_hex(vector.signature));
      CHECK(verifies(*ed25519, public_key, message, signature));
    }
  }
}

TEST_CASE("Ed25519 refuses a signature when a bit of it, of the key or of the message is flipped") {
  const Vector& vector = kRfc8032[2];
  for (const Ed25519* ed25519 : tests::ed25519_implementations()) {
    INFO(ed25519->implementation);
    const auto key = from_hex(vector.public_key), message = from_hex(vector.message), sig = from_hex(vector.signature);
    for (size_t bit = 0; bit < 8 * 64; bit += 5) {
      auto broken = sig;
      broken[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
      CHECK(!verifies(*ed25519, key, message, broken));
    }
    for (size_t bit = 0; bit < 8 * 32; bit += 5) {
      auto broken = key;
      broken[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
      CHECK(!verifies(*ed25519, broken, message, sig));
    }
    auto broken = message;
    broken[1] ^= 1;
    CHECK(!verifies(*ed25519, key, broken, sig));
    CHECK(!verifies(*ed25519, key, Bytes(message).first(1), sig));
  }
}

TEST_CASE("Ed25519 refuses s + L, the malleable twin of a signature (RFC 8032 §5.1.7)") {
  for (const Ed25519* ed25519 : tests::ed25519_implementations()) {
    for (const Vector& vector : kRfc8032) {
      INFO(ed25519->implementation, " ", vector.name);
      auto signature = from_hex(vector.signature);
      const auto s = plus_order(std::vector<uint8_t>(signature.begin() + 32, signature.end()));
      std::copy(s.begin(), s.end(), signature.begin() + 32);
      CHECK(!verifies(*ed25519, from_hex(vector.public_key), from_hex(vector.message), signature));
    }
  }
}

TEST_CASE("Ed25519 refuses public keys and R that are not canonically encoded (RFC 8032 §5.1.3)") {
  // With the identity as public key, (R, s) verifies when R = s B, whatever the message; s = 0 gives R = the identity.
  const auto identity = from_hex("0100000000000000000000000000000000000000000000000000000000000000");
  auto signature = identity;
  signature.resize(64);
  for (const Ed25519* ed25519 : tests::ed25519_implementations()) {
    INFO(ed25519->implementation);
    CHECK(verifies(*ed25519, identity, {}, signature));  // small order is not refused: see crypto/ed25519.h
    const char* other_encodings[] = {
        "0100000000000000000000000000000000000000000000000000000000000080",  // -0
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  // y = p + 1
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",  // both
    };
    for (const char* hex : other_encodings) {
      const auto other = from_hex(hex);
      CHECK(!verifies(*ed25519, other, {}, signature));
      auto other_r = other;
      other_r.resize(64);
      CHECK(!verifies(*ed25519, identity, {}, other_r));
    }
  }
}

TEST_CASE("Ed25519 refuses public keys that are no point of the curve") {
  for (const Ed25519* ed25519 : tests::ed25519_implementations()) {
    INFO(ed25519->implementation);
    int refused = 0;
    for (uint8_t y = 2; y < 40; y++) {
      uint8_t key[32] = {y};
      using Edwards = Edwards25519<tests::NarrowField>;
      Edwards::Point point;
      if (Edwards::decode(point, key)) {
        uint8_t again[32];
        Edwards::encode(again, point);
        CHECK(std::memcmp(again, key, 32) == 0);
        continue;
      }
      refused++;
      uint8_t signature[64] = {1};
      CHECK(!verifies(*ed25519, key, {}, signature));
    }
    CHECK(refused > 5);
    CHECK(refused < 35);
  }
}

TEST_CASE("Ed25519 implementations sign alike and verify one another") {
  const uint64_t seed_of_run = tests::test_seed(9);
  INFO("seed ", seed_of_run);
  tests::SeededRng rng(seed_of_run);
  for (int i = 0; i < 40; i++) {
    const auto seed = rng.bytes(32), message = rng.bytes(static_cast<size_t>(rng.below(300)));
    std::vector<uint8_t> key(32), expected(64);
    REQUIRE(ed25519_public_key(*portable().ed25519, sha512(), seed, key));
    REQUIRE(ed25519_sign(*portable().ed25519, sha512(), seed, key, message, expected));
    for (const Ed25519* ed25519 : tests::ed25519_implementations()) {
      INFO(ed25519->implementation);
      std::vector<uint8_t> key_again(32), signature(64);
      REQUIRE(ed25519_public_key(*ed25519, sha512(), seed, key_again));
      CHECK(key_again == key);
      REQUIRE(ed25519_sign(*ed25519, sha512(), seed, key, message, signature));
      CHECK(signature == expected);
      CHECK(verifies(*ed25519, key, message, expected));
    }
  }
}

TEST_CASE("Ed25519 refuses keys and signatures of a wrong length") {
  const Ed25519& ed25519 = *best().ed25519;
  std::vector<uint8_t> key(32), signature(64), shorter(31), longer(65);
  const auto is_length = [](const Result<void>& result) {
    return !result && result.error().code == static_cast<uint64_t>(Failure::length);
  };
  for (auto* wrong : {&shorter, &longer}) {
    CHECK(is_length(ed25519_public_key(ed25519, sha512(), *wrong, key)));
    CHECK(is_length(ed25519_public_key(ed25519, sha512(), key, *wrong)));
    CHECK(is_length(ed25519_sign(ed25519, sha512(), *wrong, key, {}, signature)));
    CHECK(is_length(ed25519_sign(ed25519, sha512(), key, *wrong, {}, signature)));
    CHECK(is_length(ed25519_sign(ed25519, sha512(), key, key, {}, *wrong)));
    CHECK(is_length(ed25519_verify(ed25519, sha512(), *wrong, {}, signature)));
    CHECK(is_length(ed25519_verify(ed25519, sha512(), key, {}, *wrong)));
  }
}
