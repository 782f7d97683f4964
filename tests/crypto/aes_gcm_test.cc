// AES-GCM: published cases, and every implementation against the portable one at every size around its chunks.
#include <algorithm>

#include "tests/crypto/aes_support.h"
#include "tests/crypto/hash_support.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

namespace quoll::tests::aes {
namespace {

using crypto::Aead;
using crypto::AeadState;
using crypto::kAeadTagSize;
using crypto::Nonce;
using crypto::OpenJob;
using crypto::SealJob;
using hashes::hex;
using hashes::unhex;
using Buffer = std::vector<uint8_t>;

struct Vector {
  const char* name;
  const char* key;
  const char* nonce;
  const char* aad;
  const char* plaintext;
  const char* sealed;
};

// "The Galois/Counter Mode of Operation" (McGrew, Viega), appendix B, the cases with 96-bit nonces; RFC 9001 appendix
// A.3.
constexpr Vector kVectors[] = {
    {"case 1", "00000000000000000000000000000000", "000000000000000000000000", "", "",
     "58e2fccefa7e3061367f1d57a4e7455a"},
    {"case 2", "00000000000000000000000000000000", "000000000000000000000000", "", "00000000000000000000000000000000",
     "0388dace60b6a392f328c2b971b2fe78 ab6e47d42cec13bdf53a67b21257bddf"},
    {"case 3", "feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888", "",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525"
     "b16aedf5aa0de657ba637b391aafd255",
     "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa05"
     "1ba30b396a0aac973d58e091473f5985 4d5c2af327cd64a62cf35abd2ba6fab4"},
    {"case 4", "feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525"
     "b16aedf5aa0de657ba637b39",
     "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa05"
     "1ba30b396a0aac973d58e091 5bc94fbc3221a5db94fae95ae7121a47"},
    {"case 13", "0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000", "", "",
     "530f8afbc74536b9a963b4f1c4cb738b"},
    {"case 14", "0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000", "",
     "00000000000000000000000000000000", "cea7403d4d606b6e074ec5d3baf39d18 d0d1c8a799996bf0265b98b5d48ab919"},
    {"case 15", "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888", "",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525"
     "b16aedf5aa0de657ba637b391aafd255",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838"
     "c5f61e6393ba7a0abcc9f662898015ad b094dac5d93471bdec1a502270e3cc6c"},
    {"case 16", "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525"
     "b16aedf5aa0de657ba637b39",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838"
     "c5f61e6393ba7a0abcc9f662 76fc6ece0f4e1768cddf8853bb2d551b"},
    {"RFC 9001 A.3", "cf3a5331653c364c88f0f379b6067e37", "0ac1493ca1905853b0bba03f",
     "c1000000010008f067a5502a4262b50040750001",
     "02000000000600405a020000560303eefce7f7b37ba1d1632e96677825ddf73988cfc79825df566dc5430b9a045a1200"
     "130100002e00330024001d00209d3c940d89690b84d08a60993c144eca684d1081287c834d5311bcf32bb9da1a002b00"
     "020304",
     "5a482cd0991cd25b0aac406a5816b6394100f37a1c69797554780bb38cc5a99f5ede4cf73c3ec2493a1839b3dbcba3f6"
     "ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb19fb84022f8ef4cdd93795d77d06edbb7aaf2f58891850"
     "abbdca3d20398c276456cbc42158407dd074ee"},
};

Nonce nonce_of(const Buffer& bytes) {
  Nonce nonce{};
  copy_bytes(nonce.data(), bytes);
  return nonce;
}

Buffer seal(const Aead& aead, const AeadState& state, const Nonce& nonce, Bytes aad, std::span<const Bytes> pieces) {
  size_t size = 0;
  for (const Bytes piece : pieces) size += piece.size();
  Buffer out(size + kAeadTagSize);
  const SealJob job{.nonce = nonce, .aad = aad, .plaintext = pieces, .out = out.data()};
  aead.seal(state, {&job, 1});
  return out;
}

Buffer seal(const Aead& aead, const AeadState& state, const Nonce& nonce, Bytes aad, Bytes plaintext) {
  return seal(aead, state, nonce, aad, std::span(&plaintext, 1));
}

bool open(const Aead& aead, const AeadState& state, const Nonce& nonce, Bytes aad, Buffer& data) {
  OpenJob job{.nonce = nonce, .aad = aad, .data = data};
  aead.open(state, {&job, 1});
  return job.authentic;
}

TEST_CASE("AES-GCM seals and opens the published cases") {
  for (const Vector& vector : kVectors) {
    CAPTURE(vector.name);
    const auto key = unhex(vector.key), aad = unhex(vector.aad), plaintext = unhex(vector.plaintext);
    const Nonce nonce = nonce_of(unhex(vector.nonce));
    for (const Aead* aead : runnable_gcm(key.size())) {
      CAPTURE(aead->implementation);
      AeadState state;
      aead->expand_key(state, key.data());
      Buffer sealed = seal(*aead, state, nonce, aad, plaintext);
      CHECK(hex(sealed) == hex(unhex(vector.sealed)));
      REQUIRE(open(*aead, state, nonce, aad, sealed));
      CHECK(hex(Bytes(sealed).first(plaintext.size())) == hex(plaintext));
    }
  }
}

TEST_CASE("AES-GCM protects the client Initial of RFC 9001 A.2") {
  const auto key = unhex("1f369613dd76d5467730efcbe3b1a22d"),
             header = unhex("c300000001088394c8f03e5157080000449e00000002");
  const Nonce nonce = nonce_of(unhex("fa044b2f42a3fd3b46fb255e"));
  Buffer payload = unhex(
      "060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c00000413011302010000c0"
      "00000010000e00000b6578616d706c652e636f6dff01000100000a00080006001d0017001800100007000504616c706e0005000501"
      "00000000003300260024001d00209370b2c9caa47fbabaf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b0003020304"
      "000d0010000e0403050306030203080408050806002d00020101001c00024001003900320408ffffffffffffffff05048000ffff07"
      "048000ffff0801100104800075300901100f088394c8f03e51570806048000ffff");
  payload.resize(1162);
  for (const Aead* aead : runnable_gcm(16)) {
    CAPTURE(aead->implementation);
    AeadState state;
    aead->expand_key(state, key.data());
    const Buffer sealed = seal(*aead, state, nonce, header, payload);
    CHECK(hex(Bytes(sealed).first(16)) == "d1b1c98dd7689fb8ec11d242b123dc9b");
    CHECK(hex(Bytes(sealed).last(16)) == "e221af44860018ab0856972e194cd934");
  }
}

TEST_CASE("AES-GCM of every size agrees with the portable code, whole, in pieces, in place and opened") {
  const uint64_t seed = test_seed(5);
  INFO("seed ", seed);
  SeededRng rng(seed);
  for (const size_t key_size : {16, 32}) {
    const auto all = runnable_gcm(key_size);
    const Buffer key = rng.bytes(key_size);
    std::vector<AeadState> states(all.size());
    for (size_t i = 0; i < all.size(); i++) all[i]->expand_key(states[i], key.data());
    for (size_t size = 0; size <= 1100; size++) {
      CAPTURE(size);
      const Buffer plaintext = rng.bytes(size);
      const Buffer aad = rng.bytes(size % 10 == 0 ? rng.below(700) : rng.below(70));
      const Nonce nonce = nonce_of(rng.bytes(crypto::kAeadNonceSize));
      std::vector<Bytes> pieces;
      for (Bytes rest = plaintext; pieces.size() < 7;) {
        pieces.push_back(rest.first(pieces.size() == 6 ? rest.size() : rng.below(rest.size() + 1)));
        rest = rest.subspan(pieces.back().size());
      }
      const Buffer expected = seal(*all[0], states[0], nonce, aad, plaintext);
      for (size_t i = 1; i < all.size(); i++) {
        CAPTURE(all[i]->implementation);
        REQUIRE(seal(*all[i], states[i], nonce, aad, plaintext) == expected);
        REQUIRE(seal(*all[i], states[i], nonce, aad, pieces) == expected);
        Buffer in_place = plaintext;
        in_place.resize(size + kAeadTagSize);
        const Bytes text = Bytes(in_place).first(size);
        const SealJob job{.nonce = nonce, .aad = aad, .plaintext = {&text, 1}, .out = in_place.data()};
        all[i]->seal(states[i], {&job, 1});
        REQUIRE(in_place == expected);
        REQUIRE(open(*all[i], states[i], nonce, aad, in_place));
        REQUIRE(std::ranges::equal(text, plaintext));
        REQUIRE(std::ranges::equal(Bytes(in_place).last(kAeadTagSize), Bytes(expected).last(kAeadTagSize)));
      }
    }
  }
}

TEST_CASE("AES-GCM refuses any changed bit, zeroes the text and leaves the tag") {
  SeededRng rng(7);
  for (const size_t key_size : {16, 32}) {
    const Buffer key = rng.bytes(key_size);
    for (const Aead* aead : runnable_gcm(key_size)) {
      CAPTURE(aead->implementation);
      AeadState state;
      aead->expand_key(state, key.data());
      for (const size_t size : {0, 1, 95, 224, 480, 700}) {
        CAPTURE(size);
        const Buffer plaintext = rng.bytes(size), aad = rng.bytes(21);
        const Nonce nonce = nonce_of(rng.bytes(crypto::kAeadNonceSize));
        Buffer sealed = seal(*aead, state, nonce, aad, plaintext);
        for (size_t at = rng.below(8); at < sealed.size() * 8; at += 1 + rng.below(900)) {
          Buffer changed = sealed;
          changed[at / 8] ^= static_cast<uint8_t>(1 << at % 8);
          const Buffer tag(changed.end() - kAeadTagSize, changed.end());
          REQUIRE_FALSE(open(*aead, state, nonce, aad, changed));
          REQUIRE(std::ranges::all_of(Bytes(changed).first(size), [](uint8_t byte) { return byte == 0; }));
          REQUIRE(std::ranges::equal(Bytes(changed).last(kAeadTagSize), tag));
        }
        Buffer other_aad = aad;
        other_aad[rng.below(aad.size())] ^= 1;
        REQUIRE_FALSE(open(*aead, state, nonce, other_aad, sealed));
      }
    }
  }
}

TEST_CASE("AES-GCM of a batch is that of its messages one by one") {
  const uint64_t seed = test_seed(11);
  INFO("seed ", seed);
  SeededRng rng(seed);
  for (const size_t key_size : {16, 32}) {
    const Buffer key = rng.bytes(key_size);
    for (const Aead* aead : runnable_gcm(key_size)) {
      CAPTURE(aead->implementation);
      AeadState state;
      aead->expand_key(state, key.data());
      for (size_t count = 0; count < 8; count++) {
        std::vector<Buffer> plaintexts(count), aads(count), outs(count);
        std::vector<Bytes> pieces(count);
        std::vector<SealJob> jobs;
        std::vector<OpenJob> opening;
        for (size_t i = 0; i < count; i++) {
          plaintexts[i] = rng.bytes(rng.below(1500));
          aads[i] = rng.bytes(rng.below(45));
          pieces[i] = plaintexts[i];
          outs[i].resize(plaintexts[i].size() + kAeadTagSize);
          jobs.push_back({nonce_of(rng.bytes(crypto::kAeadNonceSize)), aads[i], {&pieces[i], 1}, outs[i].data()});
        }
        aead->seal(state, jobs);
        for (size_t i = 0; i < count; i++) {
          REQUIRE(outs[i] == seal(*aead, state, jobs[i].nonce, aads[i], plaintexts[i]));
          if (i == 3) outs[i][0] ^= 1;
          opening.push_back({.nonce = jobs[i].nonce, .aad = aads[i], .data = outs[i]});
        }
        aead->open(state, opening);
        for (size_t i = 0; i < count; i++) {
          CHECK(opening[i].authentic == (i != 3));
          if (i != 3) CHECK(std::ranges::equal(Bytes(outs[i]).first(plaintexts[i].size()), plaintexts[i]));
        }
      }
    }
  }
}

}  // namespace
}  // namespace quoll::tests::aes
