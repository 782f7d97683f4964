// SHA-256, SHA-384 and SHA-512 against the examples of RFC 6234 §8.5 and FIPS 180.
#include "crypto/hash.h"
#include "tests/crypto/hash_support.h"

#include <doctest/doctest.h>

namespace {

using namespace quoll;
using namespace quoll::crypto;
using namespace quoll::tests::hashes;

struct Example {
  HashId id;
  std::string_view message;
  std::string_view digest;
};

constexpr std::string_view kOneBlock = "abc";
constexpr std::string_view kTwoBlocks256 = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
constexpr std::string_view kTwoBlocks512 =
    "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu";

constexpr Example kExamples[] = {
    {HashId::sha256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {HashId::sha256, kOneBlock, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {HashId::sha256, kTwoBlocks256, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {HashId::sha384, "",
     "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b"},
    {HashId::sha384, kOneBlock,
     "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"},
    {HashId::sha384, kTwoBlocks512,
     "09330c33f71147e83d192fc782cd1b4753111b173b3b05d22fa08086e3b0f712fcc7c71a557e2db966c3e9fa91746039"},
    {HashId::sha512, "",
     "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
     "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"},
    {HashId::sha512, kOneBlock,
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
     "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
    {HashId::sha512, kTwoBlocks512,
     "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018"
     "501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909"},
};

constexpr Example kMillionA[] = {
    {HashId::sha256, "a", "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
    {HashId::sha384, "a",
     "9d0e1809716474cb086e834e310a4a1ced149e9c00f248527972cec5704c2a5b07b8b3dc38ecc4ebae97ddd87f3d8985"},
    {HashId::sha512, "a",
     "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973eb"
     "de0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b"},
};

}  // namespace

TEST_SUITE("sha2") {
  TEST_CASE("every implementation of SHA-2 gives the digests of RFC 6234's examples") {
    for (const Example& example : kExamples) {
      const auto implementations = runnable(example.id);
      REQUIRE(!implementations.empty());
      for (const HashAlgorithm* algorithm : implementations) {
        CAPTURE(algorithm->name);
        CAPTURE(algorithm->implementation);
        CHECK(hex(hash(*algorithm, as_bytes(example.message))) == example.digest);
      }
    }
  }

  TEST_CASE("a million letters, in one piece and in pieces of 1000, give the published digests") {
    const std::string message(1'000'000, 'a');
    for (const Example& example : kMillionA) {
      for (const HashAlgorithm* algorithm : runnable(example.id)) {
        CAPTURE(algorithm->name);
        CAPTURE(algorithm->implementation);
        CHECK(hex(hash(*algorithm, as_bytes(message))) == example.digest);
        Hash pieces(*algorithm);
        for (size_t i = 0; i < 1000; i++) pieces.update(as_bytes(message).first(1000));
        CHECK(hex(pieces.digest()) == example.digest);
      }
    }
  }

  TEST_CASE("the length field counts all the bits of enormous messages") {
    // The last block of a message of 2^61 and more bytes, whose chaining value is pretended to be the initial one. The
    // digests were computed with a model in Python.
    constexpr Example kTails[] = {
        {HashId::sha256, "1fdb97530eca8600", "21e9d88d97f8ffdb62e8be65dc022e7033f9f586511b77d02d3f98d82d27560a"},
        {HashId::sha384, "fedcba9876543000",
         "30f582c0ac8cd753538454fbac0aa90ecd7ab9c45cc590f69457e475d27df8fb75e26cf7f654c656471114b7b9c7d982"},
        {HashId::sha512, "fedcba9876543000",
         "939ac0ca413b38f6fec787397c815a9be80a048d587edab3f693ab9f3d57ad87"
         "0a318787d6df0c229cb2715172905f713e77235ffa040ac92faad5b887e1e39e"},
    };
    for (const Example& tail : kTails) {
      for (const HashAlgorithm* algorithm : runnable(tail.id)) {
        CAPTURE(algorithm->name);
        CAPTURE(algorithm->implementation);
        HashState state;
        algorithm->init(state);
        Digest digest(algorithm->digest_size);
        algorithm->finish(state, {}, load_be<uint64_t>(unhex(tail.message).data()), digest.data());
        CHECK(hex(digest) == tail.digest);
      }
    }
  }
}
