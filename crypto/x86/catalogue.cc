// What x86-64 adds: for each primitive the best first. Only this folder and its like use intrinsics or assembly.
#include "crypto/provider.h"
#include "crypto/x86/rsa.h"
#include "crypto/x86/sha2.h"

namespace quoll::crypto {

const Catalogue& native_catalogue() {
  static constexpr const HashAlgorithm* hashes[] = {
      &x86_sha256_sha_ni,
  };
  static constexpr const Rsa* rsas[] = {
      &x86_rsa_ifma,
      &x86_rsa_mulx,
  };
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
