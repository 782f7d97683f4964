// Poly1305: the vectors of RFC 8439, and all implementations against each other where carries are at their worst.
#include "crypto/poly1305.h"

#include <vector>

#include "crypto/chacha20.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

namespace quoll::crypto {
namespace {

using tests::SeededRng;
using Buffer = std::vector<uint8_t>;

Buffer unhex(std::string_view hex) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  Buffer bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<uint8_t>(digit(hex[i]) << 4 | digit(hex[i + 1])));
  }
  return bytes;
}

template <class F>
void for_each_poly1305(F body) {
  for (const auto list : {portable_poly1305s(), native_poly1305s()}) {
    for (const Poly1305* entry : list) {
      if (!entry->runs_on(cpu::features(), cpu::cap())) continue;
      CAPTURE(entry->implementation);
      body(*entry);
    }
  }
}

Buffer mac(const Poly1305& poly1305, const Buffer& key, Bytes message) {
  Buffer tag(kPoly1305TagSize);
  poly1305.mac(key.data(), message, tag.data());
  return tag;
}

/// All implementations must give one tag.
void require_agreement(const Buffer& key, Bytes message) {
  const Buffer expected = mac(*portable_poly1305s().front(), key, message);
  for_each_poly1305([&](const Poly1305& poly1305) { REQUIRE(mac(poly1305, key, message) == expected); });
}

struct Vector {
  std::string_view source, key, message, tag;
};

// Numbers 5 to 11 of A.3 are about partial reduction: results that equal p or exceed it, and carries out of full limbs.
constexpr Vector kVectors[] = {
    {"§2.5.2", "85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b",
     "43727970746f6772617068696320466f72756d2052657365617263682047726f7570", "a8061dc1305136c6c22b8baf0c0127a9"},
    {"A.3 #1", "0000000000000000000000000000000000000000000000000000000000000000",
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000",
     "00000000000000000000000000000000"},
    {"A.3 #2", "0000000000000000000000000000000036e5f6b5c5e06070f0efca96227a863e",
     "416e79207375626d697373696f6e20746f20746865204945544620696e74656e6465642062792074686520436f6e74726962"
     "75746f7220666f72207075626c69636174696f6e20617320616c6c206f722070617274206f6620616e204945544620496e74"
     "65726e65742d4472616674206f722052464320616e6420616e792073746174656d656e74206d6164652077697468696e2074"
     "686520636f6e74657874206f6620616e204945544620616374697669747920697320636f6e7369646572656420616e202249"
     "45544620436f6e747269627574696f6e222e20537563682073746174656d656e747320696e636c756465206f72616c207374"
     "6174656d656e747320696e20494554462073657373696f6e732c2061732077656c6c206173207772697474656e20616e6420"
     "656c656374726f6e696320636f6d6d756e69636174696f6e73206d61646520617420616e792074696d65206f7220706c6163"
     "652c207768696368206172652061646472657373656420746f",
     "36e5f6b5c5e06070f0efca96227a863e"},
    {"A.3 #3", "36e5f6b5c5e06070f0efca96227a863e00000000000000000000000000000000",
     "416e79207375626d697373696f6e20746f20746865204945544620696e74656e6465642062792074686520436f6e74726962"
     "75746f7220666f72207075626c69636174696f6e20617320616c6c206f722070617274206f6620616e204945544620496e74"
     "65726e65742d4472616674206f722052464320616e6420616e792073746174656d656e74206d6164652077697468696e2074"
     "686520636f6e74657874206f6620616e204945544620616374697669747920697320636f6e7369646572656420616e202249"
     "45544620436f6e747269627574696f6e222e20537563682073746174656d656e747320696e636c756465206f72616c207374"
     "6174656d656e747320696e20494554462073657373696f6e732c2061732077656c6c206173207772697474656e20616e6420"
     "656c656374726f6e696320636f6d6d756e69636174696f6e73206d61646520617420616e792074696d65206f7220706c6163"
     "652c207768696368206172652061646472657373656420746f",
     "f3477e7cd95417af89a6b8794c310cf0"},
    {"A.3 #4", "1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0",
     "2754776173206272696c6c69672c20616e642074686520736c6974687920746f7665730a446964206779726520616e642067"
     "696d626c6520696e2074686520776162653a0a416c6c206d696d737920776572652074686520626f726f676f7665732c0a41"
     "6e6420746865206d6f6d65207261746873206f757467726162652e",
     "4541669a7eaaee61e708dc7cbcc5eb62"},
    {"A.3 #5", "0200000000000000000000000000000000000000000000000000000000000000", "ffffffffffffffffffffffffffffffff",
     "03000000000000000000000000000000"},
    {"A.3 #6", "02000000000000000000000000000000ffffffffffffffffffffffffffffffff", "02000000000000000000000000000000",
     "03000000000000000000000000000000"},
    {"A.3 #7", "0100000000000000000000000000000000000000000000000000000000000000",
     "fffffffffffffffffffffffffffffffff0ffffffffffffffffffffffffffffff11000000000000000000000000000000",
     "05000000000000000000000000000000"},
    {"A.3 #8", "0100000000000000000000000000000000000000000000000000000000000000",
     "fffffffffffffffffffffffffffffffffbfefefefefefefefefefefefefefefe01010101010101010101010101010101",
     "00000000000000000000000000000000"},
    {"A.3 #9", "0200000000000000000000000000000000000000000000000000000000000000", "fdffffffffffffffffffffffffffffff",
     "faffffffffffffffffffffffffffffff"},
    {"A.3 #10", "0100000000000000040000000000000000000000000000000000000000000000",
     "e33594d7505e43b900000000000000003394d7505e4379cd0100000000000000000000000000000000000000000000000100"
     "0000000000000000000000000000",
     "14000000000000005500000000000000"},
    {"A.3 #11", "0100000000000000040000000000000000000000000000000000000000000000",
     "e33594d7505e43b900000000000000003394d7505e4379cd010000000000000000000000000000000000000000000000",
     "13000000000000000000000000000000"},
};

