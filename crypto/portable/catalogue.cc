// Every primitive in constant-time C++ for any 64-bit or 32-bit host, of either byte order.
#include "crypto/portable/keccak.h"
#include "crypto/portable/mlkem.h"
#include "crypto/provider.h"

namespace quoll::crypto {

const Catalogue& portable_catalogue() {
  static constexpr const HashAlgorithm* hashes[] = {&sha3_256_portable, &sha3_512_portable};
  static constexpr const MlKem768* mlkem768s[] = {&mlkem768_portable};
  static constexpr Catalogue catalogue{
      .aeads = {},
      .header_protections = {},
      .hashes = hashes,
      .groups = {},
      .ecdsas = {},
      .ed25519s = {},
      .rsas = {},
      .mlkem768s = mlkem768s,
  };
  return catalogue;
}

}  // namespace quoll::crypto
