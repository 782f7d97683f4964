#include "os/entropy.h"

#include <sys/random.h>

#include <cerrno>

#include "base/check.h"

namespace quoll::os {

void fill_with_entropy(MutBytes out) {
  while (!out.empty()) {
    // Reads of more than 256 bytes may come back short, and a signal may interrupt one that waits for the seed.
    const ssize_t got = getrandom(out.data(), out.size(), 0);
    if (got < 0) {
      QUOLL_CHECK(errno == EINTR);
      continue;
    }
    out = out.subspan(static_cast<size_t>(got));
  }
}

}  // namespace quoll::os
