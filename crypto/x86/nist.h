// P-256 and P-384 with mulx, adcx and adox, for the catalogue.
#pragma once

#include "crypto/ecdsa.h"
#include "crypto/group.h"

namespace quoll::crypto {

extern const Group adx_p256;
extern const Group adx_p384;
extern const Ecdsa adx_ecdsa_p256;
extern const Ecdsa adx_ecdsa_p384;

}  // namespace quoll::crypto
