// ML-KEM-768 for x86-64: the scheme over the engines of this folder.
#include "crypto/x86/mlkem.h"

#include "crypto/mlkem_scheme.h"
#include "crypto/x86/keccak.h"

namespace quoll::crypto {

void Avx2MlKemEngine::permute(uint64_t* words) { keccak_permute_x4_avx2(words); }
void Avx2MlKemEngine::permute_one(uint64_t* words) { keccak_permute_bmi2(words); }
void Avx512MlKemEngine::permute(uint64_t* words) { keccak_permute_x4_avx512(words); }

constexpr MlKem768 kMlKem768Avx2 = mlkem::mlkem768_over<Avx2MlKemEngine>(
    {.implementation = "avx2", .tier = cpu::Tier::avx2, .needs = cpu::kAvx2 | cpu::kBmi2});

constexpr MlKem768 kMlKem768Avx512 = mlkem::mlkem768_over<Avx512MlKemEngine>(
    {.implementation = "avx512", .tier = cpu::Tier::avx512, .needs = cpu::kAvx512 | cpu::kAvx2 | cpu::kBmi2});

}  // namespace quoll::crypto
