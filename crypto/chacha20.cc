// An architecture without a folder of its own adds no ChaCha20.
#include "crypto/chacha20.h"

namespace quoll::crypto {

#ifndef QUOLL_NATIVE_CRYPTO
std::span<const ChaCha20* const> native_chacha20s() { return {}; }
#endif

}  // namespace quoll::crypto
