// AES with VAES and VPCLMULQDQ in 256-bit vectors.
#define QUOLL_TARGET "avx2,aes,pclmul,vaes,vpclmulqdq"
#include "crypto/x86/block_ymm.inc.h"
//
#include "crypto/x86/aes.h"
#include "crypto/x86/aes_gcm_kernel.inc.h"
#include "crypto/x86/aes_header_kernel.inc.h"
#undef QUOLL_TARGET

namespace quoll::crypto {
namespace {

constexpr Implementation kImplementation{
    .implementation = "vaes-avx2",
    .tier = cpu::Tier::avx2,
    .needs = cpu::kAvx2 | cpu::kAesNi | cpu::kPclmulqdq | cpu::kVaes | cpu::kVpclmulqdq,
};

}  // namespace

constexpr Aead kAes128GcmVaesAvx2 = aes_gcm_table<Ymm, 16>(kImplementation);
constexpr Aead kAes256GcmVaesAvx2 = aes_gcm_table<Ymm, 32>(kImplementation);
constexpr HeaderProtection kHeaderAes128VaesAvx2 = aes_header_table<Ymm, 16>(kImplementation);
constexpr HeaderProtection kHeaderAes256VaesAvx2 = aes_header_table<Ymm, 32>(kImplementation);

}  // namespace quoll::crypto
