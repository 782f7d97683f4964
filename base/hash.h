// SipHash-2-4 (Aumasson and Bernstein, 2012): the keyed hash of tables whose keys a peer chooses.
//
// Source addresses can be spoofed and a client picks its first destination connection id, so a table over either,
// hashed without a key, can be made to collide at will. The key is drawn from the endpoint's Rng when the table is
// made.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/rng.h"

namespace quoll {

struct HashKey {
  uint64_t low = 0;
  uint64_t high = 0;

  static HashKey draw(Rng& rng) { return {.low = rng.next_u64(), .high = rng.next_u64()}; }
};

uint64_t siphash(const HashKey& key, Bytes message);

}  // namespace quoll