TEST_CASE("Poly1305 gives the tags of RFC 8439") {
  for (const Vector& v : kVectors) {
    CAPTURE(v.source);
    for_each_poly1305(
        [&](const Poly1305& poly1305) { CHECK(mac(poly1305, unhex(v.key), unhex(v.message)) == unhex(v.tag)); });
  }
}

struct KeyVector {
  std::string_view source, key, nonce, one_time_key;
};

constexpr KeyVector kKeys[] = {
    {"§2.6.2", "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f", "000000000001020304050607",
     "8ad5a08b905f81cc815040274ab29471a833b637e3fd0da508dbb8e2fdd1a646"},
    {"A.4 #1", "0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
     "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"},
    {"A.4 #2", "0000000000000000000000000000000000000000000000000000000000000001", "000000000000000000000002",
     "ecfa254f845f647473d3cb140da9e87606cb33066c447b87bc2666dde3fbb739"},
    {"A.4 #3", "1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0", "000000000000000000000002",
     "965e3bc6f9ec7ed9560808f4d229f94b137ff275ca9b3fcbdd59deaad23310ae"},
};

TEST_CASE("the one-time key of Poly1305 is the first half of ChaCha20's block 0") {
  for (const KeyVector& v : kKeys) {
    CAPTURE(v.source);
    Buffer block(kChaCha20BlockSize);
    chacha20_block(unhex(v.key).data(), 0, unhex(v.nonce).data(), block.data());
    block.resize(kPoly1305KeySize);
    CHECK(block == unhex(v.one_time_key));
  }
}

TEST_CASE("every Poly1305 gives the same tag at every length from 0 to 2100") {
  const uint64_t seed = tests::test_seed(21);
  CAPTURE(seed);
  SeededRng rng(seed);
  const Buffer message = rng.bytes(2100);
  for (size_t size = 0; size <= message.size(); size++) {
    CAPTURE(size);
    require_agreement(rng.bytes(kPoly1305KeySize), Bytes(message).first(size));
  }
}

TEST_CASE("every Poly1305 carries right when limbs are full") {
  const uint64_t seed = tests::test_seed(22);
  CAPTURE(seed);
  SeededRng rng(seed);
  // Blocks of all ones, of p - 2^128 and its neighbours, of zeros and of one full limb; r maximal, minimal and in
  // between.
  const Buffer blocks[] = {
      unhex("ffffffffffffffffffffffffffffffff"), unhex("fbffffffffffffffffffffffffffffff"),
      unhex("faffffffffffffffffffffffffffffff"), unhex("fcffffffffffffffffffffffffffffff"),
      unhex("00000000000000000000000000000000"), unhex("ffffffffffffffff0000000000000000"),
      unhex("0000000000000000ffffffffffffffff"), unhex("ffffff03000000000000000000000000"),
  };
  const Buffer rs[] = {
      unhex("ffffffffffffffffffffffffffffffff"), unhex("ffffff0ffcffff0ffcffff0ffcffff0f"),
      unhex("00000000000000000000000000000000"), unhex("01000000000000000000000000000000"),
      unhex("0000000000000000fcffff0ffcffff0f"), unhex("ffffff0ffcffff0f0000000000000000"),
      unhex("02000000000000000000000000000000"), unhex("00000000000000000400000000000000"),
  };
  for (const Buffer& r : rs) {
    for (const uint8_t s : {uint8_t{0x00}, uint8_t{0xff}}) {
      Buffer key = r;
      key.resize(kPoly1305KeySize, s);
      for (const Buffer& block : blocks) {  // the same block throughout
        Buffer message;
        for (int i = 0; i < 70; i++) {
          message.insert(message.end(), block.begin(), block.end());
          require_agreement(key, message);
        }
        message.pop_back();
        require_agreement(key, message);
      }
      for (int round = 0; round < 60; round++) {  // and mixed
        Buffer message;
        const size_t count = rng.below(100);
        for (size_t i = 0; i < count; i++) {
          const Buffer& block = blocks[rng.below(std::size(blocks))];
          message.insert(message.end(), block.begin(), block.end());
        }
        require_agreement(key, message);
      }
    }
  }
}

}  // namespace
}  // namespace quoll::crypto
