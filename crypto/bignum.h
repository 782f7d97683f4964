// Natural numbers of a fixed count of 64-bit limbs, least significant limb first: what RSA needs beside Montgomery
// arithmetic.
//
// Every function takes time that depends on the limb counts alone, which are public. Carries and borrows are words of 0
// or 1, masks are all ones or all zeros. Outputs may be inputs of the same length. The functions that a key or a
// signature calls a few times are here, in portable C++; those that it calls a thousand times are kernels of
// crypto::Rsa.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"

namespace quoll::crypto::bignum {

/// A 128-bit product in two halves.
struct Wide {
  uint64_t low;
  uint64_t high;
};

/// a * b + c + d, which fits 128 bits, from four 32-bit products: for hosts without a 128-bit type.
struct SplitMultiplier {
  static Wide multiply_add(uint64_t a, uint64_t b, uint64_t c, uint64_t d) {
    constexpr uint64_t kLow = 0xffffffff;
    const uint64_t a0 = a & kLow, a1 = a >> 32, b0 = b & kLow, b1 = b >> 32;
    // Each sum is at most (2^32 - 1)^2 + 2 (2^32 - 1) = 2^64 - 1.
    const uint64_t p0 = a0 * b0 + (c & kLow) + (d & kLow);
    const uint64_t p1 = a1 * b0 + (c >> 32) + (p0 >> 32);
    const uint64_t p2 = a0 * b1 + (d >> 32) + (p1 & kLow);
    return {(p2 << 32) | (p0 & kLow), a1 * b1 + (p1 >> 32) + (p2 >> 32)};
  }
};

#ifdef __SIZEOF_INT128__
struct NativeMultiplier {
  static Wide multiply_add(uint64_t a, uint64_t b, uint64_t c, uint64_t d) {
    __extension__ using u128 = unsigned __int128;
    const u128 sum = static_cast<u128>(a) * b + c + d;
    return {static_cast<uint64_t>(sum), static_cast<uint64_t>(sum >> 64)};
  }
};
using Multiplier = NativeMultiplier;
#else
using Multiplier = SplitMultiplier;
#endif

/// a + b + carry; carry becomes the carry out.
inline uint64_t add_with_carry(uint64_t a, uint64_t b, uint64_t& carry) {
  const uint64_t partial = a + b;
  const uint64_t sum = partial + carry;
  carry = static_cast<uint64_t>(partial < a) | static_cast<uint64_t>(sum < partial);
  return sum;
}

/// a - b - borrow; borrow becomes the borrow out.
inline uint64_t subtract_with_borrow(uint64_t a, uint64_t b, uint64_t& borrow) {
  const uint64_t partial = a - b;
  const uint64_t difference = partial - borrow;
  borrow = static_cast<uint64_t>(a < b) | static_cast<uint64_t>(partial < borrow);
  return difference;
}

/// Reads a big-endian integer of at most out.size() * 8 bytes.
void from_bytes(std::span<uint64_t> out, Bytes big_endian);

/// Writes the low out.size() bytes, big-endian. out.size() is at most number.size() * 8.
void to_bytes(MutBytes out, std::span<const uint64_t> number);

/// r = a + b mod 2^(64 * limbs); returns the carry.
uint64_t add(uint64_t* r, const uint64_t* a, const uint64_t* b, size_t limbs);

/// r = a - b mod 2^(64 * limbs); returns the borrow, which is 1 when a < b.
uint64_t subtract(uint64_t* r, const uint64_t* a, const uint64_t* b, size_t limbs);

/// r -= b where mask is all ones; returns the borrow.
uint64_t subtract_masked(uint64_t mask, uint64_t* r, const uint64_t* b, size_t limbs);

/// r += b where mask is all ones; returns the carry.
uint64_t add_masked(uint64_t mask, uint64_t* r, const uint64_t* b, size_t limbs);

/// All ones when a < b.
uint64_t less(const uint64_t* a, const uint64_t* b, size_t limbs);

/// All ones when a == b.
uint64_t equal(const uint64_t* a, const uint64_t* b, size_t limbs);

/// All ones when a == small.
uint64_t equals_small(const uint64_t* a, uint64_t small, size_t limbs);

/// r = a - b mod modulus, for a, b < modulus.
void subtract_mod(uint64_t* r, const uint64_t* a, const uint64_t* b, const uint64_t* modulus, size_t limbs);

/// r = 2 * r mod modulus, for r < modulus.
void double_mod(uint64_t* r, const uint64_t* modulus, size_t limbs);

/// r[0 .. 2 * limbs) = a * b + c, with c of `limbs` limbs. r is none of the inputs.
void multiply_add(uint64_t* r, const uint64_t* a, const uint64_t* b, const uint64_t* c, size_t limbs);

/// r = a mod modulus, one bit of a at a time: slow, for preparing keys. r is none of the inputs.
void reduce(uint64_t* r, std::span<const uint64_t> a, const uint64_t* modulus, size_t limbs);

/// The count of bits without leading zeros, which is public.
size_t public_bit_length(std::span<const uint64_t> number);

/// The low word of -1 / odd mod 2^64.
uint64_t negative_inverse(uint64_t odd);

}  // namespace quoll::crypto::bignum
