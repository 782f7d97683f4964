#include "crypto/portable/ghash.h"

#include "crypto/ct.h"

namespace quoll::crypto {
namespace {

/// The low 64 bits of the carry-less product. x0..x3 and y0..y3 keep the bits at places 0..3 mod 4. Bit 4k + r of the
/// sum of products with i + j = r mod 4 counts the partial bits there: at most 16 at the highest place, k = 15, whose
/// carry leaves the word, and at most 15 below it, which fit in the four bits up to the next place of the same r.
uint64_t multiply_low(uint64_t x, uint64_t y) {
  constexpr uint64_t k0 = 0x1111111111111111, k1 = k0 << 1, k2 = k0 << 2, k3 = k0 << 3;
  const uint64_t x0 = x & k0, x1 = x & k1, x2 = x & k2, x3 = x & k3;
  const uint64_t y0 = y & k0, y1 = y & k1, y2 = y & k2, y3 = y & k3;
  const uint64_t z0 = (x0 * y0) ^ (x1 * y3) ^ (x2 * y2) ^ (x3 * y1);
  const uint64_t z1 = (x0 * y1) ^ (x1 * y0) ^ (x2 * y3) ^ (x3 * y2);
  const uint64_t z2 = (x0 * y2) ^ (x1 * y1) ^ (x2 * y0) ^ (x3 * y3);
  const uint64_t z3 = (x0 * y3) ^ (x1 * y2) ^ (x2 * y1) ^ (x3 * y0);
  return (z0 & k0) | (z1 & k1) | (z2 & k2) | (z3 & k3);
}

uint64_t reverse_bits(uint64_t x) {
  x = (x & 0x5555555555555555) << 1 | (x >> 1 & 0x5555555555555555);
  x = (x & 0x3333333333333333) << 2 | (x >> 2 & 0x3333333333333333);
  x = (x & 0x0f0f0f0f0f0f0f0f) << 4 | (x >> 4 & 0x0f0f0f0f0f0f0f0f);
  return byte_swap(x);
}

}  // namespace

Ghash::Ghash(GhashBlock h)
    : h_low_(h.low),
      h_high_(h.high),
      h_sum_(h.low ^ h.high),
      h_low_reversed_(reverse_bits(h_low_)),
      h_high_reversed_(reverse_bits(h_high_)),
      h_sum_reversed_(h_low_reversed_ ^ h_high_reversed_) {}

Ghash::~Ghash() { ct::wipe(this, sizeof *this); }

/// sum = (sum + block) * h. With the top bit as x^0 the integers are reflected polynomials; their 255-bit product is
/// shifted by one to be the reflected product, and multiplying by x is a shift to the right.
void Ghash::absorb(uint64_t high, uint64_t low) {
  high ^= sum_.high;
  low ^= sum_.low;
  const uint64_t high_reversed = reverse_bits(high), low_reversed = reverse_bits(low);

  // The low halves of the three products; the high halves are the low halves of the reversed products, reversed, and
  // one place off, because the product of two 64-bit polynomials has 127 bits.
  const uint64_t a = multiply_low(low, h_low_);
  const uint64_t b = multiply_low(high, h_high_);
  const uint64_t m = multiply_low(low ^ high, h_sum_) ^ a ^ b;
  const uint64_t ar = multiply_low(low_reversed, h_low_reversed_);
  const uint64_t br = multiply_low(high_reversed, h_high_reversed_);
  const uint64_t mr = multiply_low(low_reversed ^ high_reversed, h_sum_reversed_) ^ ar ^ br;
  const uint64_t w0 = a;
  const uint64_t w1 = reverse_bits(ar) >> 1 ^ m;
  const uint64_t w2 = reverse_bits(mr) >> 1 ^ b;
  const uint64_t w3 = reverse_bits(br) >> 1;

  uint64_t z3 = w3 << 1 | w2 >> 63, z2 = w2 << 1 | w1 >> 63, z1 = w1 << 1 | w0 >> 63;
  const uint64_t z0 = w0 << 1;

  // x^128 = 1 + x + x^2 + x^7: the two low words, lowest first, move up by 128 places.
  z2 ^= z0 ^ z0 >> 1 ^ z0 >> 2 ^ z0 >> 7;
  z1 ^= z0 << 63 ^ z0 << 62 ^ z0 << 57;
  z3 ^= z1 ^ z1 >> 1 ^ z1 >> 2 ^ z1 >> 7;
  z2 ^= z1 << 63 ^ z1 << 62 ^ z1 << 57;
  sum_ = {.high = z3, .low = z2};
}

void Ghash::update(Bytes data) {
  while (data.size() >= 16) {
    absorb(load_be<uint64_t>(data.data()), load_be<uint64_t>(data.data() + 8));
    data = data.subspan(16);
  }
  if (data.empty()) return;
  uint8_t padded[16] = {};
  copy_bytes(padded, data);
  absorb(load_be<uint64_t>(padded), load_be<uint64_t>(padded + 8));
}

void Ghash::finish(uint8_t* out, size_t aad_size, size_t text_size) {
  absorb(uint64_t{aad_size} * 8, uint64_t{text_size} * 8);
  store_be(out, sum_.high);
  store_be(out + 8, sum_.low);
}

}  // namespace quoll::crypto
