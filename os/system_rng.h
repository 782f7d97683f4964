// The randomness of a running program: one generator for each thread, seeded by the operating system.
//
// A Drbg (crypto/drbg.h) stands between the callers and getrandom(2), because a system call for every connection id
// would cost too much. Its state lies in a page of its own that
//   - the kernel wipes in a forked child, before the child runs (MADV_WIPEONFORK): a child has no state to repeat its
//     parent's stream with, and seeds anew on first use. Where the kernel cannot do that (Linux before 4.14, and
//     emulators such as qemu-user), nothing is kept at all and every request goes to getrandom;
//   - stays out of core dumps (MADV_DONTDUMP).
// It mixes fresh entropy in after every mebibyte of output, so that a state that leaked, by a copied virtual machine
// for example, is of use to its reader for a bounded time; on that scale the system call costs nothing.
#pragma once

#include "base/rng.h"

namespace quoll::os {

/// The calling thread's generator. For this thread only, and not from signal handlers or from the destructors of
/// thread-local and static objects.
Rng& thread_rng();

}  // namespace quoll::os
