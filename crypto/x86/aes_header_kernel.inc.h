// AES header protection masks (RFC 9001 §5.4.3), written once over a vector type V of two or four blocks.
//
// Included for one instruction set, which QUOLL_TARGET names, after one of block_*.h.
#pragma once

#include <new>

#include "crypto/ct.h"
#include "crypto/header_protection.h"
#include "crypto/x86/aes_rounds.inc.h"

namespace quoll::crypto {
namespace {

template <class V, size_t kKeySize>
struct AesHeaderMasks {
  static constexpr size_t kRounds = aes_rounds(kKeySize);
  static constexpr size_t kAtOnce = V::kChunkVectors * V::kBlocks;

  struct State {
    uint8_t round_keys[kRounds + 1][16];
  };
  static_assert(sizeof(State) <= kHeaderProtectionStateSize);

  [[gnu::target(QUOLL_TARGET)]] static void expand_key(HeaderProtectionState& state, const uint8_t* key) {
    expand_aes_key<kKeySize>((new (state.bytes.data()) State)->round_keys, key);
  }

  [[gnu::target(QUOLL_TARGET)]] static void masks(const HeaderProtectionState& state,
                                                  std::span<const uint8_t* const> samples,
                                                  std::span<HeaderMask> masks) {
    const State& s = *reinterpret_cast<const State*>(state.bytes.data());
    size_t done = 0;
    for (; samples.size() - done >= kAtOnce; done += kAtOnce) {
      encrypt<V::kChunkVectors>(s, &samples[done], masks[done].data());
    }
    size_t left = samples.size() - done;
    if (left == 0) return;
    if (left == 1) {
      store_block(masks[done].data(), encrypt_one(s, samples[done]));
      return;
    }
    // The samples left, with the last one repeated to fill the vectors.
    const uint8_t* padded[kAtOnce];
    for (size_t i = 0; i < kAtOnce; i++) padded[i] = samples[std::min(done + i, samples.size() - 1)];
    alignas(64) uint8_t blocks[16 * kAtOnce];
    encrypt_up_to<V::kChunkVectors>(s, padded, blocks, (left + V::kBlocks - 1) / V::kBlocks);
    std::memcpy(masks[done].data(), blocks, 16 * left);
    ct::wipe(blocks);
  }

 private:
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] static __m128i encrypt_one(const State& s, const uint8_t* sample) {
    __m128i block = _mm_xor_si128(load_block(sample), load_block(s.round_keys[0]));
#pragma GCC unroll 16
    for (size_t round = 1; round < kRounds; round++) block = _mm_aesenc_si128(block, load_block(s.round_keys[round]));
    return _mm_aesenclast_si128(block, load_block(s.round_keys[kRounds]));
  }

  template <size_t kCount>
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] static void encrypt_up_to(const State& s,
                                                                              const uint8_t* const* samples,
                                                                              uint8_t* out, size_t count) {
    if (count == kCount) {
      encrypt<kCount>(s, samples, out);
    } else if constexpr (kCount > 1) {
      encrypt_up_to<kCount - 1>(s, samples, out, count);
    }
  }

  template <size_t kCount>
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] static void encrypt(const State& s, const uint8_t* const* samples,
                                                                        uint8_t* out) {
    std::array<V, kCount> x;
    const V first = V::broadcast(load_block(s.round_keys[0]));
#pragma GCC unroll 8
    for (size_t j = 0; j < kCount; j++) x[j] = first ^ V::gather(samples + j * V::kBlocks);
    aes_middle_rounds<kRounds>(x, s.round_keys);
    const V last = V::broadcast(load_block(s.round_keys[kRounds]));
#pragma GCC unroll 8
    for (size_t j = 0; j < kCount; j++) x[j].aes_last(last).store(out + j * V::kSize);
  }
};

/// The table of one implementation.
template <class V, size_t kKeySize>
constexpr HeaderProtection aes_header_table(Implementation implementation) {
  using Masks = AesHeaderMasks<V, kKeySize>;
  return {implementation,
          kKeySize == 16 ? HeaderProtectionId::aes_128 : HeaderProtectionId::aes_256,
          kKeySize == 16 ? "AES-128-ECB" : "AES-256-ECB",
          kKeySize,
          Masks::expand_key,
          Masks::masks};
}

}  // namespace
}  // namespace quoll::crypto
