// Keccak-f[1600] in 64-bit words of plain C++, and SHA-3 over it. Constant time.
#include "crypto/portable/keccak.h"

#include "crypto/sha3_algorithm.h"

#define QUOLL_KECCAK_TARGET
#include "crypto/keccak_f1600.h"

namespace quoll::crypto {

void keccak_permute_portable(uint64_t* state) { keccak_permute<KeccakLeaf64>(state); }

constexpr Implementation kAbout{.implementation = "portable"};

constexpr Keccak keccak_portable{kAbout, keccak_permute_portable};
constexpr HashAlgorithm sha3_256_portable = sha3_256_over<keccak_permute_portable>(kAbout);
constexpr HashAlgorithm sha3_512_portable = sha3_512_over<keccak_permute_portable>(kAbout);

}  // namespace quoll::crypto
