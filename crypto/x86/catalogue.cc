// What x86-64 adds: for each primitive the best first. Only this folder and its like use intrinsics or assembly.
#include "crypto/provider.h"
#include "crypto/x86/nist.h"

namespace quoll::crypto {

const Catalogue& native_catalogue() {
  static constexpr const Group* groups[] = {&adx_p256, &adx_p384};
  static constexpr const Ecdsa* ecdsas[] = {&adx_ecdsa_p256, &adx_ecdsa_p384};
  static constexpr Catalogue catalogue{
      .aeads = {},
      .header_protections = {},
      .hashes = {},
      .groups = groups,
      .ecdsas = ecdsas,
      .ed25519s = {},
      .rsas = {},
      .mlkem768s = {},
  };
  return catalogue;
}

}  // namespace quoll::crypto
