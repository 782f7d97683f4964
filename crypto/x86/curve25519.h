// X25519 and Ed25519 with mulx, adcx, adox, and AVX2 for the table of the base point. The shared secrets of X25519 come
// from Montgomery ladders over vectors (x25519_ladders.h): AVX-512 IFMA or AVX2.
#pragma once

#include "crypto/ed25519.h"
#include "crypto/group.h"

namespace quoll::crypto {

extern const Group kX25519Ifma;
extern const Group kX25519Avx2;
extern const Ed25519 kEd25519Adx;

}  // namespace quoll::crypto
