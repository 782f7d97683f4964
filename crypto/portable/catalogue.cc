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

constexpr const Aead* kAeads[] = {&kAes128GcmPortable, &kAes256GcmPortable, &kChaCha20Poly1305Portable};
constexpr const HeaderProtection* kHeaderProtections[] = {&kHeaderAes128Portable, &kHeaderAes256Portable,
                                                          &kHeaderChaCha20Portable};
constexpr const HashAlgorithm* kHashes[] = {&kSha256Portable, &kSha384Portable, &kSha512Portable, &kSha3_256Portable,
                                            &kSha3_512Portable};
constexpr const Group* kGroups[] = {&kX25519Portable, &kP256Portable, &kP384Portable};
constexpr const Ecdsa* kEcdsas[] = {&kEcdsaP256Portable, &kEcdsaP384Portable};
constexpr const Ed25519* kEd25519s[] = {&kEd25519Portable};
constexpr const Rsa* kRsas[] = {&kRsaPortable};
constexpr const MlKem768* kMlKem768s[] = {&kMlKem768Portable};

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
