// Keccak for x86-64: one state with andn and rorx; four states side by side with AVX2 or with AVX-512's rotation and
// three-operand logic on 256-bit vectors.
#pragma once

#include "crypto/hash.h"
#include "crypto/keccak.h"

namespace quoll::crypto {

/// Keccak-f[1600] on 25 words. Needs kBmi2.
void keccak_permute_bmi2(uint64_t* state);

/// The permutation of four states: word i of state s is words[4 * i + s]; words are aligned to 32 bytes. Needs kAvx2.
void keccak_permute_x4_avx2(uint64_t* words);

/// The same. Needs kAvx512.
void keccak_permute_x4_avx512(uint64_t* words);

extern const Keccak kKeccakBmi2;
extern const HashAlgorithm kSha3_256Bmi2;
extern const HashAlgorithm kSha3_512Bmi2;

}  // namespace quoll::crypto
