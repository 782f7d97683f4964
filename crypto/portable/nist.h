// The portable implementations of P-256 and P-384, for the catalogue.
#pragma once

#include "crypto/ecdsa.h"
#include "crypto/group.h"

namespace quoll::crypto {

extern const Group portable_p256;
extern const Group portable_p384;
extern const Ecdsa portable_ecdsa_p256;
extern const Ecdsa portable_ecdsa_p384;

}  // namespace quoll::crypto
