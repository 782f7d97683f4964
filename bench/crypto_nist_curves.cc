#include "bench/crypto_families.h"

namespace quoll::bench {

void bench_nist_curves(Table&, const crypto::Provider&) {}

}  // namespace quoll::bench
