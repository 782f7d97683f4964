// The portable Keccak and what is built on it, for the catalogue.
#pragma once

#include "crypto/hash.h"
#include "crypto/keccak.h"

namespace quoll::crypto {

/// Keccak-f[1600] on 25 words.
void keccak_permute_portable(uint64_t* state);

extern const Keccak kKeccakPortable;
extern const HashAlgorithm kSha3_256Portable;
extern const HashAlgorithm kSha3_512Portable;

}  // namespace quoll::crypto
