// Every primitive in constant-time C++ for any 64-bit or 32-bit host, of either byte order.
#include "crypto/portable/aes.h"
#include "crypto/portable/chacha20_poly1305.h"
#include "crypto/portable/curve25519.h"
#include "crypto/portable/keccak.h"
#include "crypto/portable/mlkem.h"
#include "crypto/portable/nist.h"
#include "crypto/portable/rsa.h"
#include "crypto/portable/sha2.h"
#include "crypto/provider.h"

namespace quoll::crypto {
namespace {

constexpr const Aead* kAeads[] = {&soft::kAes128Gcm, &soft::kAes256Gcm, &kPortableChaCha20Poly1305};
constexpr const HeaderProtection* kHeaderProtections[] = {&soft::kHeaderAes128, &soft::kHeaderAes256,
                                                          &kPortableHeaderChaCha20};
constexpr const HashAlgorithm* kHashes[] = {&portable_sha256, &portable_sha384, &portable_sha512, &sha3_256_portable,
                                            &sha3_512_portable};
constexpr const Group* kGroups[] = {&portable_x25519, &portable_p256, &portable_p384};
constexpr const Ecdsa* kEcdsas[] = {&portable_ecdsa_p256, &portable_ecdsa_p384};
constexpr const Ed25519* kEd25519s[] = {&portable_ed25519};
constexpr const Rsa* kRsas[] = {&portable_rsa};
constexpr const MlKem768* kMlKem768s[] = {&mlkem768_portable};

}  // namespace

const Catalogue& portable_catalogue() {
  static constexpr Catalogue catalogue{
      .aeads = kAeads,
      .header_protections = kHeaderProtections,
      .hashes = kHashes,
      .groups = kGroups,
      .ecdsas = kEcdsas,
      .ed25519s = kEd25519s,
      .rsas = kRsas,
      .mlkem768s = kMlKem768s,
  };
  return catalogue;
}

}  // namespace quoll::crypto
