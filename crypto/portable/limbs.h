// Integers of a fixed number of 64-bit limbs, least significant first, and the few operations that everything modular
// is made of.
//
// All of it is constant-time in the values. Multiplication comes in two forms with one interface: NativeMultiply uses
// the compiler's 128-bit integers, HalvesMultiply builds the product of 32-bit halves for hosts without them (the tests
// reach it on every host, as a template argument).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "crypto/ct.h"

namespace quoll::crypto {

template <size_t N>
using Limbs = std::array<uint64_t, N>;

/// a * b + addend + carry, which always fits 128 bits: the low half is returned, the high half becomes the carry.
struct HalvesMultiply {
  static constexpr uint64_t multiply_add(uint64_t a, uint64_t b, uint64_t addend, uint64_t& carry) {
    const uint64_t a0 = a & 0xffffffff, a1 = a >> 32;
    const uint64_t b0 = b & 0xffffffff, b1 = b >> 32;
    // Each sum of a 32x32-bit product and two 32-bit values fits 64 bits.
    const uint64_t low = a0 * b0 + (addend & 0xffffffff) + (carry & 0xffffffff);
    const uint64_t middle = a1 * b0 + (addend >> 32) + (low >> 32);
    const uint64_t cross = a0 * b1 + (carry >> 32) + (middle & 0xffffffff);
    carry = a1 * b1 + (middle >> 32) + (cross >> 32);
    return cross << 32 | (low & 0xffffffff);
  }
};

#ifdef __SIZEOF_INT128__
struct NativeMultiply {
  static constexpr uint64_t multiply_add(uint64_t a, uint64_t b, uint64_t addend, uint64_t& carry) {
    __extension__ using u128 = unsigned __int128;
    const u128 sum = static_cast<u128>(a) * b + addend + carry;
    carry = static_cast<uint64_t>(sum >> 64);
    return static_cast<uint64_t>(sum);
  }
};
using DefaultMultiply = NativeMultiply;
#else
using DefaultMultiply = HalvesMultiply;
#endif

/// a + b + carry; the carry in and out is 0 or 1.
constexpr uint64_t add_carry(uint64_t a, uint64_t b, uint64_t& carry) {
  const uint64_t partial = a + b;
  const uint64_t sum = partial + carry;
  carry = static_cast<uint64_t>(partial < a) | static_cast<uint64_t>(sum < partial);
  return sum;
}

/// a - b - borrow; the borrow in and out is 0 or 1.
constexpr uint64_t subtract_borrow(uint64_t a, uint64_t b, uint64_t& borrow) {
  const uint64_t partial = a - b;
  const uint64_t difference = partial - borrow;
  borrow = static_cast<uint64_t>(a < b) | static_cast<uint64_t>(partial < borrow);
  return difference;
}

/// r = a + b mod 2^(64 N); returns the carry, 0 or 1. The arguments may be the same object.
template <size_t N>
constexpr uint64_t add_limbs(Limbs<N>& r, const Limbs<N>& a, const Limbs<N>& b) {
  uint64_t carry = 0;
  for (size_t i = 0; i < N; i++) r[i] = add_carry(a[i], b[i], carry);
  return carry;
}

/// r = a - b mod 2^(64 N); returns the borrow, 0 or 1. The arguments may be the same object.
template <size_t N>
constexpr uint64_t subtract_limbs(Limbs<N>& r, const Limbs<N>& a, const Limbs<N>& b) {
  uint64_t borrow = 0;
  for (size_t i = 0; i < N; i++) r[i] = subtract_borrow(a[i], b[i], borrow);
  return borrow;
}

/// r = mask ? a : b, where the mask is all ones or zero.
template <size_t N>
void select_limbs(Limbs<N>& r, uint64_t mask, const Limbs<N>& a, const Limbs<N>& b) {
  for (size_t i = 0; i < N; i++) r[i] = ct::select(mask, a[i], b[i]);
}

/// All ones when a is zero.
template <size_t N>
uint64_t mask_zero_limbs(const Limbs<N>& a) {
  uint64_t bits = 0;
  for (const uint64_t limb : a) bits |= limb;
  return ct::mask_zero(bits);
}

/// All ones when a < b.
template <size_t N>
uint64_t mask_less_limbs(const Limbs<N>& a, const Limbs<N>& b) {
  Limbs<N> difference;
  return ct::barrier(0 - subtract_limbs(difference, a, b));
}

/// r = a mod m for a < 2 m, where `carry` is the bit of a above its limbs.
template <size_t N>
void reduce_once(Limbs<N>& r, const Limbs<N>& a, uint64_t carry, const Limbs<N>& m) {
  Limbs<N> difference;
  const uint64_t borrow = subtract_limbs(difference, a, m);
  select_limbs(r, ct::mask_zero(borrow & ~carry & 1), difference, a);
}

/// `size` bits of a starting at `position`; zero beyond the end. Position and size (less than 64) are public.
template <size_t N>
uint64_t bits_at(const Limbs<N>& a, size_t position, size_t size) {
  const size_t limb = position / 64, shift = position % 64;
  uint64_t bits = a[limb] >> shift;
  if (shift + size > 64 && limb + 1 < N) bits |= a[limb + 1] << (64 - shift);
  return bits & ((uint64_t{1} << size) - 1);
}

/// From and to 8 N bytes, big-endian.
template <size_t N>
Limbs<N> load_limbs(const uint8_t* bytes) {
  Limbs<N> limbs;
  for (size_t i = 0; i < N; i++) limbs[i] = load_be<uint64_t>(bytes + 8 * (N - 1 - i));
  return limbs;
}

template <size_t N>
void store_limbs(uint8_t* bytes, const Limbs<N>& limbs) {
  for (size_t i = 0; i < N; i++) store_be(bytes + 8 * (N - 1 - i), limbs[i]);
}

/// A constant from 16 N hexadecimal digits; spaces are for the reader.
template <size_t N>
consteval Limbs<N> limbs_of_hex(std::string_view hex) {
  Limbs<N> limbs{};
  for (const char c : hex) {
    if (c == ' ') continue;
    const uint64_t digit = static_cast<uint64_t>(c <= '9' ? c - '0' : c - 'a' + 10);
    for (size_t i = N - 1; i > 0; i--) limbs[i] = limbs[i] << 4 | limbs[i - 1] >> 60;
    limbs[0] = limbs[0] << 4 | digit;
  }
  return limbs;
}

/// A constant as big-endian bytes.
template <size_t N>
consteval std::array<uint8_t, 8 * N> big_endian_bytes(const Limbs<N>& limbs) {
  std::array<uint8_t, 8 * N> bytes{};
  for (size_t i = 0; i < bytes.size(); i++) {
    const size_t byte = bytes.size() - 1 - i;
    bytes[i] = static_cast<uint8_t>(limbs[byte / 8] >> 8 * (byte % 8));
  }
  return bytes;
}

}  // namespace quoll::crypto
