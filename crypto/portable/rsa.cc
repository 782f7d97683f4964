#include "crypto/portable/rsa.h"

namespace quoll::crypto {
namespace {

using Kernel = PortableRsaKernel<bignum::Multiplier>;

}  // namespace

constexpr Rsa kRsaPortable{
    {.implementation = "portable"},
    Kernel::montgomery_multiply,
    Kernel::montgomery_square,
    Kernel::exponentiate,
};

}  // namespace quoll::crypto
