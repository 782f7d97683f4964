// ThreadRng: the calling thread's randomness, whichever thread that is, for an object that one thread makes and another
// uses.
#pragma once

#include "os/system_rng.h"

namespace quoll::web {

class ThreadRng final : public Rng {
 public:
  void fill(MutBytes out) override { os::thread_rng().fill(out); }
};

}  // namespace quoll::web
