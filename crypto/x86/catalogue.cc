// What x86-64 adds: for each primitive the best first. Only this folder and its like use intrinsics or assembly.
#include "crypto/provider.h"
#include "crypto/x86/curve25519.h"

namespace quoll::crypto {

const Catalogue& native_catalogue() {
  static constexpr const Group* groups[] = {
      &x86_x25519_adx,
  };
  static constexpr const Ed25519* ed25519s[] = {
      &x86_ed25519_adx,
  };
  static constexpr Catalogue catalogue{
      .aeads = {},
      .header_protections = {},
      .hashes = {},
      .groups = groups,
      .ecdsas = {},
      .ed25519s = ed25519s,
      .rsas = {},
      .mlkem768s = {},
  };
  return catalogue;
}

}  // namespace quoll::crypto
