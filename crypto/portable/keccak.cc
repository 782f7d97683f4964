// Keccak-f[1600] in 64-bit words of plain C++, and SHA-3 over it. Constant time.
#include "crypto/portable/keccak.h"

#include "crypto/sha3_algorithm.h"

#define QUOLL_KECCAK_TARGET
#include "crypto/keccak_f1600.inc.h"

namespace quoll::crypto {

void keccak_permute_portable(uint64_t* state) { keccak_permute<KeccakLeaf64>(state); }

constexpr Implementation kAbout{.implementation = "portable"};

constexpr Keccak kKeccakPortable{kAbout, keccak_permute_portable};
constexpr HashAlgorithm kSha3_256Portable = sha3_256_over<keccak_permute_portable>(kAbout);
constexpr HashAlgorithm kSha3_512Portable = sha3_512_over<keccak_permute_portable>(kAbout);

}  // namespace quoll::crypto
