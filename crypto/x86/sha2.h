// SHA-2 with x86-64's instructions: the tables, for the catalogue.
#pragma once

#include "crypto/hash.h"

namespace quoll::crypto {

extern const HashAlgorithm x86_sha256_sha_ni;
extern const HashAlgorithm x86_sha384_avx2;
extern const HashAlgorithm x86_sha512_avx2;

}  // namespace quoll::crypto
