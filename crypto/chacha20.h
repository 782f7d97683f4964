// The ChaCha20 block function and stream cipher (RFC 8439 §2.3, §2.4), for those who build on it: the AEAD, the random
// generator, the known-answer tests.
//
// Nothing here authenticates: a message that travels goes through crypto/aead.h. All implementations are constant-time:
// additions, exclusive-ors and rotations by constants. The caller sees to it that counter + blocks does not pass 2^32
// and that a key meets a nonce and a counter only once.
#pragma once

#include <span>

#include "base/bytes.h"
#include "crypto/implementation.h"

namespace quoll::crypto {

inline constexpr size_t kChaCha20KeySize = 32;
inline constexpr size_t kChaCha20NonceSize = 12;
inline constexpr size_t kChaCha20BlockSize = 64;

/// The keystream block of a key, counter and nonce, in portable code.
void chacha20_block(const uint8_t key[kChaCha20KeySize], uint32_t counter, const uint8_t nonce[kChaCha20NonceSize],
                    uint8_t out[kChaCha20BlockSize]);

struct ChaCha20 : Implementation {
  /// out = in xor the keystream from block `counter` on. `out` has in.size() bytes, and is `in` or does not overlap it.
  void (*apply)(const uint8_t* key, uint32_t counter, const uint8_t* nonce, Bytes in, uint8_t* out);
};

/// The implementations of crypto/portable, and those of this architecture's folder, best first.
std::span<const ChaCha20* const> portable_chacha20s();
std::span<const ChaCha20* const> native_chacha20s();

}  // namespace quoll::crypto
