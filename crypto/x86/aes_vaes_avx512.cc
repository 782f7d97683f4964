// AES with VAES and VPCLMULQDQ in 512-bit vectors.
#ifndef __clang__
// GCC 12 takes the operands that its own headers leave undefined on purpose for mistakes (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#define QUOLL_TARGET "avx512f,avx512bw,avx512dq,avx512vl,avx2,aes,pclmul,vaes,vpclmulqdq"
#include "crypto/x86/block_zmm.inc.h"
//
#include "crypto/x86/aes.h"
#include "crypto/x86/aes_gcm_kernel.inc.h"
#include "crypto/x86/aes_header_kernel.inc.h"
#undef QUOLL_TARGET

namespace quoll::crypto {
namespace {

constexpr Implementation kImplementation{
    .implementation = "vaes-avx512",
    .tier = cpu::Tier::avx512,
    .needs = cpu::kAvx512 | cpu::kAesNi | cpu::kPclmulqdq | cpu::kVaes | cpu::kVpclmulqdq,
};

}  // namespace

constexpr Aead kAes128GcmVaesAvx512 = aes_gcm_table<Zmm, 16>(kImplementation);
constexpr Aead kAes256GcmVaesAvx512 = aes_gcm_table<Zmm, 32>(kImplementation);
constexpr HeaderProtection kHeaderAes128VaesAvx512 = aes_header_table<Zmm, 16>(kImplementation);
constexpr HeaderProtection kHeaderAes256VaesAvx512 = aes_header_table<Zmm, 32>(kImplementation);

}  // namespace quoll::crypto
