// X25519 and Ed25519 with mulx, adcx, adox, and AVX2 for the table of the base point.
#pragma once

#include "crypto/ed25519.h"
#include "crypto/group.h"

namespace quoll::crypto {

extern const Group x86_x25519_adx;
extern const Ed25519 x86_ed25519_adx;

}  // namespace quoll::crypto
