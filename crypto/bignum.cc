#include "crypto/bignum.h"

#include <algorithm>

#include "base/check.h"
#include "crypto/ct.h"

namespace quoll::crypto::bignum {

void from_bytes(std::span<uint64_t> out, Bytes big_endian) {
  QUOLL_CHECK(big_endian.size() <= out.size() * 8);
  std::fill(out.begin(), out.end(), 0);
  for (size_t i = 0; i < big_endian.size(); i++) {
    out[i / 8] |= static_cast<uint64_t>(big_endian[big_endian.size() - 1 - i]) << (8 * (i % 8));
  }
}

void to_bytes(MutBytes out, std::span<const uint64_t> number) {
  QUOLL_CHECK(out.size() <= number.size() * 8);
  for (size_t i = 0; i < out.size(); i++) {
    out[out.size() - 1 - i] = static_cast<uint8_t>(number[i / 8] >> (8 * (i % 8)));
  }
}

uint64_t add(uint64_t* r, const uint64_t* a, const uint64_t* b, size_t limbs) {
  uint64_t carry = 0;
  for (size_t i = 0; i < limbs; i++) r[i] = add_with_carry(a[i], b[i], carry);
  return carry;
}

uint64_t subtract(uint64_t* r, const uint64_t* a, const uint64_t* b, size_t limbs) {
  uint64_t borrow = 0;
  for (size_t i = 0; i < limbs; i++) r[i] = subtract_with_borrow(a[i], b[i], borrow);
  return borrow;
}

uint64_t subtract_masked(uint64_t mask, uint64_t* r, const uint64_t* b, size_t limbs) {
  mask = ct::barrier(mask);
  uint64_t borrow = 0;
  for (size_t i = 0; i < limbs; i++) r[i] = subtract_with_borrow(r[i], b[i] & mask, borrow);
  return borrow;
}

uint64_t add_masked(uint64_t mask, uint64_t* r, const uint64_t* b, size_t limbs) {
  mask = ct::barrier(mask);
  uint64_t carry = 0;
  for (size_t i = 0; i < limbs; i++) r[i] = add_with_carry(r[i], b[i] & mask, carry);
  return carry;
}

uint64_t less(const uint64_t* a, const uint64_t* b, size_t limbs) {
  uint64_t borrow = 0;
  for (size_t i = 0; i < limbs; i++) subtract_with_borrow(a[i], b[i], borrow);
  return ct::barrier(0 - borrow);
}

uint64_t equal(const uint64_t* a, const uint64_t* b, size_t limbs) {
  uint64_t difference = 0;
  for (size_t i = 0; i < limbs; i++) difference |= a[i] ^ b[i];
  return ct::mask_zero(difference);
}

uint64_t equals_small(const uint64_t* a, uint64_t small, size_t limbs) {
  uint64_t difference = a[0] ^ small;
  for (size_t i = 1; i < limbs; i++) difference |= a[i];
  return ct::mask_zero(difference);
}

void subtract_mod(uint64_t* r, const uint64_t* a, const uint64_t* b, const uint64_t* modulus, size_t limbs) {
  const uint64_t borrow = subtract(r, a, b, limbs);
  add_masked(0 - borrow, r, modulus, limbs);
}

namespace {

/// r = 2 * r + bit mod modulus, for r < modulus.
void shift_in(uint64_t* r, uint64_t bit, const uint64_t* modulus, size_t limbs) {
  for (size_t i = 0; i < limbs; i++) {
    const uint64_t out = r[i] >> 63;
    r[i] = (r[i] << 1) | bit;
    bit = out;
  }
  // 2 r + 1 < 2 modulus, so one subtraction is enough: it is due when a bit fell out or r >= modulus.
  const uint64_t mask = (0 - bit) | ~less(r, modulus, limbs);
  subtract_masked(mask, r, modulus, limbs);
}

}  // namespace

void double_mod(uint64_t* r, const uint64_t* modulus, size_t limbs) { shift_in(r, 0, modulus, limbs); }

void multiply_add(uint64_t* r, const uint64_t* a, const uint64_t* b, const uint64_t* c, size_t limbs) {
  std::copy_n(c, limbs, r);
  for (size_t i = 0; i < limbs; i++) {
    uint64_t carry = 0;
    for (size_t j = 0; j < limbs; j++) {
      const Wide sum = Multiplier::multiply_add(a[j], b[i], r[i + j], carry);
      r[i + j] = sum.low;
      carry = sum.high;
    }
    r[i + limbs] = carry;
  }
}

void reduce(uint64_t* r, std::span<const uint64_t> a, const uint64_t* modulus, size_t limbs) {
  std::fill_n(r, limbs, 0);
  for (size_t i = a.size() * 64; i-- > 0;) shift_in(r, (a[i / 64] >> (i % 64)) & 1, modulus, limbs);
}

size_t public_bit_length(std::span<const uint64_t> number) {
  uint64_t length = 0;
  for (size_t i = 0; i < number.size(); i++) {
    uint64_t bits = 0;  // of this limb, by halving: no instruction that counts zeros in variable time
    uint64_t rest = number[i];
    for (uint64_t half = 32; half != 0; half /= 2) {
      const uint64_t mask = ct::mask_nonzero(rest >> half);
      bits += half & mask;
      rest = ct::select(mask, rest >> half, rest);
    }
    length = ct::select(ct::mask_nonzero(number[i]), 64 * i + bits + 1, length);
  }
  return ct::declassified(length);
}

uint64_t negative_inverse(uint64_t odd) {
  // Newton's iteration doubles the count of right bits: 5 at first, as odd * (3 odd ^ 2) = 1 mod 2^5.
  uint64_t inverse = (3 * odd) ^ 2;
  for (int i = 0; i < 4; i++) inverse *= 2 - odd * inverse;
  return 0 - inverse;
}

}  // namespace quoll::crypto::bignum
