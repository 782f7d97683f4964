// The portable X25519 and Ed25519: on 64-bit hosts with limbs of 51 bits, else with limbs of 25.5 bits.
#pragma once

#include "crypto/ed25519.h"
#include "crypto/group.h"

namespace quoll::crypto {

extern const Group kX25519Portable;
extern const Ed25519 kEd25519Portable;

}  // namespace quoll::crypto
