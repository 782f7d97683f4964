#include "crypto/failure.h"
#include "tests/crypto/curve25519_support.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::crypto;
using tests::from_hex;

namespace {

std::vector<uint8_t> agreed(const Group& x25519, Bytes key, Bytes peer) {
  std::vector<uint8_t> shared(32);
  REQUIRE(agree(x25519, key, peer, shared));
  return shared;
}

uint64_t failure_of(const Result<void>& result) {
  REQUIRE(!result);
  CHECK(result.error().domain == ErrorDomain::crypto);
  return result.error().code;
}

}  // namespace

TEST_CASE("X25519 gives the outputs of RFC 7748 §5.2") {
  for (const Group* x25519 : tests::x25519_implementations()) {
    INFO(x25519->implementation);
    CHECK(agreed(*x25519, from_hex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"),
                 from_hex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c")) ==
          from_hex("c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"));
    CHECK(agreed(*x25519, from_hex("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d"),
                 from_hex("e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493")) ==
          from_hex("95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"));
  }
}

TEST_CASE("X25519 iterated 1 and 1,000 times gives the values of RFC 7748 §5.2") {
  for (const Group* x25519 : tests::x25519_implementations()) {
    INFO(x25519->implementation);
    std::vector<uint8_t> k(32), u(32);
    k[0] = u[0] = 9;
    for (int i = 1; i <= 1000; i++) {
      auto next = agreed(*x25519, k, u);
      u = k;
      k = next;
      if (i == 1) CHECK(k == from_hex("422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"));
    }
    CHECK(k == from_hex("684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51"));
  }
}

TEST_CASE("X25519 gives the keys and the shared secret of RFC 7748 §6.1") {
  const auto a = from_hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
  const auto b = from_hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
  const auto public_a = from_hex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
  const auto public_b = from_hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
  const auto shared = from_hex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
  for (const Group* x25519 : tests::x25519_implementations()) {
    INFO(x25519->implementation);
    std::vector<uint8_t> derived(32);
    REQUIRE(derive_public(*x25519, a, derived));
    CHECK(derived == public_a);
    REQUIRE(derive_public(*x25519, b, derived));
    CHECK(derived == public_b);
    CHECK(agreed(*x25519, a, public_b) == shared);
    CHECK(agreed(*x25519, b, public_a) == shared);
  }
}

TEST_CASE("X25519 ignores the top bit of a public key and takes values of p and above modulo p") {
  tests::SeededRng rng(tests::test_seed(3));
  for (const Group* x25519 : tests::x25519_implementations()) {
    INFO(x25519->implementation);
    const auto key = rng.bytes(32);
    auto peer = rng.bytes(32);
    const auto shared = agreed(*x25519, key, peer);
    peer[31] ^= 0x80;
    CHECK(agreed(*x25519, key, peer) == shared);
    for (uint8_t value = 2; value < 19; value++) {  // RFC 7748 §5: p + value, up to 2^255 - 1
      std::vector<uint8_t> canonical(32), raised(32, 0xff);
      canonical[0] = value;
      raised[0] = static_cast<uint8_t>(0xed + value);
      raised[31] = 0x7f;
      CHECK(agreed(*x25519, key, raised) == agreed(*x25519, key, canonical));
    }
  }
}

TEST_CASE("X25519 refuses every public key of small order, and leaves no output (RFC 7748 §6.1)") {
  const char* small_order[] = {
      "0000000000000000000000000000000000000000000000000000000000000000",
      "0100000000000000000000000000000000000000000000000000000000000000",
      "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
      "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  };
  tests::SeededRng rng(tests::test_seed(4));
  for (const Group* x25519 : tests::x25519_implementations()) {
    INFO(x25519->implementation);
    for (const char* hex : small_order) {
      for (const unsigned top : {0x00u, 0x80u}) {
        auto peer = from_hex(hex);
        peer[31] = static_cast<uint8_t>(peer[31] | top);
        std::vector<uint8_t> shared(32, 0x5a);
        CHECK(failure_of(agree(*x25519, rng.bytes(32), peer, shared)) == static_cast<uint64_t>(Failure::point));
        CHECK(shared == std::vector<uint8_t>(32));
      }
    }
  }
}

TEST_CASE("X25519 public keys are the products of the base point 9") {
  tests::SeededRng rng(tests::test_seed(5));
  std::vector<uint8_t> nine(32);
  nine[0] = 9;
  for (int i = 0; i < 60; i++) {
    auto key = rng.bytes(32);
    if (i < 2) key.assign(32, i ? 0xff : 0x00);
    const auto expected = agreed(*portable().x25519, key, nine);
    for (const Group* x25519 : tests::x25519_implementations()) {
      INFO(x25519->implementation);
      std::vector<uint8_t> derived(32);
      REQUIRE(derive_public(*x25519, key, derived));
      CHECK(derived == expected);
    }
  }
}

TEST_CASE("X25519 implementations agree with one another") {
  const uint64_t seed = tests::test_seed(6);
  INFO("seed ", seed);
  tests::SeededRng rng(seed);
  for (int i = 0; i < 200; i++) {
    auto key = rng.bytes(32), peer = rng.bytes(32);
    if (i % 4 == 0) {  // words all ones or all zero
      for (size_t j = 0; j < 32; j++) peer[j] = rng.below(2) ? 0xff : 0x00;
      peer[1] = 7;
    }
    const auto expected = agreed(*portable().x25519, key, peer);
    for (const Group* x25519 : tests::x25519_implementations()) {
      INFO(x25519->implementation);
      CHECK(agreed(*x25519, key, peer) == expected);
    }
  }
}

TEST_CASE("key agreement refuses keys and outputs of a wrong length") {
  const auto length = static_cast<uint64_t>(Failure::length);
  tests::SeededRng rng(7);
  std::vector<uint8_t> right(32), peer(32, 9), shorter(31), longer(33);
  const Group& x25519 = *best().x25519;
  for (auto* wrong : {&shorter, &longer}) {
    CHECK(failure_of(generate(x25519, rng, *wrong, right)) == length);
    CHECK(failure_of(generate(x25519, rng, right, *wrong)) == length);
    CHECK(failure_of(derive_public(x25519, *wrong, right)) == length);
    CHECK(failure_of(derive_public(x25519, right, *wrong)) == length);
    CHECK(failure_of(agree(x25519, *wrong, peer, right)) == length);
    CHECK(failure_of(agree(x25519, right, *wrong, right)) == length);
    CHECK(failure_of(agree(x25519, right, peer, *wrong)) == length);
  }
}

namespace {

/// A group whose private keys are in range when their first byte is below 2: the wrappers treat it as a NIST curve.
constexpr Group kPicky{{.implementation = "test"},
                       GroupId::p256,
                       "picky",
                       32,
                       32,
                       32,
                       [](const uint8_t* key, uint8_t* public_key) {
                         public_key[0] = static_cast<uint8_t>(key[0] + 1);
                         return key[0] < 2;
                       },
                       [](const uint8_t*, const uint8_t*, uint8_t*) { return false; }};

struct StuckRng final : Rng {
  void fill(MutBytes out) override {
    draws++;
    for (uint8_t& byte : out) byte = 0xff;
  }
  int draws = 0;
};

}  // namespace

TEST_CASE("generate draws until a private key is in range, and gives up on a stuck generator") {
  tests::SeededRng rng(8);
  std::vector<uint8_t> key(32), public_key(32);
  int generated = 0;
  for (int i = 0; i < 20; i++) {
    if (!generate(kPicky, rng, key, public_key)) continue;
    generated++;
    CHECK(key[0] < 2);
    CHECK(public_key[0] == key[0] + 1);
  }
  CHECK(generated > 0);
  StuckRng stuck;
  CHECK(failure_of(generate(kPicky, stuck, key, public_key)) == static_cast<uint64_t>(Failure::weak_key));
  CHECK(stuck.draws > 1);
  CHECK(key == std::vector<uint8_t>(32));
  key[0] = 2;
  CHECK(failure_of(derive_public(kPicky, key, public_key)) == static_cast<uint64_t>(Failure::weak_key));
}
