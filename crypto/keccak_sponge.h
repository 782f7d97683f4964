// The bytes of a Keccak state (FIPS 202 §3.1.2, §4): how they are mixed in, read out and padded. Constant time.
//
// The state is 25 words in the host's own order; byte i is byte i mod 8 of word i / 8, least significant first.
#pragma once

#include "base/bytes.h"

namespace quoll::crypto::sponge {

/// The byte that follows a message: the suffix of the function (FIPS 202 §6) and the first 1 of the padding pad10*1.
inline constexpr uint8_t kSha3Suffix = 0x06;
inline constexpr uint8_t kShakeSuffix = 0x1f;

inline void xor_byte(uint64_t* state, size_t at, uint8_t byte) {
  state[at / 8] ^= static_cast<uint64_t>(byte) << (8 * (at % 8));
}

/// Mixes `data` into the bytes from `at` on.
inline void xor_bytes(uint64_t* state, size_t at, Bytes data) {
  size_t done = 0;
  while (done < data.size()) {
    if (at % 8 == 0 && data.size() - done >= 8) {
      state[at / 8] ^= load_le<uint64_t>(data.data() + done);
      at += 8;
      done += 8;
    } else {
      xor_byte(state, at++, data[done++]);
    }
  }
}

/// Reads the bytes from `at` on.
inline void read_bytes(const uint64_t* state, size_t at, MutBytes out) {
  size_t done = 0;
  while (done < out.size()) {
    if (at % 8 == 0 && out.size() - done >= 8) {
      store_le(out.data() + done, state[at / 8]);
      at += 8;
      done += 8;
    } else {
      out[done++] = static_cast<uint8_t>(state[at / 8] >> (8 * (at % 8)));
      at++;
    }
  }
}

/// Ends a message whose last block holds `at` bytes so far, at < rate.
inline void pad(uint64_t* state, size_t at, size_t rate, uint8_t suffix) {
  xor_byte(state, at, suffix);
  xor_byte(state, rate - 1, 0x80);
}

}  // namespace quoll::crypto::sponge
