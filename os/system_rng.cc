#include "os/system_rng.h"

#include <sys/mman.h>

#include <new>

#include "base/check.h"
#include "crypto/ct.h"
#include "crypto/drbg.h"
#include "os/entropy.h"

namespace quoll::os {
namespace {

constexpr size_t kReseedAfter = size_t{1} << 20;  // bytes of output

using Seed = crypto::Secret<crypto::Drbg::kSeedSize>;

Seed fresh_seed() {
  Seed seed;
  fill_with_entropy(seed);
  return seed;
}

/// What lies in the page that a fork wipes. All zeros means: not seeded.
struct State {
  size_t left_until_reseed;  // zero only before the first seed
  alignas(crypto::Drbg) std::byte drbg[sizeof(crypto::Drbg)];
};

class SystemRng final : public Rng {
 public:
  SystemRng() {
    void* page = mmap(nullptr, sizeof(State), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    QUOLL_CHECK(page != MAP_FAILED);
    state_ = static_cast<State*>(page);
    // An emulator of the kernel may ignore advice and report success: one that accepts nonsense is not believed.
    const bool believable = madvise(page, sizeof(State), -1) != 0;
    wiped_on_fork_ = believable && madvise(page, sizeof(State), MADV_WIPEONFORK) == 0;
    (void)madvise(page, sizeof(State), MADV_DONTDUMP);  // a convenience; nothing depends on it
  }

  SystemRng(const SystemRng&) = delete;
  SystemRng& operator=(const SystemRng&) = delete;

  ~SystemRng() override {
    crypto::ct::wipe(state_, sizeof(State));
    munmap(state_, sizeof(State));
  }

  void fill(MutBytes out) override {
    if (!wiped_on_fork_) return fill_with_entropy(out);
    if (state_->left_until_reseed == 0) {
      drbg_ = new (state_->drbg) crypto::Drbg(fresh_seed());
      state_->left_until_reseed = kReseedAfter;
    }
    drbg_->fill(out);
    if (out.size() >= state_->left_until_reseed) {
      drbg_->reseed(fresh_seed());
      state_->left_until_reseed = kReseedAfter;
    } else {
      state_->left_until_reseed -= out.size();
    }
  }

 private:
  State* state_;
  crypto::Drbg* drbg_ = nullptr;  // in the state; there when left_until_reseed is not zero
  bool wiped_on_fork_;
};

}  // namespace

Rng& thread_rng() {
  thread_local SystemRng rng;
  return rng;
}

}  // namespace quoll::os
