// HKDF against RFC 5869, HKDF-Expand-Label against the key schedules of RFC 8448 and RFC 9001.
#include "crypto/hkdf.h"
#include "crypto/failure.h"
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
  std::string_view input, salt, info;
  std::string_view pseudorandom_key, output;
};

/// RFC 5869 A.1 to A.3, all with SHA-256.
constexpr Example kExamples[] = {
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9",
     "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
     "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"},
    {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f3031"
     "32333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f",
     "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f9091"
     "92939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
     "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1"
     "e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
     "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
     "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da32"
     "75600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"},
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
     "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
     "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"},
};

std::string expand_label(const HashAlgorithm& algorithm, Bytes secret, std::string_view label, Bytes context,
                         size_t size) {
  std::vector<uint8_t> out(size);
  REQUIRE(hkdf_expand_label(algorithm, secret, label, context, out).has_value());
  return hex(out);
}

bool refused_for_length(const Result<void>& result) {
  return !result && result.error().domain == ErrorDomain::crypto &&
         result.error().code == static_cast<uint64_t>(Failure::length);
}

}  // namespace

TEST_SUITE("hkdf") {
  TEST_CASE("extract and expand give the keys of RFC 5869") {
    for (const HashAlgorithm* algorithm : runnable(HashId::sha256)) {
      CAPTURE(algorithm->implementation);
      for (const Example& example : kExamples) {
        const Digest key = hkdf_extract(*algorithm, unhex(example.salt), unhex(example.input));
        CHECK(hex(key) == example.pseudorandom_key);
        std::vector<uint8_t> out(example.output.size() / 2);
        REQUIRE(hkdf_expand(*algorithm, key, unhex(example.info), out).has_value());
        CHECK(hex(out) == example.output);
      }
    }
  }

  // RFC 5869 §2.2: "if not provided, [salt] is set to a string of HashLen zeros".
  TEST_CASE("an empty salt is the same as digest_size zeros") {
    for (const HashAlgorithm* algorithm : runnable()) {
      CAPTURE(algorithm->name);
      const std::vector<uint8_t> zeros(algorithm->digest_size);
      CHECK(hkdf_extract(*algorithm, {}, as_bytes("input")) == hkdf_extract(*algorithm, zeros, as_bytes("input")));
    }
  }

  TEST_CASE("the labels of RFC 9001 A.1 give the Initial keys of QUIC version 1") {
    for (const HashAlgorithm* algorithm : runnable(HashId::sha256)) {
      CAPTURE(algorithm->implementation);
      const Digest initial =
          hkdf_extract(*algorithm, unhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a"), unhex("8394c8f03e515708"));
      CHECK(hex(initial) == "7db5df06e7a69e432496adedb00851923595221596ae2ae9fb8115c1e9ed0a44");
      const std::string client = expand_label(*algorithm, initial, "client in", {}, 32);
      CHECK(client == "c00cf151ca5be075ed0ebfb5c80323c42d6b7db67881289af4008f1f6c357aea");
      CHECK(expand_label(*algorithm, unhex(client), "quic key", {}, 16) == "1f369613dd76d5467730efcbe3b1a22d");
      CHECK(expand_label(*algorithm, unhex(client), "quic iv", {}, 12) == "fa044b2f42a3fd3b46fb255c");
      CHECK(expand_label(*algorithm, unhex(client), "quic hp", {}, 16) == "9f50449e04a0e810283a1e9933adedd2");
      const std::string server = expand_label(*algorithm, initial, "server in", {}, 32);
      CHECK(server == "3c199828fd139efd216c155ad844cc81fb82fa8d7446fa7d78be803acdda951b");
      CHECK(expand_label(*algorithm, unhex(server), "quic key", {}, 16) == "cf3a5331653c364c88f0f379b6067e37");
      CHECK(expand_label(*algorithm, unhex(server), "quic iv", {}, 12) == "0ac1493ca1905853b0bba03e");
      CHECK(expand_label(*algorithm, unhex(server), "quic hp", {}, 16) == "c206b8d9b9f0f37644430b490eeaa314");
    }
  }

  TEST_CASE("the key schedule of RFC 8448 §3 up to the master secret's salt") {
    for (const HashAlgorithm* algorithm : runnable(HashId::sha256)) {
      CAPTURE(algorithm->implementation);
      const std::vector<uint8_t> zeros(32);
      const Digest empty = hash(*algorithm, {});
      const Digest early = hkdf_extract(*algorithm, {}, zeros);
      CHECK(hex(early) == "33ad0a1c607ec03b09e6cd9893680ce210adf300aa1f2660e1b22e10f170f92a");
      const std::string derived = expand_label(*algorithm, early, "derived", empty, 32);
      CHECK(derived == "6f2615a108c702c5678f54fc9dbab69716c076189c48250cebeac3576c3611ba");
      const Digest handshake = hkdf_extract(*algorithm, unhex(derived),
                                            unhex("8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d"));
      CHECK(hex(handshake) == "1dc826e93606aa6fdc0aadc12f741b01046aa6b99f691ed221a9f0ca043fbeac");
      const auto transcript = unhex("860c06edc07858ee8e78f0e7428c58edd6b43f2ca3e6e95f02ed063cf0e1cad8");
      CHECK(expand_label(*algorithm, handshake, "c hs traffic", transcript, 32) ==
            "b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21");
      CHECK(expand_label(*algorithm, handshake, "s hs traffic", transcript, 32) ==
            "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38");
      CHECK(expand_label(*algorithm, handshake, "derived", empty, 32) ==
            "43de77e0c77713859a944db9db2590b53190a65b3ee2e4f12dd7a0bb7ce254b4");
    }
  }

  TEST_CASE("expand is its definition at every output length, and a shorter output is a prefix of a longer one") {
    SeededRng rng(test_seed(1));
    for (const HashAlgorithm* algorithm : runnable()) {
      CAPTURE(algorithm->name);
      CAPTURE(algorithm->implementation);
      const auto key = rng.bytes(algorithm->digest_size);
      const auto info = rng.bytes(77);
      // RFC 5869 §2.3: T = T(1) | T(2) | ..., T(n) = HMAC(PRK, T(n - 1) | info | n).
      std::vector<uint8_t> expected, previous;
      for (uint8_t counter = 1; counter <= 4; counter++) {
        previous.insert(previous.end(), info.begin(), info.end());
        previous.push_back(counter);
        const Digest piece = hmac(*algorithm, key, previous);
        previous.assign(piece.bytes().begin(), piece.bytes().end());
        expected.insert(expected.end(), previous.begin(), previous.end());
      }
      for (size_t size = 0; size <= expected.size(); size++) {
        std::vector<uint8_t> out(size);
        REQUIRE(hkdf_expand(*algorithm, key, info, out).has_value());
        CHECK(hex(out) == hex(Bytes(expected).first(size)));
      }
    }
  }

  TEST_CASE("expand-label is expand of the HkdfLabel structure of RFC 8446 §7.1") {
    SeededRng rng(test_seed(2));
    for (const HashAlgorithm* algorithm : runnable(HashId::sha384)) {
      const auto secret = rng.bytes(48);
      for (const size_t label_size : {size_t{0}, size_t{1}, size_t{12}, size_t{249}}) {
        for (const size_t context_size : {size_t{0}, size_t{1}, size_t{48}, size_t{255}}) {
          const std::string label(label_size, 'l');
          const auto context = rng.bytes(context_size);
          std::vector<uint8_t> info{0x01, 0x03, static_cast<uint8_t>(6 + label_size)};
          for (const char c : "tls13 " + label) info.push_back(static_cast<uint8_t>(c));
          info.push_back(static_cast<uint8_t>(context_size));
          info.insert(info.end(), context.begin(), context.end());
          std::vector<uint8_t> expected(0x103);
          REQUIRE(hkdf_expand(*algorithm, secret, info, expected).has_value());
          CHECK(expand_label(*algorithm, secret, label, context, 0x103) == hex(expected));
        }
      }
    }
  }

  TEST_CASE("lengths that the formats cannot carry are refused, the longest that they can are not") {
    for (const HashAlgorithm* algorithm : runnable()) {
      CAPTURE(algorithm->name);
      const std::vector<uint8_t> secret(32), context(256);
      const std::string label(250, 'l');
      std::vector<uint8_t> out(255 * algorithm->digest_size + 1);
      CHECK(hkdf_expand(*algorithm, secret, {}, MutBytes(out).first(out.size() - 1)).has_value());
      CHECK(refused_for_length(hkdf_expand(*algorithm, secret, {}, out)));
      const MutBytes some = MutBytes(out).first(32);
      CHECK(refused_for_length(hkdf_expand_label(*algorithm, secret, "label", {}, out)));
      CHECK(refused_for_length(hkdf_expand_label(*algorithm, secret, label, {}, some)));
      CHECK(refused_for_length(hkdf_expand_label(*algorithm, secret, "label", context, some)));
      CHECK(hkdf_expand_label(*algorithm, secret, label.substr(1), Bytes(context).first(255), some).has_value());
    }
    std::vector<uint8_t> beyond_16_bits(65536);
    CHECK(refused_for_length(hkdf_expand_label(*best().sha512, beyond_16_bits, "label", {}, beyond_16_bits)));
  }
}
