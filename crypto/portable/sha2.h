// SHA-2 in portable C++: the tables, for the catalogue and for primitives that hash on their own.
#pragma once

#include "crypto/hash.h"

namespace quoll::crypto {

extern const HashAlgorithm kSha256Portable;
extern const HashAlgorithm kSha384Portable;
extern const HashAlgorithm kSha512Portable;

}  // namespace quoll::crypto
