#include "bench/crypto_families.h"

namespace quoll::bench {

void bench_hash(Table&, const crypto::Provider&) {}

}  // namespace quoll::bench
