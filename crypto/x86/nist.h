// P-256 and P-384 with mulx, adcx and adox, for the catalogue.
#pragma once

#include "crypto/ecdsa.h"
#include "crypto/group.h"

namespace quoll::crypto {

extern const Group kP256Adx;
extern const Group kP384Adx;
extern const Ecdsa kEcdsaP256Adx;
extern const Ecdsa kEcdsaP384Adx;

}  // namespace quoll::crypto
