// The engine of RSA's private exponentiations over digits of 52 bits, for multipliers like AVX-512 IFMA (both halves at
// once).
//
// Almost-Montgomery multiplication (Gueron, Krasnov, "Software implementation of modular exponentiation, using advanced
// vector instructions architectures", 2012): with R = 2^(52 * kDigits) >= 4 m, numbers below 2 m multiply to numbers
// below 2 m, so that nothing is subtracted until the end. The digits of `a` lie in vectors; each turn adds a * b[i] and
// the multiple of m that makes the lowest digit zero, and shifts by a digit. That multiple depends on the lowest digit
// alone, which a scalar register follows exactly; the lowest lane of the vectors is then never read. The two halves are
// independent, so each hides the other's latency.
//
// The engine is a template over its vectors V, so that tests run it with vectors of plain integers on any machine. The
// file that includes this one defines QUOLL_RSA_TARGET as the target attribute of V's instructions (or as nothing). V
// has:
//   Vector, kLanes, zero(), broadcast(x), load(p), store(p, v), add(a, b)
//   multiply_add_low(s, a, b), multiply_add_high(s, a, b)   s + the low or high 52 bits of the product of 52-bit digits
//   shift_down(high, low)     low's lanes one down, high's lowest lane on top
//   shift_up(high, low)       high's lanes one up, low's highest lane at the bottom
//   carries(v), low_bits(v)   v >> 52, v mod 2^52
//   lowest(v), replace_lowest(v, x)         lane 0; v with lane 0 = x
//   above(v), full(v)         bit i: lane i is above 2^52 - 1, is 2^52 - 1
//   increment(v, bits)        v + 1 in the lanes whose bits are set
//   choose(wanted, entry, a, b)   a in the lanes where wanted == entry, else b
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "crypto/bignum.h"
#include "crypto/ct.h"
#include "crypto/fixed_window.h"
#include "crypto/rsa.h"

namespace quoll::crypto {
namespace {

constexpr size_t kDigitBits = 52;
constexpr uint64_t kDigitMask = (uint64_t{1} << kDigitBits) - 1;

/// kLimbs: the limbs of 64 bits of a modulus; kDigits: its digits, of which kDigitBits * kDigits >= 64 * kLimbs + 2.
template <class V, size_t kLimbs, size_t kDigits>
class IfmaEngine {
  using Vector = typename V::Vector;

  static constexpr size_t kLanes = V::kLanes;
  static constexpr size_t kVectors = (kDigits + kLanes - 1) / kLanes;
  static constexpr size_t kStride = kVectors * kLanes;  // words of a number; digits from kDigits on are zero

  static_assert(kDigitBits * kDigits >= 64 * kLimbs + 2 && kDigits < 64);

 public:
  static constexpr size_t kElementLimbs = 2 * kStride;

  explicit IfmaEngine(const RsaHalf (&halves)[2]) : halves_(halves) {
    // R^2 = 2^(104 kDigits) from the modulus' own 2^(128 kLimbs): its square over R, times 2^kRest over R.
    constexpr size_t kRest = 4 * kDigitBits * kDigits - 4 * 64 * kLimbs;
    static_assert(kRest < 64 * kLimbs - 1);
    alignas(64) uint64_t rest[kElementLimbs] = {};
    for (size_t h = 0; h < 2; h++) {
      to_digits(modulus_ + h * kStride, halves[h].modulus->value);
      to_digits(square_ + h * kStride, halves[h].modulus->square);
      n0_[h] = halves[h].modulus->n0 & kDigitMask;
      rest[h * kStride + kRest / kDigitBits] = uint64_t{1} << (kRest % kDigitBits);
    }
    multiply(square_, square_, square_);
    multiply(square_, square_, rest);
  }
  ~IfmaEngine() { ct::wipe(modulus_), ct::wipe(square_), ct::wipe(n0_); }
  IfmaEngine(const IfmaEngine&) = delete;
  IfmaEngine& operator=(const IfmaEngine&) = delete;

  static constexpr size_t element_limbs() { return kElementLimbs; }

