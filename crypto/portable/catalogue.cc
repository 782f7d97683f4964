// Every primitive in constant-time C++ for any 64-bit or 32-bit host, of either byte order.
#include "crypto/portable/rsa.h"
#include "crypto/portable/sha2.h"
#include "crypto/provider.h"

namespace quoll::crypto {

const Catalogue& portable_catalogue() {
  static constexpr const HashAlgorithm* hashes[] = {
      &portable_sha256,
      &portable_sha384,
      &portable_sha512,
  };
  static constexpr const Rsa* rsas[] = {&portable_rsa};
  static constexpr Catalogue catalogue{
      .aeads = {},
      .header_protections = {},
      .hashes = hashes,
      .groups = {},
      .ecdsas = {},
      .ed25519s = {},
      .rsas = rsas,
      .mlkem768s = {},
  };
  return catalogue;
}

}  // namespace quoll::crypto
