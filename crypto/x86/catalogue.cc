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
    &x86::kAes128GcmVaesAvx512, &x86::kAes256GcmVaesAvx512, &x86::kAes128GcmVaesAvx2, &x86::kAes256GcmVaesAvx2,
    &x86::kAes128GcmAesNiAvx,   &x86::kAes256GcmAesNiAvx,   &x86::kAes128GcmAesNi,    &x86::kAes256GcmAesNi,
    &kChaCha20Poly1305Avx512,   &kChaCha20Poly1305Avx2,     &kChaCha20Poly1305Ssse3,
};
constexpr const HeaderProtection* kHeaderProtections[] = {
    &x86::kHeaderAes128VaesAvx512, &x86::kHeaderAes256VaesAvx512, &x86::kHeaderAes128VaesAvx2,
    &x86::kHeaderAes256VaesAvx2,   &x86::kHeaderAes128AesNiAvx,   &x86::kHeaderAes256AesNiAvx,
    &x86::kHeaderAes128AesNi,      &x86::kHeaderAes256AesNi,      &kHeaderChaCha20Avx512,
    &kHeaderChaCha20Avx2,          &kHeaderChaCha20Ssse3,
};
constexpr const HashAlgorithm* kHashes[] = {&x86_sha256_sha_ni, &x86_sha384_avx2, &x86_sha512_avx2, &sha3_256_bmi2,
                                            &sha3_512_bmi2};
constexpr const Group* kGroups[] = {&x86_x25519_adx, &adx_p256, &adx_p384};
constexpr const Ecdsa* kEcdsas[] = {&adx_ecdsa_p256, &adx_ecdsa_p384};
constexpr const Ed25519* kEd25519s[] = {&x86_ed25519_adx};
constexpr const Rsa* kRsas[] = {&x86_rsa_ifma, &x86_rsa_mulx};
constexpr const MlKem768* kMlKem768s[] = {&mlkem768_avx512, &mlkem768_avx2};

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
