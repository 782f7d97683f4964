// An architecture without a folder of its own adds no Poly1305.
#include "crypto/poly1305.h"

namespace quoll::crypto {

#ifndef QUOLL_NATIVE_CRYPTO
std::span<const Poly1305* const> native_poly1305s() { return {}; }
#endif

}  // namespace quoll::crypto
