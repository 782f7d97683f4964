#include "bench/crypto_families.h"

namespace quoll::bench {

void bench_mlkem(Table&, const crypto::Provider&) {}

}  // namespace quoll::bench
