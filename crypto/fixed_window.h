// Two exponentiations with secret exponents side by side: the halves of an RSA private operation.
//
// Left to right with fixed windows of five bits over a table of the first 32 powers. Which table entry a window takes
// is secret, so every choice reads the whole table. The sequence of squarings and multiplications depends on the
// moduli's sizes alone.
//
// An engine holds numbers of both halves in one element of `element_limbs` words, in a Montgomery form of its own:
//   kElementLimbs                                  words that an element takes at most
//   element_limbs()                                words that an element takes
//   one(r), base(r)                                the neutral elements, the bases
//   square(r, a), multiply(r, a, b)                of both halves; r may be an input
//   gather(r, table, indices)                      r's halves from table[indices[0]] and table[indices[1]]
//   result(a)                                      leaves the Montgomery form and writes both results
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "crypto/bignum.h"
#include "crypto/ct.h"
#include "crypto/rsa.h"

namespace quoll::crypto {

inline constexpr size_t kWindowBits = 5;
inline constexpr size_t kWindowEntries = size_t{1} << kWindowBits;

/// The window of five bits from bit `position`; bits beyond the exponent are zero.
inline uint64_t window_at(const uint64_t* exponent, size_t limbs, size_t position) {
  const size_t limb = position / 64, shift = position % 64;
  uint64_t window = limb < limbs ? exponent[limb] >> shift : 0;
  if (shift > 64 - kWindowBits && limb + 1 < limbs) window |= exponent[limb + 1] << (64 - shift);
  return window & (kWindowEntries - 1);
}

/// Runs both halves on an engine that was made for them.
template <class Engine>
void fixed_window_exponentiate(Engine& engine, const RsaHalf (&halves)[2]) {
  alignas(64) uint64_t table[kWindowEntries * Engine::kElementLimbs];
  alignas(64) uint64_t chosen[Engine::kElementLimbs];
  alignas(64) uint64_t power[Engine::kElementLimbs];
  const size_t stride = engine.element_limbs();

  engine.one(table);
  engine.base(table + stride);
  for (size_t i = 2; i < kWindowEntries; i += 2) {
    engine.square(table + i * stride, table + i / 2 * stride);
    engine.multiply(table + (i + 1) * stride, table + i * stride, table + stride);
  }

  const size_t limbs = halves[0].modulus->limbs;
  const size_t bits = std::max(halves[0].modulus->bits, halves[1].modulus->bits);
  size_t position = (bits + kWindowBits - 1) / kWindowBits * kWindowBits;
  const auto choose = [&](uint64_t* r) {
    position -= kWindowBits;
    const uint64_t indices[2] = {window_at(halves[0].exponent, limbs, position),
                                 window_at(halves[1].exponent, limbs, position)};
    engine.gather(r, table, indices);
  };
  choose(power);
  while (position != 0) {
    for (size_t i = 0; i < kWindowBits; i++) engine.square(power, power);
    choose(chosen);
    engine.multiply(power, power, chosen);
  }
  engine.result(power);

  ct::wipe(table, sizeof(uint64_t) * kWindowEntries * stride);
  ct::wipe(chosen);
  ct::wipe(power);
}

/// The engine of an implementation whose Kernel works on one number at a time, in limbs of 64 bits:
///   Kernel::Scratch                                    memory for intermediate numbers, wiped here
///   Kernel::multiply(r, a, b, modulus, scratch), Kernel::square(r, a, modulus, scratch)    of numbers below R, as are
///   r Kernel::gather(r, table, stride, limbs, index)     r = table[index], entries `stride` words apart
template <class Kernel>
class LimbEngine {
 public:
  static constexpr size_t kElementLimbs = 2 * kHalfLimbsMax;

  explicit LimbEngine(const RsaHalf (&halves)[2]) : halves_(halves), limbs_(halves[0].modulus->limbs) {}
  ~LimbEngine() { ct::wipe(scratch_); }
  LimbEngine(const LimbEngine&) = delete;
  LimbEngine& operator=(const LimbEngine&) = delete;

  size_t element_limbs() const { return 2 * limbs_; }

  void one(uint64_t* r) {
    for (size_t h = 0; h < 2; h++) std::copy_n(halves_[h].modulus->one, limbs_, r + h * limbs_);
  }
  void base(uint64_t* r) {
    for (size_t h = 0; h < 2; h++) {
      const MontgomeryModulus& modulus = *halves_[h].modulus;
      Kernel::multiply(r + h * limbs_, halves_[h].base, modulus.square, modulus, scratch_);
    }
  }
  void square(uint64_t* r, const uint64_t* a) {
    for (size_t h = 0; h < 2; h++) Kernel::square(r + h * limbs_, a + h * limbs_, *halves_[h].modulus, scratch_);
  }
  void multiply(uint64_t* r, const uint64_t* a, const uint64_t* b) {
    for (size_t h = 0; h < 2; h++) {
      Kernel::multiply(r + h * limbs_, a + h * limbs_, b + h * limbs_, *halves_[h].modulus, scratch_);
    }
  }
  void gather(uint64_t* r, const uint64_t* table, const uint64_t (&indices)[2]) {
    for (size_t h = 0; h < 2; h++) Kernel::gather(r + h * limbs_, table + h * limbs_, 2 * limbs_, limbs_, indices[h]);
  }
  /// a * 1 / R is at most the modulus, for a below R.
  void result(const uint64_t* a) {
    uint64_t unit[kHalfLimbsMax] = {1};
    for (size_t h = 0; h < 2; h++) {
      const MontgomeryModulus& modulus = *halves_[h].modulus;
      uint64_t* const out = halves_[h].result;
      Kernel::multiply(out, a + h * limbs_, unit, modulus, scratch_);
      bignum::subtract_masked(~bignum::less(out, modulus.value, limbs_), out, modulus.value, limbs_);
    }
  }

 private:
  const RsaHalf (&halves_)[2];
  size_t limbs_;
  typename Kernel::Scratch scratch_;
};

}  // namespace quoll::crypto
