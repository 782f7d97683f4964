#include "bench/crypto_families.h"

namespace quoll::bench {

void bench_curves25519(Table&, const crypto::Provider&) {}

}  // namespace quoll::bench