  void one(uint64_t* r) const {
    alignas(64) uint64_t unit[kElementLimbs] = {};
    unit[0] = unit[kStride] = 1;
    multiply(r, square_, unit);
  }

  void base(uint64_t* r) const {
    for (size_t h = 0; h < 2; h++) to_digits(r + h * kStride, halves_[h].base);
    multiply(r, r, square_);
  }

  void square(uint64_t* r, const uint64_t* a) const { multiply(r, a, a); }

  /// r = a * b / R modulo the two moduli; all below twice the modulus.
  QUOLL_RSA_TARGET void multiply(uint64_t* r, const uint64_t* a, const uint64_t* b) const {
    Vector sum0[kVectors], sum1[kVectors];
    for (size_t v = 0; v < kVectors; v++) sum0[v] = sum1[v] = V::zero();
    uint64_t lowest0 = 0, lowest1 = 0;
    for (size_t i = 0; i < kDigits; i++) {
      turn(sum0, lowest0, a, b[i], modulus_, n0_[0]);
      turn(sum1, lowest1, a + kStride, b[kStride + i], modulus_ + kStride, n0_[1]);
    }
    finish(r, sum0, lowest0);
    finish(r + kStride, sum1, lowest1);
  }

  /// All entries are read, whatever the indices.
  QUOLL_RSA_TARGET void gather(uint64_t* r, const uint64_t* table, const uint64_t (&indices)[2]) const {
    for (size_t h = 0; h < 2; h++) {
      const Vector wanted = V::broadcast(indices[h]);
      Vector chosen[kVectors];
      for (size_t v = 0; v < kVectors; v++) chosen[v] = V::zero();
      for (size_t i = 0; i < kWindowEntries; i++) {
        const uint64_t* const entry = table + i * kElementLimbs + h * kStride;
        const Vector index = V::broadcast(i);
        for (size_t v = 0; v < kVectors; v++) {
          chosen[v] = V::choose(wanted, index, V::load(entry + v * kLanes), chosen[v]);
        }
      }
      for (size_t v = 0; v < kVectors; v++) V::store(r + h * kStride + v * kLanes, chosen[v]);
    }
  }

  /// a * 1 / R is at most the modulus, and equals it only for 0.
  void result(const uint64_t* a) const {
    alignas(64) uint64_t unit[kElementLimbs] = {};
    alignas(64) uint64_t ordinary[kElementLimbs];
    unit[0] = unit[kStride] = 1;
    multiply(ordinary, a, unit);
    for (size_t h = 0; h < 2; h++) {
      uint64_t* const out = halves_[h].result;
      const uint64_t* const modulus = halves_[h].modulus->value;
      from_digits(out, ordinary + h * kStride);
      bignum::subtract_masked(~bignum::less(out, modulus, kLimbs), out, modulus, kLimbs);
    }
    ct::wipe(ordinary);
  }

 private:
  static void to_digits(uint64_t* digits, const uint64_t* limbs) {
    for (size_t i = 0; i < kStride; i++) {
      const size_t limb = kDigitBits * i / 64, shift = kDigitBits * i % 64;
      uint64_t digit = limb < kLimbs ? limbs[limb] >> shift : 0;
      if (shift > 64 - kDigitBits && limb + 1 < kLimbs) digit |= limbs[limb + 1] << (64 - shift);
      digits[i] = digit & kDigitMask;
    }
  }

  static void from_digits(uint64_t* limbs, const uint64_t* digits) {
    std::fill_n(limbs, kLimbs, 0);
    for (size_t i = 0; i < kDigits; i++) {
      const size_t limb = kDigitBits * i / 64, shift = kDigitBits * i % 64;
      if (limb < kLimbs) limbs[limb] |= digits[i] << shift;
      if (shift > 64 - kDigitBits && limb + 1 < kLimbs) limbs[limb + 1] |= digits[i] >> (64 - shift);
    }
  }

