// What x86-64 adds: for each primitive the best first. Only this folder and its like use intrinsics or assembly.
#include "crypto/provider.h"
#include "crypto/x86/keccak.h"
#include "crypto/x86/mlkem.h"

namespace quoll::crypto {

const Catalogue& native_catalogue() {
  static constexpr const HashAlgorithm* hashes[] = {&sha3_256_bmi2, &sha3_512_bmi2};
  static constexpr const MlKem768* mlkem768s[] = {&mlkem768_avx512, &mlkem768_avx2};
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
