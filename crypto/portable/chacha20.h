// The functions of the portable ChaCha20 that its neighbours call directly.
#pragma once

#include "base/bytes.h"

namespace quoll::crypto {

/// As ChaCha20::apply.
void portable_chacha20_apply(const uint8_t* key, uint32_t counter, const uint8_t* nonce, Bytes in, uint8_t* out);

}  // namespace quoll::crypto
