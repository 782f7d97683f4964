#include "base/hash.h"

#include "tests/support/random.h"

// Last, so that its CHECK takes the place of ours in this file alone.
#include <doctest/doctest.h>

using namespace quoll;

TEST_SUITE("siphash") {
  TEST_CASE("the vectors of the reference: key 00..0f, message 00..n-1") {
    const HashKey key = {.low = 0x0706050403020100, .high = 0x0f0e0d0c0b0a0908};
    uint8_t message[15];
    for (uint8_t i = 0; i < sizeof message; i++) message[i] = i;
    CHECK_EQ(siphash(key, {}), 0x726fdb47dd0e0e31);
    CHECK_EQ(siphash(key, Bytes(message).first(1)), 0x74f839c593dc67fd);
    CHECK_EQ(siphash(key, Bytes(message).first(8)), 0x93f5f5799a932462);
    CHECK_EQ(siphash(key, message), 0xa129ca6149be45e5);  // appendix A of the paper
  }

  TEST_CASE("a drawn key decides the hash") {
    tests::SeededRng rng(1);
    const HashKey one = HashKey::draw(rng), other = HashKey::draw(rng);
    CHECK_EQ(siphash(one, as_bytes("connection id")), siphash(one, as_bytes("connection id")));
    CHECK_NE(siphash(one, as_bytes("connection id")), siphash(other, as_bytes("connection id")));
  }
}
