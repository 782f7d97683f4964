// ML-KEM-768 as a whole, in every implementation: known answers, the accumulated vector, agreement, and the three ways
// in which something from outside can be wrong (FIPS 203 §7). tests/crypto/mlkem_engine_test.cc tests the parts.
#include "crypto/mlkem.h"

#include <array>

#include "crypto/failure.h"
#include "tests/crypto/sha3_support.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

namespace quoll::tests {
namespace {

using namespace crypto;

using Octets = std::vector<uint8_t>;

std::vector<const MlKem768*> implementations() {
  std::vector<const MlKem768*> list;
  for (const Catalogue* catalogue : {&native_catalogue(), &portable_catalogue()}) {
    for (const MlKem768* kem : catalogue->mlkem768s) {
      if (kem->runs_on(cpu::features(), cpu::cap())) list.push_back(kem);
    }
  }
  return list;
}

struct Keys {
  Octets encapsulation = Octets(kMlKem768EncapsulationKeySize);
  Octets decapsulation = Octets(kMlKem768DecapsulationKeySize);
  bool operator==(const Keys&) const = default;
};

struct Encapsulated {
  Octets ciphertext = Octets(kMlKem768CiphertextSize);
  Octets secret = Octets(kMlKemSharedSecretSize);
  bool operator==(const Encapsulated&) const = default;
};

Keys keys_of(const MlKem768& kem, const Octets& seed) {
  Keys keys;
  kem.keygen(seed.data(), keys.encapsulation.data(), keys.decapsulation.data());
  return keys;
}

Encapsulated encapsulated(const MlKem768& kem, const Octets& encapsulation_key, const Octets& message) {
  Encapsulated out;
  REQUIRE(kem.encapsulate(encapsulation_key.data(), message.data(), out.ciphertext.data(), out.secret.data()));
  return out;
}

Octets decapsulated(const MlKem768& kem, const Octets& decapsulation_key, const Octets& ciphertext) {
  Octets secret(kMlKemSharedSecretSize);
  REQUIRE(kem.decapsulate(decapsulation_key.data(), ciphertext.data(), secret.data()));
  return secret;
}

Octets unhex(std::string_view text) {
  Octets out;
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  for (size_t i = 0; i < text.size(); i += 2)
    out.push_back(static_cast<uint8_t>(digit(text[i]) << 4 | digit(text[i + 1])));
  return out;
}

std::string fingerprint(Bytes bytes) { return hex(sha3_digest(*sha3_implementations(HashId::sha3_256).back(), bytes)); }

/// J of FIPS 203 §4.1: what a wrong ciphertext must give.
Octets rejection_secret(const Octets& decapsulation_key, const Octets& ciphertext) {
  return squeezed(Shake::shake256().absorb(Bytes(decapsulation_key).last(32)).absorb(ciphertext), 32);
}

TEST_CASE("ML-KEM-768 gives a published known answer") {
  // Wycheproof mlkem_768_keygen_seed tcId 1 and mlkem_768_encaps tcId 14; long values as their SHA3-256.
  const Octets seed = unhex(
      "7c9935a0b07694aa0c6d10e4db6b1add2fd81a25ccb148032dcd739936737f2d"
      "8626ed79d451140800e03b59b956f8210e556067407d13dc90fa9e8b872bfb8f");
  const Octets message = unhex("147c03f7a5bebba406c8fae1874d7f13c80efe79a3a9a874cc09fe76f6997615");
  for (const MlKem768* kem : implementations()) {
    CAPTURE(kem->implementation);
    const Keys keys = keys_of(*kem, seed);
    CHECK(fingerprint(keys.encapsulation) == "f57262661358cde8d3ebf990e5fd1d5b896c992ccfaadb5256b68bbf5943b132");
    CHECK(fingerprint(keys.decapsulation) == "7deef44965b03d76de543ad6ef9e74a2772fa5a9fa0e761120dac767cf0152ef");
    const Encapsulated sent = encapsulated(*kem, keys.encapsulation, message);
    CHECK(fingerprint(sent.ciphertext) == "6e777e2cf8054659136a971d9e70252f301226930c19c470ee0688163a63c15b");
    CHECK(hex(sent.secret) == "e7184a0975ee3470878d2d159ec83129c8aec253d4ee17b4810311d198cd0368");
    CHECK(decapsulated(*kem, keys.decapsulation, sent.ciphertext) == sent.secret);
  }
}

struct Accumulated {
  std::string published;  // C2SP/CCTV's accumulated vector: keys, ciphertexts, secrets, secrets of random ciphertexts
  std::string flipped;  // the same and the secrets of ciphertexts with one bit flipped, computed with Go's crypto/mlkem
};

Accumulated accumulate(const MlKem768& kem, size_t rounds) {
  Shake draw = Shake::shake128(), published = Shake::shake128(), flipped = Shake::shake128();
  const auto drawn = [&](size_t size) {
    Octets out(size);
    draw.squeeze(out);
    return out;
  };
  const auto note = [&](const Octets& bytes) {
    published.absorb(bytes);
    flipped.absorb(bytes);
  };
  for (size_t round = 0; round < rounds; round++) {
    const Keys keys = keys_of(kem, drawn(kMlKem768SeedSize));
    note(keys.encapsulation);
    Encapsulated sent = encapsulated(kem, keys.encapsulation, drawn(32));
    note(sent.ciphertext);
    note(sent.secret);
    CHECK(decapsulated(kem, keys.decapsulation, sent.ciphertext) == sent.secret);
    note(decapsulated(kem, keys.decapsulation, drawn(kMlKem768CiphertextSize)));
    sent.ciphertext[round % kMlKem768CiphertextSize] ^= static_cast<uint8_t>(1 << round % 8);
    flipped.absorb(decapsulated(kem, keys.decapsulation, sent.ciphertext));
  }
  return {hex(squeezed(published, 32)), hex(squeezed(flipped, 32))};
}

TEST_CASE("ML-KEM-768 gives the accumulated answer of 100 rounds") {
  for (const MlKem768* kem : implementations()) {
    CAPTURE(kem->implementation);
    const Accumulated accumulated = accumulate(*kem, 100);
    CHECK(accumulated.published == "1114b1b6699ed191734fa339376afa7e285c9e6acf6ff0177d346696ce564415");
    CHECK(accumulated.flipped == "fe6842af9bb02a6b2e43faa126ed43f1f5fc8c8c71a3f9c82b73243674abe7ac");
  }
}

TEST_CASE("ML-KEM-768 gives the accumulated answer of 10000 rounds" * doctest::skip()) {
  const Accumulated accumulated = accumulate(*implementations().front(), 10000);
  CHECK(accumulated.published == "8a518cc63da366322a8e7a818c7a0d63483cb3528d34a4cf42f35d5ad73f22fc");
  CHECK(accumulated.flipped == "500c818863bc9420ebaa09d6358f11ce8594bc9112a663295e9391a0d55e515d");
}

TEST_CASE("every implementation of ML-KEM-768 makes the same keys, ciphertexts and secrets") {
  const uint64_t seed = test_seed(203);
  INFO("seed ", seed);
  SeededRng rng(seed);
  const auto kems = implementations();
  for (int round = 0; round < 200; round++) {
    const Octets key_seed = rng.bytes(kMlKem768SeedSize), message = rng.bytes(32);
    const Keys keys = keys_of(*kems.back(), key_seed);
    const Encapsulated sent = encapsulated(*kems.back(), keys.encapsulation, message);
    for (const MlKem768* kem : kems) {
      CAPTURE(kem->implementation);
      CHECK(keys_of(*kem, key_seed) == keys);
      CHECK(encapsulated(*kem, keys.encapsulation, message) == sent);
      CHECK(decapsulated(*kem, keys.decapsulation, sent.ciphertext) == sent.secret);
    }
  }
}

TEST_CASE("a ciphertext with any bit flipped gives SHAKE256(z || c), the secret of implicit rejection") {
  SeededRng rng(204);
  for (const MlKem768* kem : implementations()) {
    CAPTURE(kem->implementation);
    const Keys keys = keys_of(*kem, rng.bytes(kMlKem768SeedSize));
    const Encapsulated sent = encapsulated(*kem, keys.encapsulation, rng.bytes(32));
    // Every byte, each with another bit.
    for (size_t at = 0; at < kMlKem768CiphertextSize; at++) {
      Octets ciphertext = sent.ciphertext;
      ciphertext[at] ^= static_cast<uint8_t>(1 << (at * 5 + at / 8) % 8);
      const Octets secret = decapsulated(*kem, keys.decapsulation, ciphertext);
      CHECK(secret == rejection_secret(keys.decapsulation, ciphertext));
      CHECK(secret != sent.secret);
    }
  }
}

/// Sets coefficient `index` of an encoded vector.
void set_coefficient(Octets& encoded, size_t index, uint32_t value) {
  uint8_t* at = encoded.data() + index / 2 * 3;
  if (index % 2 == 0) {
    at[0] = static_cast<uint8_t>(value);
    at[1] = static_cast<uint8_t>((at[1] & 0xf0) | value >> 8);
  } else {
    at[1] = static_cast<uint8_t>((at[1] & 0x0f) | (value & 15) << 4);
    at[2] = static_cast<uint8_t>(value >> 4);
  }
}

TEST_CASE("an encapsulation key with any coefficient out of range is refused") {
  SeededRng rng(205);
  for (const MlKem768* kem : implementations()) {
    CAPTURE(kem->implementation);
    const Keys keys = keys_of(*kem, rng.bytes(kMlKem768SeedSize));
    Octets ciphertext(kMlKem768CiphertextSize), secret(kMlKemSharedSecretSize);
    for (size_t index = 0; index < 3 * 256; index++) {
      CAPTURE(index);
      Octets key = keys.encapsulation;
      set_coefficient(key, index, 3329 + static_cast<uint32_t>(index % 3 == 0 ? 0 : rng.below(4096 - 3329)));
      const auto refused = mlkem768_encapsulate(*kem, rng, key, ciphertext, secret);
      REQUIRE(!refused);
      CHECK(refused.error().code == static_cast<uint64_t>(Failure::malformed));
      set_coefficient(key, index, 3328);
      CHECK(mlkem768_encapsulate(*kem, rng, key, ciphertext, secret));
    }
  }
}

TEST_CASE("a decapsulation key whose hash is not that of its encapsulation key is refused") {
  SeededRng rng(206);
  for (const MlKem768* kem : implementations()) {
    CAPTURE(kem->implementation);
    const Keys keys = keys_of(*kem, rng.bytes(kMlKem768SeedSize));
    const Encapsulated sent = encapsulated(*kem, keys.encapsulation, rng.bytes(32));
    Octets secret(kMlKemSharedSecretSize);
    // From the encapsulation key's first byte to the hash's last.
    for (size_t at = 1152; at < 1152 + 1184 + 32; at++) {
      Octets key = keys.decapsulation;
      key[at] ^= static_cast<uint8_t>(1 << at % 8);
      const auto refused = mlkem768_decapsulate(*kem, key, sent.ciphertext, secret);
      REQUIRE(!refused);
      CHECK(refused.error().code == static_cast<uint64_t>(Failure::malformed));
    }
  }
}

TEST_CASE("the checked functions of ML-KEM-768 refuse every wrong length") {
  SeededRng rng(207);
  const MlKem768& kem = *implementations().front();
  Octets encapsulation(1185), decapsulation(2401), ciphertext(1089), secret(33);
  const auto sized = [](Octets& bytes, size_t size) { return MutBytes(bytes).first(size); };
  REQUIRE(mlkem768_keygen(kem, rng, sized(encapsulation, 1184), sized(decapsulation, 2400)));
  REQUIRE(mlkem768_encapsulate(kem, rng, sized(encapsulation, 1184), sized(ciphertext, 1088), sized(secret, 32)));
  REQUIRE(mlkem768_decapsulate(kem, sized(decapsulation, 2400), sized(ciphertext, 1088), sized(secret, 32)));
  const auto is_length = [](const Result<void>& result) {
    return !result && result.error().code == static_cast<uint64_t>(Failure::length);
  };
  for (const int off : {-1, 1}) {
    const auto wrong = [&](size_t size) { return static_cast<size_t>(static_cast<int>(size) + off); };
    CHECK(is_length(mlkem768_keygen(kem, rng, sized(encapsulation, wrong(1184)), sized(decapsulation, 2400))));
    CHECK(is_length(mlkem768_keygen(kem, rng, sized(encapsulation, 1184), sized(decapsulation, wrong(2400)))));
    CHECK(is_length(
        mlkem768_encapsulate(kem, rng, sized(encapsulation, wrong(1184)), sized(ciphertext, 1088), sized(secret, 32))));
    CHECK(is_length(
        mlkem768_encapsulate(kem, rng, sized(encapsulation, 1184), sized(ciphertext, wrong(1088)), sized(secret, 32))));
    CHECK(is_length(
        mlkem768_encapsulate(kem, rng, sized(encapsulation, 1184), sized(ciphertext, 1088), sized(secret, wrong(32)))));
    CHECK(is_length(
        mlkem768_decapsulate(kem, sized(decapsulation, wrong(2400)), sized(ciphertext, 1088), sized(secret, 32))));
    CHECK(is_length(
        mlkem768_decapsulate(kem, sized(decapsulation, 2400), sized(ciphertext, wrong(1088)), sized(secret, 32))));
    CHECK(is_length(
        mlkem768_decapsulate(kem, sized(decapsulation, 2400), sized(ciphertext, 1088), sized(secret, wrong(32)))));
  }
}

}  // namespace
}  // namespace quoll::tests
