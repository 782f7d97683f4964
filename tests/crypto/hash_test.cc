// The running Hash, over every implementation of every hash function: chunks, copies, equality of implementations.
#include "crypto/hash.h"
#include "tests/crypto/hash_support.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

namespace {

using namespace quoll;
using namespace quoll::crypto;
using namespace quoll::tests;
using namespace quoll::tests::hashes;

}  // namespace

TEST_SUITE("hash") {
  TEST_CASE("implementations of one hash function agree at every length from 0 to 4096") {
    SeededRng rng(test_seed(1));
    const auto message = rng.bytes(4096);
    for (const HashAlgorithm* algorithm : runnable()) {
      const HashAlgorithm* reference = runnable(algorithm->id).front();
      CAPTURE(algorithm->name);
      CAPTURE(algorithm->implementation);
      for (size_t length = 0; length <= message.size(); length++) {
        const Bytes part = Bytes(message).first(length);
        const std::string expected = hex(hash(*reference, part));
        CHECK(hex(hash(*algorithm, part)) == expected);
        CHECK(hex(Hash(*algorithm).update(part).digest()) == expected);
      }
    }
  }

  TEST_CASE("implementations agree on many blocks in a row, at any alignment") {
    SeededRng rng(test_seed(2));
    const auto message = rng.bytes(5000);
    for (const HashAlgorithm* algorithm : runnable()) {
      const HashAlgorithm* reference = runnable(algorithm->id).front();
      CAPTURE(algorithm->name);
      CAPTURE(algorithm->implementation);
      for (size_t i = 0; i < 40; i++) {
        const Bytes part = Bytes(message).subspan(rng.below(64), rng.below(4900));
        CHECK(hex(hash(*algorithm, part)) == hex(hash(*reference, part)));
      }
    }
  }

  TEST_CASE("the digest does not depend on how the message is cut") {
    const uint64_t seed = test_seed(3);
    INFO("QUOLL_TEST_SEED=" << seed);
    SeededRng rng(seed);
    for (const HashAlgorithm* algorithm : runnable()) {
      CAPTURE(algorithm->name);
      CAPTURE(algorithm->implementation);
      for (int round = 0; round < 100; round++) {
        const auto message = rng.bytes(rng.below(2000));
        Hash chunks(*algorithm);
        for (Bytes rest = message; !rest.empty();) {
          const size_t longest = rng.below(2) ? 20 : 500;
          const Bytes chunk = rest.first(std::min(rest.size(), static_cast<size_t>(rng.below(longest))));
          chunks.update(chunk);
          rest = rest.subspan(chunk.size());
        }
        CHECK(hex(chunks.digest()) == hex(hash(*algorithm, message)));
      }
    }
  }

  TEST_CASE("a digest can be read at every byte and the computation goes on") {
    SeededRng rng(test_seed(4));
    const auto message = rng.bytes(4096);
    for (const HashAlgorithm* algorithm : runnable()) {
      CAPTURE(algorithm->name);
      CAPTURE(algorithm->implementation);
      Hash running(*algorithm);
      for (size_t i = 0; i < message.size(); i++) {
        REQUIRE(hex(running.digest()) == hex(hash(*algorithm, Bytes(message).first(i))));
        running.update({&message[i], 1});
      }
      CHECK(running.digest() == hash(*algorithm, message));
    }
  }

  TEST_CASE("a copy in mid-stream goes its own way") {
    SeededRng rng(test_seed(5));
    const auto message = rng.bytes(500);
    for (const HashAlgorithm* algorithm : runnable()) {
      CAPTURE(algorithm->name);
      CAPTURE(algorithm->implementation);
      for (size_t cut = 0; cut < message.size(); cut += 37) {
        Hash original(*algorithm);
        original.update(Bytes(message).first(cut));
        Hash copy = original;
        original.update(Bytes(message).subspan(cut));
        CHECK(hex(copy.digest()) == hex(hash(*algorithm, Bytes(message).first(cut))));
        CHECK(hex(original.digest()) == hex(hash(*algorithm, message)));
        copy = original;
        CHECK(copy.digest() == original.digest());
      }
    }
  }

  TEST_CASE("an empty update, even of no memory, changes nothing") {
    for (const HashAlgorithm* algorithm : runnable()) {
      CAPTURE(algorithm->name);
      Hash running(*algorithm);
      running.update({}).update(as_bytes("abc")).update({});
      CHECK(running.digest() == hash(*algorithm, as_bytes("abc")));
    }
  }

  TEST_CASE("digest_into writes digest_size bytes and no more") {
    for (const HashAlgorithm* algorithm : runnable()) {
      CAPTURE(algorithm->name);
      CAPTURE(algorithm->implementation);
      std::array<uint8_t, kDigestSizeMax + 1> out;
      out.fill(0xa5);
      Hash(*algorithm).update(as_bytes("abc")).digest_into(out.data());
      CHECK(hex(Bytes(out).first(algorithm->digest_size)) == hex(hash(*algorithm, as_bytes("abc"))));
      CHECK(out[algorithm->digest_size] == 0xa5);
    }
  }

  TEST_CASE("a finish may write its digest over its tail") {
    for (const HashAlgorithm* algorithm : runnable()) {
      CAPTURE(algorithm->name);
      CAPTURE(algorithm->implementation);
      const Digest message = hash(*algorithm, as_bytes("message"));
      Digest both = message;
      HashState state;
      algorithm->init(state);
      algorithm->finish(state, both.bytes(), both.size(), both.data());
      CHECK(hex(both) == hex(hash(*algorithm, message)));
    }
  }

  TEST_CASE("the constants of a table fit the buffers that hold what they describe") {
    for (const HashAlgorithm* algorithm : runnable()) {
      CAPTURE(algorithm->name);
      CHECK(algorithm->digest_size <= kDigestSizeMax);
      CHECK(algorithm->block_size <= kHashBlockSizeMax);
      CHECK(algorithm->digest_size < algorithm->block_size);  // HMAC's outer hash is a single finish
    }
  }
}
