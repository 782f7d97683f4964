#include "qpack/huffman.h"

#include <string>
#include <vector>

#include "tests/qpack/support.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::qpack;
using namespace quoll::qpack::tests;

namespace {

std::vector<uint8_t> encode(std::string_view text) {
  std::vector<uint8_t> out(huffman_size(text));
  huffman_encode(text, out.data());
  return out;
}

HuffmanStatus status_of(std::string_view encoded) {
  std::vector<uint8_t> room(256);
  return huffman_decode(hex(encoded), room).status;
}

}  // namespace

// RFC 7541 §5.2 and appendix C.4.
TEST_CASE("the Huffman code of known texts") {
  CHECK(encode("www.example.com") == hex("f1e3c2e5f23a6ba0ab90f4ff"));
  CHECK(encode("no-cache") == hex("a8eb10649cbf"));
  CHECK(encode("custom-value") == hex("25a849e95bb8e8b4bf"));
  CHECK(encode("").empty());
}

TEST_CASE("random texts survive the Huffman code, whatever their bytes") {
  const uint64_t seed = quoll::tests::test_seed(9204);
  INFO("QUOLL_TEST_SEED=", seed);
  quoll::tests::SeededRng rng(seed);
  for (int i = 0; i < 2000; i++) {
    std::vector<uint8_t> text = rng.bytes(rng.bytes(1)[0] % 64);
    if (i % 2 == 0) {
      for (uint8_t& c : text) c = static_cast<uint8_t>(0x20 + c % 0x5f);
    }
    const std::vector<uint8_t> encoded = encode(as_text(text));
    std::vector<uint8_t> decoded(text.size());
    const HuffmanDecoded result = huffman_decode(encoded, decoded);
    CHECK(result.status == HuffmanStatus::done);
    CHECK(result.size == text.size());
    CHECK(decoded == text);
    CHECK(huffman_decoded_min(encoded.size()) <= text.size());
    CHECK(text.size() <= huffman_decoded_max(encoded.size()));
    if (text.empty()) continue;
    std::vector<uint8_t> small(text.size() - 1);
    CHECK(huffman_decode(encoded, small).status == HuffmanStatus::too_large);
  }
}

// RFC 7541 §5.2: padding longer than 7 bits, or not the beginning of EOS, and EOS itself are errors.
TEST_CASE("padding and EOS in Huffman code are strict") {
  CHECK(status_of("1f") == HuffmanStatus::done);       // "a" and 3 bits of ones
  CHECK(status_of("1e") == HuffmanStatus::invalid);    // the padding has a zero
  CHECK(status_of("18") == HuffmanStatus::invalid);    // and here nothing else
  CHECK(status_of("1fff") == HuffmanStatus::invalid);  // 11 bits of padding
  CHECK(status_of("ff") == HuffmanStatus::invalid);    // 8 bits of padding
  CHECK(status_of("ffffffff") == HuffmanStatus::invalid);
  CHECK(status_of("fffffffc") == HuffmanStatus::invalid);  // EOS and 2 bits
  CHECK(status_of("1ffffffffc") == HuffmanStatus::invalid);
  CHECK(status_of("fffffffd") == HuffmanStatus::invalid);
  CHECK(status_of("") == HuffmanStatus::done);
}
