// a * b / c with a product of 128 bits, saturating: the arithmetic of rates, durations and byte counts.
//
// The product of a byte count and a number of nanoseconds passes 64 bits within seconds at 10 Gbit/s. Products that fit
// into 64 bits, which is nearly all of them, cost one multiplication and one division. Hosts without a 128-bit type use
// the portable code, which tests reach on every host. Not for secrets: the time depends on the values.
#pragma once

#include <bit>
#include <cstdint>

#include "base/check.h"

namespace quoll {

enum class Round : uint8_t { down, up };

namespace mul_div_detail {

struct Product {
  uint64_t high, low;
};

constexpr Product multiply_portable(uint64_t a, uint64_t b) {
  const uint64_t a0 = a & 0xffffffff, a1 = a >> 32, b0 = b & 0xffffffff, b1 = b >> 32;
  const uint64_t low = a0 * b0;
  const uint64_t middle = a1 * b0 + (low >> 32);             // < 2^64: (2^32-1)^2 + 2^32-1
  const uint64_t middle2 = a0 * b1 + (middle & 0xffffffff);  // likewise
  return {a1 * b1 + (middle >> 32) + (middle2 >> 32), middle2 << 32 | (low & 0xffffffff)};
}

/// Quotient of a 128-bit number by c, high < c (so that it fits), by long division; the remainder goes to high.
constexpr Product divide_portable(Product n, uint64_t c) {
  uint64_t quotient = 0;
  for (int i = 0; i < 64; i++) {
    const bool carry = n.high >> 63;
    n.high = n.high << 1 | n.low >> 63;
    n.low <<= 1;
    quotient <<= 1;
    if (carry || n.high >= c) {
      n.high -= c;
      quotient |= 1;
    }
  }
  return {n.high, quotient};
}

constexpr uint64_t rounded(uint64_t quotient, bool exact, Round round) {
  return quotient + (round == Round::up && !exact && quotient != UINT64_MAX);
}

constexpr uint64_t mul_div_portable(uint64_t a, uint64_t b, uint64_t c, Round round) {
  const Product product = multiply_portable(a, b);
  if (product.high >= c) return UINT64_MAX;
  const Product divided = divide_portable(product, c);
  return rounded(divided.low, divided.high == 0, round);
}

}  // namespace mul_div_detail

/// a * b / c, UINT64_MAX when that is more; c > 0.
constexpr uint64_t mul_div(uint64_t a, uint64_t b, uint64_t c, Round round = Round::down) {
  using namespace mul_div_detail;
  QUOLL_DCHECK(c != 0);
  uint64_t product = 0;
  if (!__builtin_mul_overflow(a, b, &product)) [[likely]]
    return rounded(product / c, product % c == 0, round);
#ifdef __SIZEOF_INT128__
  __extension__ using u128 = unsigned __int128;
  const u128 wide = static_cast<u128>(a) * b;
  if (static_cast<uint64_t>(wide >> 64) >= c) return UINT64_MAX;
  return rounded(static_cast<uint64_t>(wide / c), wide % c == 0, round);
#else
  return mul_div_portable(a, b, c, round);
#endif
}

}  // namespace quoll
