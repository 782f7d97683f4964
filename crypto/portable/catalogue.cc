// Every primitive in constant-time C++ for any 64-bit or 32-bit host, of either byte order.
#include "crypto/provider.h"

#include "crypto/portable/chacha20_poly1305.h"

namespace quoll::crypto {

const Catalogue& portable_catalogue() {
  static constexpr const Aead* aeads[] = {&kPortableChaCha20Poly1305};
  static constexpr const HeaderProtection* header_protections[] = {&kPortableHeaderChaCha20};
  static constexpr Catalogue catalogue{
      .aeads = aeads,
      .header_protections = header_protections,
      .hashes = {},
      .groups = {},
      .ecdsas = {},
      .ed25519s = {},
      .rsas = {},
      .mlkem768s = {},
  };
  return catalogue;
}

}  // namespace quoll::crypto
