// SHA-2 with x86-64's instructions: the tables, for the catalogue.
#pragma once

#include "crypto/hash.h"

namespace quoll::crypto {

extern const HashAlgorithm x86_sha256_sha_ni;

}  // namespace quoll::crypto
