// AES with AES-NI and PCLMULQDQ in 128-bit vectors, without AVX.
#define QUOLL_TARGET "ssse3,sse4.1,aes,pclmul"
#include "crypto/x86/block_xmm_pair.inc.h"
//
#include "crypto/x86/aes.h"
#include "crypto/x86/aes_gcm_kernel.inc.h"
#include "crypto/x86/aes_header_kernel.inc.h"
#undef QUOLL_TARGET

namespace quoll::crypto {
namespace {

constexpr Implementation kImplementation{
    .implementation = "aesni",
    .tier = cpu::Tier::aesni,
    .needs = cpu::kSsse3 | cpu::kSse41 | cpu::kAesNi | cpu::kPclmulqdq,
};

}  // namespace

constexpr Aead kAes128GcmAesNi = aes_gcm_table<XmmPair, 16>(kImplementation);
constexpr Aead kAes256GcmAesNi = aes_gcm_table<XmmPair, 32>(kImplementation);
constexpr HeaderProtection kHeaderAes128AesNi = aes_header_table<XmmPair, 16>(kImplementation);
constexpr HeaderProtection kHeaderAes256AesNi = aes_header_table<XmmPair, 32>(kImplementation);

}  // namespace quoll::crypto
