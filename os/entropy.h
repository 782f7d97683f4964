// The operating system's entropy.
//
// Linux: getrandom(2) from the kernel's generator, blocking until it is seeded after boot. There is no fallback: a
// process that cannot get entropy cannot make a key, so failure stops it.
#pragma once

#include "base/bytes.h"

namespace quoll::os {

/// Fills `out` with entropy. Any size; a call of up to 256 bytes is one system call.
void fill_with_entropy(MutBytes out);

}  // namespace quoll::os
