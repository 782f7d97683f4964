// Keccak-f[1600] in 64-bit words with andn (one instruction of chi) and rorx (no copies), and SHA-3 over it. Constant
// time.
#include "crypto/x86/keccak.h"

#include "crypto/sha3_algorithm.h"

#define QUOLL_KECCAK_TARGET [[gnu::target("bmi,bmi2")]]
#include "crypto/keccak_f1600.inc.h"

namespace quoll::crypto {

std::span<const Keccak* const> native_keccaks() {
  static constexpr const Keccak* list[] = {&kKeccakBmi2};
  return list;
}

[[gnu::target("bmi,bmi2")]] void keccak_permute_bmi2(uint64_t* state) { keccak_permute<KeccakLeaf64>(state); }

constexpr Implementation kAbout{.implementation = "bmi2", .tier = cpu::Tier::avx2, .needs = cpu::kBmi2};

constexpr Keccak kKeccakBmi2{kAbout, keccak_permute_bmi2};
constexpr HashAlgorithm kSha3_256Bmi2 = sha3_256_over<keccak_permute_bmi2>(kAbout);
constexpr HashAlgorithm kSha3_512Bmi2 = sha3_512_over<keccak_permute_bmi2>(kAbout);

}  // namespace quoll::crypto
