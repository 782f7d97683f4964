// AES with AES-NI and PCLMULQDQ in 128-bit vectors and AVX's three-operand forms, for Haswell to Zen 2.
//
// It is also what valgrind can run of the AVX code, which the constant-time test relies on.
#define QUOLL_TARGET "avx,ssse3,sse4.1,aes,pclmul"
#include "crypto/x86/block_xmm_pair.inc.h"
//
#include "crypto/x86/aes.h"
#include "crypto/x86/aes_gcm_kernel.inc.h"
#include "crypto/x86/aes_header_kernel.inc.h"
#undef QUOLL_TARGET

namespace quoll::crypto {
namespace {

constexpr Implementation kImplementation{
    .implementation = "aesni-avx",
    .tier = cpu::Tier::avx2,
    .needs = cpu::kAvx | cpu::kAvx2 | cpu::kAesNi | cpu::kPclmulqdq,
};

}  // namespace

constexpr Aead kAes128GcmAesNiAvx = aes_gcm_table<XmmPair, 16>(kImplementation);
constexpr Aead kAes256GcmAesNiAvx = aes_gcm_table<XmmPair, 32>(kImplementation);
constexpr HeaderProtection kHeaderAes128AesNiAvx = aes_header_table<XmmPair, 16>(kImplementation);
constexpr HeaderProtection kHeaderAes256AesNiAvx = aes_header_table<XmmPair, 32>(kImplementation);

}  // namespace quoll::crypto
