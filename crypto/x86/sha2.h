// SHA-2 with x86-64's instructions: the tables, for the catalogue.
#pragma once

#include "crypto/hash.h"

namespace quoll::crypto {

extern const HashAlgorithm kSha256ShaNi;
extern const HashAlgorithm kSha384Avx2;
extern const HashAlgorithm kSha512Avx2;

}  // namespace quoll::crypto
