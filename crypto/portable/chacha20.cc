// ChaCha20 (RFC 8439 §2.3, §2.4) four blocks at a time.
//
// Word i of four consecutive blocks makes one vector of four lanes (the vector extension of gcc and clang, which
// compiles for every target: to vector instructions where there are some, to four scalar operations elsewhere).
// Constant-time: additions, exclusive-ors and rotations by constants only.
#include "crypto/portable/chacha20.h"

#include <algorithm>
#include <array>

#include "crypto/chacha20.h"
#include "crypto/ct.h"

namespace quoll::crypto {
namespace {

constexpr size_t kLanes = 4;
using Vector = uint32_t __attribute__((vector_size(4 * kLanes)));

// "expand 32-byte k" in words (RFC 8439 §2.3).
constexpr std::array<uint32_t, 4> kConstants{0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};

template <class Word>
inline Word rotate_left(Word x, int bits) {
  return x << bits | x >> (32 - bits);
}

template <class Word>
inline void quarter_round(Word& a, Word& b, Word& c, Word& d) {
  a += b, d ^= a, d = rotate_left(d, 16);
  c += d, b ^= c, b = rotate_left(b, 12);
  a += b, d ^= a, d = rotate_left(d, 8);
  c += d, b ^= c, b = rotate_left(b, 7);
}

/// The twenty rounds and the addition of the input. A Word is one block's word or the same word of several blocks.
template <class Word>
inline void permute_and_add(std::array<Word, 16>& state) {
  std::array<Word, 16> x = state;
  for (int i = 0; i < 10; i++) {
    quarter_round(x[0], x[4], x[8], x[12]);
    quarter_round(x[1], x[5], x[9], x[13]);
    quarter_round(x[2], x[6], x[10], x[14]);
    quarter_round(x[3], x[7], x[11], x[15]);
    quarter_round(x[0], x[5], x[10], x[15]);
    quarter_round(x[1], x[6], x[11], x[12]);
    quarter_round(x[2], x[7], x[8], x[13]);
    quarter_round(x[3], x[4], x[9], x[14]);
  }
  for (size_t i = 0; i < 16; i++) state[i] += x[i];
}

std::array<uint32_t, 16> initial_state(const uint8_t* key, uint32_t counter, const uint8_t* nonce) {
  std::array<uint32_t, 16> state;
  for (size_t i = 0; i < 4; i++) state[i] = kConstants[i];
  for (size_t i = 0; i < 8; i++) state[4 + i] = load_le<uint32_t>(key + 4 * i);
  state[12] = counter;
  for (size_t i = 0; i < 3; i++) state[13 + i] = load_le<uint32_t>(nonce + 4 * i);
  return state;
}

/// The keystream of kLanes blocks, from initial states of which lane i is block i's.
void lane_blocks(std::array<Vector, 16> state, uint8_t* out) {
  permute_and_add(state);
  for (size_t lane = 0; lane < kLanes; lane++) {
    for (size_t i = 0; i < 16; i++) store_le<uint32_t>(out + kChaCha20BlockSize * lane + 4 * i, state[i][lane]);
  }
  ct::wipe(state);
}

void xor_bytes(const uint8_t* in, const uint8_t* keystream, size_t size, uint8_t* out) {
  for (size_t i = 0; i < size; i++) out[i] = in[i] ^ keystream[i];
}

constexpr ChaCha20 kPortable{{.implementation = "portable"}, portable_chacha20_apply};
constexpr const ChaCha20* kAll[] = {&kPortable};

}  // namespace

void portable_chacha20_apply(const uint8_t* key, uint32_t counter, const uint8_t* nonce, Bytes in, uint8_t* out) {
  const std::array<uint32_t, 16> first = initial_state(key, counter, nonce);
  alignas(64) uint8_t keystream[kLanes * kChaCha20BlockSize];
  std::array<Vector, 16> state;
  for (size_t i = 0; i < 16; i++) state[i] = Vector{} + first[i];
  state[12] += Vector{0, 1, 2, 3};
  for (size_t done = 0; done < in.size();) {
    const size_t step = std::min(in.size() - done, sizeof keystream);
    lane_blocks(state, keystream);
    xor_bytes(in.data() + done, keystream, step, out + done);
    state[12] += kLanes;
    done += step;
  }
  ct::wipe(state);
  ct::wipe(keystream);
}

void chacha20_block(const uint8_t* key, uint32_t counter, const uint8_t* nonce, uint8_t* out) {
  std::array<uint32_t, 16> state = initial_state(key, counter, nonce);
  permute_and_add(state);
  for (size_t i = 0; i < 16; i++) store_le<uint32_t>(out + 4 * i, state[i]);
  ct::wipe(state);
}

std::span<const ChaCha20* const> portable_chacha20s() { return kAll; }

}  // namespace quoll::crypto
