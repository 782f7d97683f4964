// The AES block cipher, seen through the header protection masks, which are its ECB mode.
#include <cstring>

#include "tests/crypto/aes_support.h"
#include "tests/crypto/hash_support.h"
#include "tests/support/random.h"

#if defined(__x86_64__)
#define QUOLL_TARGET "ssse3,sse4.1,aes,pclmul"
#include "tests/emulate/emulated_lanes.inc.h"
//
#include "crypto/x86/aes_gcm_kernel.inc.h"
#include "crypto/x86/aes_header_kernel.inc.h"
#undef QUOLL_TARGET
#endif

#include <doctest/doctest.h>

namespace quoll::tests::aes {

#if defined(__x86_64__)
namespace {

constexpr crypto::Implementation kEmulated{
    .implementation = "emulated lanes",
    .tier = crypto::cpu::Tier::aesni,
    .needs = crypto::cpu::kSsse3 | crypto::cpu::kSse41 | crypto::cpu::kAesNi | crypto::cpu::kPclmulqdq,
};

bool runs() { return kEmulated.runs_on(crypto::cpu::features(), crypto::cpu::cap()); }

}  // namespace

const crypto::Aead* emulated_gcm(size_t key_size) {
  static constexpr crypto::Aead small = crypto::aes_gcm_table<crypto::EmulatedLanes, 16>(kEmulated);
  static constexpr crypto::Aead large = crypto::aes_gcm_table<crypto::EmulatedLanes, 32>(kEmulated);
  return !runs() ? nullptr : key_size == 16 ? &small : &large;
}

const crypto::HeaderProtection* emulated_masks(size_t key_size) {
  static constexpr crypto::HeaderProtection small = crypto::aes_header_table<crypto::EmulatedLanes, 16>(kEmulated);
  static constexpr crypto::HeaderProtection large = crypto::aes_header_table<crypto::EmulatedLanes, 32>(kEmulated);
  return !runs() ? nullptr : key_size == 16 ? &small : &large;
}
#else
const crypto::Aead* emulated_gcm(size_t) { return nullptr; }
const crypto::HeaderProtection* emulated_masks(size_t) { return nullptr; }
#endif

namespace {

using crypto::HeaderMask;
using crypto::HeaderProtection;
using crypto::HeaderProtectionState;
using hashes::hex;
using hashes::unhex;

struct Vector {
  const char* name;
  const char* key;
  const char* in;
  const char* out;
};

constexpr Vector kVectors[] = {
    {"FIPS 197 appendix B", "2b7e151628aed2a6abf7158809cf4f3c", "3243f6a8885a308d313198a2e0370734",
     "3925841d02dc09fbdc118597196a0b32"},
    {"FIPS 197 C.1", "000102030405060708090a0b0c0d0e0f", "00112233445566778899aabbccddeeff",
     "69c4e0d86a7b0430d8cdb78070b4c55a"},
    {"FIPS 197 C.3", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
     "00112233445566778899aabbccddeeff", "8ea2b7ca516745bfeafc49904b496089"},
    {"RFC 9001 A.2", "9f50449e04a0e810283a1e9933adedd2", "d1b1c98dd7689fb8ec11d242b123dc9b", "437b9aec36"},
    {"RFC 9001 A.3", "c206b8d9b9f0f37644430b490eeaa314", "2cd0991cd25b0aac406a5816b6394100", "2ec0d8356a"},
};

TEST_CASE("AES gives the blocks of FIPS 197 and the masks of RFC 9001") {
  for (const Vector& vector : kVectors) {
    CAPTURE(vector.name);
    const auto key = unhex(vector.key), in = unhex(vector.in), out = unhex(vector.out);
    for (const HeaderProtection* algorithm : runnable_masks(key.size())) {
      CAPTURE(algorithm->implementation);
      HeaderProtectionState state;
      algorithm->expand_key(state, key.data());
      const std::vector<const uint8_t*> samples{in.data()};
      std::vector<HeaderMask> masks(1);
      algorithm->masks(state, samples, masks);
      CHECK(hex(Bytes(masks[0]).first(out.size())) == hex(out));
    }
  }
}

TEST_CASE("AES masks of a batch of any size are those of the portable code, and nothing beyond is written") {
  const uint64_t seed = test_seed(3);
  INFO("seed ", seed);
  SeededRng rng(seed);
  for (const size_t key_size : {16, 32}) {
    const auto all = runnable_masks(key_size);
    for (size_t count = 0; count <= 70; count++) {
      CAPTURE(count);
      const auto key = rng.bytes(key_size), memory = rng.bytes(crypto::kSampleSize * count + 9);
      std::vector<const uint8_t*> samples(count);
      for (auto& sample : samples) sample = memory.data() + rng.below(memory.size() - crypto::kSampleSize + 1);
      std::vector<HeaderMask> expected;
      for (const HeaderProtection* algorithm : all) {
        CAPTURE(algorithm->implementation);
        HeaderProtectionState state;
        algorithm->expand_key(state, key.data());
        std::vector<HeaderMask> masks(count + 1);
        masks[count].fill(0xa5);
        algorithm->masks(state, samples, std::span(masks).first(count));
        if (expected.empty()) expected = masks;
        CHECK(masks == expected);
        CHECK(masks[count][0] == 0xa5);
        CHECK(masks[count][15] == 0xa5);
      }
    }
  }
}

}  // namespace
}  // namespace quoll::tests::aes
