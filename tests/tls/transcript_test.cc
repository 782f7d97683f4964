// The transcript hash (RFC 8446 §4.4.1).
#include "tls/transcript.h"

#include "crypto/provider.h"

#include <doctest/doctest.h>

namespace quoll::tls {
namespace {

using Buffer = std::vector<uint8_t>;

const crypto::HashAlgorithm& sha256() { return *crypto::best().sha256; }
const crypto::HashAlgorithm& sha384() { return *crypto::best().sha384; }

crypto::Digest hash_of_all(const crypto::HashAlgorithm& algorithm, std::initializer_list<Bytes> parts) {
  Buffer all;
  for (const Bytes part : parts) all.insert(all.end(), part.begin(), part.end());
  return crypto::hash(algorithm, all);
}

TEST_SUITE("transcript") {
  const Buffer first = {1, 0, 0, 1, 0xaa}, second = {2, 0, 0, 2, 0xbb, 0xcc}, third = {8, 0, 0, 0};

  TEST_CASE("messages before and after the choice of the hash count alike") {
    for (const crypto::HashAlgorithm* algorithm : {&sha256(), &sha384()}) {
      Transcript transcript;
      transcript.add(first);
      CHECK_FALSE(transcript.is_chosen());
      transcript.choose(*algorithm);
      CHECK(transcript.is_chosen());
      CHECK(transcript.digest() == hash_of_all(*algorithm, {first}));
      transcript.add(second);
      transcript.choose(*algorithm);  // again the same
      transcript.add(third);
      CHECK(transcript.digest() == hash_of_all(*algorithm, {first, second, third}));
    }
  }

  TEST_CASE("a transcript without messages is the hash of nothing") {
    Transcript transcript;
    transcript.choose(sha256());
    CHECK(transcript.digest() == crypto::hash(sha256(), {}));
  }

  TEST_CASE("a part of the next message is hashed behind the others, and not kept") {
    Transcript transcript;
    transcript.add(first);
    const Bytes part = Bytes(second).first(3);
    CHECK(transcript.digest_with(sha384(), part) == hash_of_all(sha384(), {first, part}));
    CHECK(transcript.digest_with(sha256(), part) == hash_of_all(sha256(), {first, part}));
    CHECK_FALSE(transcript.is_chosen());
    transcript.choose(sha256());
    CHECK(transcript.digest_with(sha256(), part) == hash_of_all(sha256(), {first, part}));
    CHECK(transcript.digest() == hash_of_all(sha256(), {first}));
  }

  // RFC 8446 §4.4.1: message_hash || 00 00 Hash.length || Hash(ClientHello1).
  TEST_CASE("after a HelloRetryRequest a message_hash stands for the first ClientHello") {
    for (const crypto::HashAlgorithm* algorithm : {&sha256(), &sha384()}) {
      Transcript transcript;
      transcript.add(first);
      transcript.choose(*algorithm);
      transcript.replace_with_message_hash();
      transcript.add(second);
      const Buffer header = {254, 0, 0, static_cast<uint8_t>(algorithm->digest_size)};
      CHECK(transcript.digest() == hash_of_all(*algorithm, {header, crypto::hash(*algorithm, first).bytes(), second}));
    }
  }
}

}  // namespace
}  // namespace quoll::tls
