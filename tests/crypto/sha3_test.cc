// SHA-3 and SHAKE through their raw tables: published answers, any cut of the input and the output, and agreement of
// the implementations. tests/crypto/openssl_sha3_test.cc compares them with OpenSSL.
#include <string>
#include <vector>

#include "crypto/keccak.h"
#include "crypto/provider.h"
#include "tests/crypto/sha3_support.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

namespace quoll::tests {
namespace {

using namespace crypto;

TEST_CASE("SHA3-256 and SHA3-512 give the answers of the FIPS 202 examples") {
  struct Answer {
    HashId id;
    std::string message;
    const char* digest;
  };
  const std::string long_message(200, '\xa3');
  const Answer answers[] = {
      {HashId::sha3_256, "", "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a"},
      {HashId::sha3_256, "abc", "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"},
      {HashId::sha3_256, long_message, "79f38adec5c20307a98ef76e8324afbfd46cfd81b22e3973c65fa1bd9de31787"},
      {HashId::sha3_512, "",
       "a69f73cca23a9ac5c8b567dc185a756e97c982164fe25859e0d1dcc1475c80a6"
       "15b2123af1f5f94c11e3e9402c3ac558f500199d95b6d3e301758586281dcd26"},
      {HashId::sha3_512, "abc",
       "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e"
       "10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0"},
      {HashId::sha3_512, long_message,
       "e76dfad22084a8b1467fcf2ffa58361bec7628edf5f3fdc0e4805dc48caeeca8"
       "1b7c13c30adf52a3659584739a2df46be589c51ca1a4a8416df6545a1ce8ba00"},
  };
  for (const Answer& answer : answers) {
    for (const HashAlgorithm* algorithm : sha3_implementations(answer.id)) {
      CAPTURE(algorithm->implementation);
      CHECK(hex(sha3_digest(*algorithm, as_bytes(answer.message))) == answer.digest);
    }
  }
}

TEST_CASE("SHAKE128 and SHAKE256 give the answers of the FIPS 202 examples") {
  const std::string long_message(200, '\xa3');
  for (const Keccak* keccak : keccaks()) {
    CAPTURE(keccak->implementation);
    CHECK(hex(squeezed(Shake::shake128(*keccak), 32)) ==
          "7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26");
    CHECK(hex(squeezed(Shake::shake256(*keccak), 32)) ==
          "46b9dd2b0ba88d13233b3feb743eeb243fcd52ea62b81b82b50c27646ed5762f");
    CHECK(hex(squeezed(Shake::shake128(*keccak).absorb(as_bytes(long_message)), 32)) ==
          "131ab8d2b594946b9c81333f9bb6e0ce75c3b93104fa3469d3917457385da037");
    CHECK(hex(squeezed(Shake::shake256(*keccak).absorb(as_bytes(long_message)), 32)) ==
          "cd8a920ed141aa0407a22d59288652e9d9f1a7ee0c1e7c1ca699424da84a904d");
    // The last 32 of the first 512 bytes lie in the fourth block.
    const auto stream = squeezed(Shake::shake128(*keccak), 512);
    CHECK(hex(Bytes(stream).last(32)) == "43e41b45a653f2a5c4492c1add544512dda2529833462b71a41a45be97290b6f");
  }
}

TEST_CASE("Keccak-f[1600] of the zero state is the published one and the same in every implementation") {
  for (const Keccak* keccak : keccaks()) {
    CAPTURE(keccak->implementation);
    std::array<uint64_t, kKeccakLanes> state{};
    keccak->permute(state.data());
    CHECK(state[0] == 0xf1258f7940e1dde7);
    CHECK(state[24] == 0xeaf1ff7b5ceca249);
  }
}

TEST_CASE("SHAKE does not depend on how its input and its output are cut") {
  const uint64_t seed = test_seed(202);
  INFO("seed ", seed);
  SeededRng rng(seed);
  for (const Keccak* keccak : keccaks()) {
    CAPTURE(keccak->implementation);
    for (int round = 0; round < 200; round++) {
      const auto message = rng.bytes(rng.below(700));
      const auto whole = squeezed(Shake::shake128(*keccak).absorb(message), 600);

      Shake shake = Shake::shake128(*keccak);
      for (size_t at = 0; at < message.size();) {
        const size_t piece = std::min<size_t>(rng.below(200), message.size() - at);
        shake.absorb(Bytes(message).subspan(at, piece));
        at += piece;
      }
      std::vector<uint8_t> pieces(whole.size());
      for (size_t at = 0; at < pieces.size();) {
        const size_t piece = std::min<size_t>(rng.below(200), pieces.size() - at);
        shake.squeeze(MutBytes(pieces).subspan(at, piece));
        at += piece;
      }
      CHECK(pieces == whole);
    }
  }
}

TEST_CASE("a copy of a Shake goes its own way") {
  Shake shake = Shake::shake256();
  shake.absorb(as_bytes("one "));
  Shake copy = shake;
  shake.absorb(as_bytes("two"));
  copy.absorb(as_bytes("three"));
  CHECK(squeezed(shake, 40) == squeezed(Shake::shake256().absorb(as_bytes("one two")), 40));
  CHECK(squeezed(copy, 40) == squeezed(Shake::shake256().absorb(as_bytes("one three")), 40));
}

}  // namespace
}  // namespace quoll::tests
