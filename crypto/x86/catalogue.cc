// What x86-64 adds: for each primitive the best first. Only this folder and its like use intrinsics or assembly.
#include "crypto/provider.h"
#include "crypto/x86/aes.h"
#include "crypto/x86/chacha20.h"
#include "crypto/x86/curve25519.h"
#include "crypto/x86/keccak.h"
#include "crypto/x86/mlkem.h"
#include "crypto/x86/nist.h"
#include "crypto/x86/rsa.h"
#include "crypto/x86/sha2.h"

namespace quoll::crypto {
namespace {

constexpr const Aead* kAeads[] = {
    &kAes128GcmVaesAvx512,    &kAes256GcmVaesAvx512,  &kAes128GcmVaesAvx2,     &kAes256GcmVaesAvx2,
    &kAes128GcmAesNiAvx,      &kAes256GcmAesNiAvx,    &kAes128GcmAesNi,        &kAes256GcmAesNi,
    &kChaCha20Poly1305Avx512, &kChaCha20Poly1305Avx2, &kChaCha20Poly1305Ssse3,
};
constexpr const HeaderProtection* kHeaderProtections[] = {
    &kHeaderAes128VaesAvx512, &kHeaderAes256VaesAvx512, &kHeaderAes128VaesAvx2, &kHeaderAes256VaesAvx2,
    &kHeaderAes128AesNiAvx,   &kHeaderAes256AesNiAvx,   &kHeaderAes128AesNi,    &kHeaderAes256AesNi,
    &kHeaderChaCha20Avx512,   &kHeaderChaCha20Avx2,     &kHeaderChaCha20Ssse3,
};
constexpr const HashAlgorithm* kHashes[] = {&kSha256ShaNi, &kSha384Avx2, &kSha512Avx2, &kSha3_256Bmi2, &kSha3_512Bmi2};
constexpr const Group* kGroups[] = {&kX25519Ifma, &kX25519Avx2, &kP256Adx, &kP384Adx};
constexpr const Ecdsa* kEcdsas[] = {&kEcdsaP256Adx, &kEcdsaP384Adx};
constexpr const Ed25519* kEd25519s[] = {&kEd25519Adx};
constexpr const Rsa* kRsas[] = {&kRsaIfma, &kRsaMulx};
constexpr const MlKem768* kMlKem768s[] = {&kMlKem768Avx512, &kMlKem768Avx2};

}  // namespace

const Catalogue& native_catalogue() {
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
