// What x86-64 adds: for each primitive the best first. Only this folder and its like use intrinsics or assembly.
#include "crypto/provider.h"

#include "crypto/x86/chacha20.h"

namespace quoll::crypto {

const Catalogue& native_catalogue() {
  static constexpr const Aead* aeads[] = {&kChaCha20Poly1305Avx512, &kChaCha20Poly1305Avx2, &kChaCha20Poly1305Ssse3};
  static constexpr const HeaderProtection* header_protections[] = {&kHeaderChaCha20Avx512, &kHeaderChaCha20Avx2,
                                                                   &kHeaderChaCha20Ssse3};
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
