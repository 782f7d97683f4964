// RSA's big-number kernels for x86-64: the tables, for the catalogue, and what one takes from the other.
#pragma once

#include "crypto/rsa.h"

namespace quoll::crypto {

extern const Rsa kRsaIfma;
extern const Rsa kRsaMulx;

void mulx_montgomery_multiply(uint64_t* r, const uint64_t* a, const uint64_t* b, const MontgomeryModulus& modulus);
void mulx_montgomery_square(uint64_t* r, const uint64_t* a, const MontgomeryModulus& modulus);

}  // namespace quoll::crypto
