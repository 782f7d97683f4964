#include "tls/message_assembler.h"

#include <vector>

#include "tests/support/heap.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>  // last: its macros must not reach our headers

namespace quoll::tls {
namespace {

std::vector<uint8_t> message(HandshakeType type, std::vector<uint8_t> body) {
  std::vector<uint8_t> whole = {static_cast<uint8_t>(type), 0, static_cast<uint8_t>(body.size() >> 8),
                                static_cast<uint8_t>(body.size())};
  whole.insert(whole.end(), body.begin(), body.end());
  return whole;
}

/// What comes out of `stream` when it is fed in pieces of the given sizes (the rest in one).
std::vector<std::vector<uint8_t>> cut(const std::vector<uint8_t>& stream, std::span<const size_t> pieces) {
  MessageAssembler assembler;
  std::vector<std::vector<uint8_t>> messages;
  size_t at = 0;
  for (size_t i = 0; at < stream.size(); i++) {
    const size_t size = i < pieces.size() ? std::min(pieces[i], stream.size() - at) : stream.size() - at;
    // A copy of its own, so that a sanitizer sees views that outlive their piece.
    const std::vector<uint8_t> piece(stream.begin() + static_cast<ptrdiff_t>(at),
                                     stream.begin() + static_cast<ptrdiff_t>(at + size));
    Bytes input = piece;
    for (;;) {
      const auto next = assembler.next(input, 1 << 16);
      REQUIRE(next.has_value());
      if (!*next) break;
      CHECK((*next)->body.size() + kHandshakeHeaderSize == (*next)->whole.size());
      CHECK(static_cast<uint8_t>((*next)->type) == (*next)->whole[0]);
      messages.emplace_back((*next)->whole.begin(), (*next)->whole.end());
    }
    CHECK(input.empty());
    at += size;
  }
  CHECK(!assembler.is_within_message());
  return messages;
}

}  // namespace

TEST_CASE("Messages come out whole however their bytes are cut") {
  const uint64_t seed = quoll::tests::test_seed(1);
  INFO("seed " << seed);
  quoll::tests::SeededRng rng(seed);
  for (int round = 0; round < 200; round++) {
    std::vector<std::vector<uint8_t>> expected;
    std::vector<uint8_t> stream;
    for (uint64_t count = 1 + rng.below(6); count > 0; count--) {
      std::vector<uint8_t> body(rng.below(4) == 0 ? 0 : rng.below(700));
      rng.fill(body);
      expected.push_back(message(static_cast<HandshakeType>(1 + rng.below(20)), body));
      stream.insert(stream.end(), expected.back().begin(), expected.back().end());
    }
    std::vector<size_t> pieces;
    for (size_t total = 0; total < stream.size(); total += pieces.back()) {
      pieces.push_back(rng.below(3) == 0 ? 1 + rng.below(5) : 1 + rng.below(900));
    }
    CHECK(cut(stream, pieces) == expected);
    CHECK(cut(stream, {}) == expected);
    const std::vector<size_t> single_bytes(stream.size(), 1);
    CHECK(cut(stream, single_bytes) == expected);
  }
}

TEST_CASE("A message that lies whole in what arrived is not copied") {
  const auto stream = message(HandshakeType::finished, {1, 2, 3});
  MessageAssembler assembler;
  Bytes input = stream;
  const auto next = assembler.next(input, 100);
  REQUIRE((next && *next));
  CHECK((*next)->whole.data() == stream.data());
}

TEST_CASE("A message over the limit is refused before its body is collected") {
  MessageAssembler assembler;
  const std::vector<uint8_t> header = {1, 0, 0, 101};
  Bytes input = header;
  const auto refused = assembler.next(input, 100);
  REQUIRE(!refused);
  CHECK(refused.error().code == static_cast<uint64_t>(Alert::decode_error));
  MessageAssembler other;
  Bytes part = Bytes(header).first(3);
  CHECK((other.next(part, 101) && other.is_within_message()));
  Bytes last = Bytes(header).last(1);
  CHECK(other.next(last, 101).has_value());
  CHECK(other.is_within_message());
}

TEST_CASE("An assembler that was reset has forgotten the part it had") {
  MessageAssembler assembler;
  const std::vector<uint8_t> part = {1, 0, 0};
  Bytes input = part;
  CHECK(assembler.next(input, 100).has_value());
  CHECK(assembler.is_within_message());
  assembler.reset();
  CHECK(!assembler.is_within_message());
  const auto whole = message(HandshakeType::finished, {9});
  input = whole;
  const auto next = assembler.next(input, 100);
  REQUIRE((next && *next));
  CHECK((*next)->type == HandshakeType::finished);
}

TEST_CASE("An assembler that was reset holds no memory") {
  if (!quoll::tests::heap_is_counted()) {
    MESSAGE("SKIPPED: a sanitizer counts in its own way");
    return;
  }
  const auto whole = message(HandshakeType::client_hello, std::vector<uint8_t>(1000));
  const size_t before = quoll::tests::heap_bytes();
  MessageAssembler assembler;
  for (Bytes part : {Bytes(whole).first(500), Bytes(whole).subspan(500)}) {
    CHECK(assembler.next(part, 1000).has_value());
  }
  CHECK(quoll::tests::heap_bytes() > before);
  assembler.reset();
  CHECK(quoll::tests::heap_bytes() == before);
}

}  // namespace quoll::tls
