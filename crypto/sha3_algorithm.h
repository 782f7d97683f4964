// SHA3-256 and SHA3-512 (FIPS 202 §6.1) as tables of crypto/hash.h, over any implementation of the permutation.
//
// HashState holds the 25 words of the sponge. Constant time.
#pragma once

#include <new>

#include "crypto/hash.h"
#include "crypto/keccak.h"
#include "crypto/keccak_sponge.h"

namespace quoll::crypto {

static_assert(kHashStateSize == kKeccakLanes * sizeof(uint64_t));

template <void (*permute)(uint64_t*), size_t digest_size>
struct Sha3 {
  static constexpr size_t kRate = kHashStateSize - 2 * digest_size;

  static uint64_t* words(HashState& state) { return std::launder(reinterpret_cast<uint64_t*>(state.bytes.data())); }

  static void init(HashState& state) { state = {}; }

  static void blocks(HashState& state, const uint8_t* data, size_t count) {
    for (; count > 0; count--, data += kRate) {
      sponge::xor_bytes(words(state), 0, {data, kRate});
      permute(words(state));
    }
  }

  static void finish(HashState& state, Bytes tail, uint64_t, uint8_t* digest) {
    sponge::xor_bytes(words(state), 0, tail);
    sponge::pad(words(state), tail.size(), kRate, sponge::kSha3Suffix);
    permute(words(state));
    sponge::read_bytes(words(state), 0, {digest, digest_size});
  }

  static constexpr HashAlgorithm table(const Implementation& about, HashId id, std::string_view name) {
    return {about, id, name, digest_size, kRate, init, blocks, finish};
  }
};

template <void (*permute)(uint64_t*)>
constexpr HashAlgorithm sha3_256_over(const Implementation& about) {
  return Sha3<permute, 32>::table(about, HashId::sha3_256, "SHA3-256");
}

template <void (*permute)(uint64_t*)>
constexpr HashAlgorithm sha3_512_over(const Implementation& about) {
  return Sha3<permute, 64>::table(about, HashId::sha3_512, "SHA3-512");
}

}  // namespace quoll::crypto
