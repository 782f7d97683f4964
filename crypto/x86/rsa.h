// RSA's big-number kernels for x86-64: the tables, for the catalogue.
#pragma once

#include "crypto/rsa.h"

namespace quoll::crypto {

extern const Rsa x86_rsa_mulx;

}  // namespace quoll::crypto