  /// sum = (sum + a * factor + m * quotient) / 2^52. A lane gains less than 2^54 in a turn and is moved down in each,
  /// so that it stays below kDigits * 2^54 < 2^60. `lowest` is the exact lowest digit, below 2^61 by the same count.
  [[gnu::always_inline]] QUOLL_RSA_TARGET static void turn(Vector (&sum)[kVectors], uint64_t& lowest, const uint64_t* a,
                                                           uint64_t factor, const uint64_t* m, uint64_t n0) {
    __extension__ using u128 = unsigned __int128;
    const u128 product = static_cast<u128>(a[0]) * factor + lowest;
    const uint64_t quotient = (static_cast<uint64_t>(product) * n0) & kDigitMask;
    const u128 cancelled = product + static_cast<u128>(m[0]) * quotient;  // a multiple of 2^52

    const Vector f = V::broadcast(factor), q = V::broadcast(quotient);
    for (size_t v = 0; v < kVectors; v++) sum[v] = V::multiply_add_low(sum[v], V::load(a + v * kLanes), f);
    for (size_t v = 0; v < kVectors; v++) sum[v] = V::multiply_add_low(sum[v], V::load(m + v * kLanes), q);
    for (size_t v = 0; v + 1 < kVectors; v++) sum[v] = V::shift_down(sum[v + 1], sum[v]);
    sum[kVectors - 1] = V::shift_down(V::zero(), sum[kVectors - 1]);
    lowest = static_cast<uint64_t>(cancelled >> kDigitBits) + V::lowest(sum[0]);
    for (size_t v = 0; v < kVectors; v++) sum[v] = V::multiply_add_high(sum[v], V::load(a + v * kLanes), f);
    for (size_t v = 0; v < kVectors; v++) sum[v] = V::multiply_add_high(sum[v], V::load(m + v * kLanes), q);
  }

  /// Writes the sum with all digits below 2^52.
  [[gnu::always_inline]] QUOLL_RSA_TARGET static void finish(uint64_t* r, Vector (&sum)[kVectors], uint64_t lowest) {
    sum[0] = V::replace_lowest(sum[0], lowest);
    // Once each digit has passed its carry up, digits are below 2^52 + 2^9 and what is left to carry is 0 or 1.
    Vector below = V::zero();
    uint64_t above = 0, full = 0;  // bit i: digit i carries by itself, or when a carry comes in
    for (size_t v = 0; v < kVectors; v++) {
      const Vector carries = V::carries(sum[v]);
      sum[v] = V::add(V::low_bits(sum[v]), V::shift_up(carries, below));
      below = carries;
      above |= V::above(sum[v]) << (v * kLanes);
      full |= V::full(sum[v]) << (v * kLanes);
    }
    // A carry runs through full digits as it runs through the ones of a binary sum.
    const uint64_t carried = ((above << 1) + full) ^ full;
    for (size_t v = 0; v < kVectors; v++) {
      V::store(r + v * kLanes, V::low_bits(V::increment(sum[v], carried >> (v * kLanes))));
    }
  }

  const RsaHalf (&halves_)[2];
  alignas(64) uint64_t modulus_[kElementLimbs];
  alignas(64) uint64_t square_[kElementLimbs];  // R^2
  uint64_t n0_[2];                              // -1 / m mod 2^52
};

/// Both halves on the engine `E` made for them.
template <class E>
void run_ifma_engine(const RsaHalf (&halves)[2]) {
  E engine(halves);
  fixed_window_exponentiate(engine, halves);
}

/// Both halves. The primes of keys of 2048 to 4096 bits have 16, 24 or 32 limbs.
template <class Narrow, class Wide>
void ifma_exponentiate(const RsaHalf (&halves)[2]) {
  const size_t limbs = halves[0].modulus->limbs;
  if (limbs == 16) return run_ifma_engine<IfmaEngine<Narrow, 16, 20>>(halves);  // five vectors of four lanes
  if (limbs == 24) return run_ifma_engine<IfmaEngine<Wide, 24, 30>>(halves);    // four of eight, two lanes unused
  run_ifma_engine<IfmaEngine<Wide, 32, 40>>(halves);                            // five of eight
}

}  // namespace
}  // namespace quoll::crypto

#undef QUOLL_RSA_TARGET
