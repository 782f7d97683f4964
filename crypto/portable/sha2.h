// SHA-2 in portable C++: the tables, for the catalogue and for primitives that hash on their own.
#pragma once

#include "crypto/hash.h"

namespace quoll::crypto {

extern const HashAlgorithm portable_sha256;
extern const HashAlgorithm portable_sha384;
extern const HashAlgorithm portable_sha512;

}  // namespace quoll::crypto
