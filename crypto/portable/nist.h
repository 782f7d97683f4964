// The portable implementations of P-256 and P-384, for the catalogue.
#pragma once

#include "crypto/ecdsa.h"
#include "crypto/group.h"

namespace quoll::crypto {

extern const Group kP256Portable;
extern const Group kP384Portable;
extern const Ecdsa kEcdsaP256Portable;
extern const Ecdsa kEcdsaP384Portable;

}  // namespace quoll::crypto
