// The RSA kernels that tests compare: every table that runs here, the portable one of 32-bit hosts, and the engine of
// AVX-512 IFMA over vectors of plain integers.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "crypto/bignum.h"
#include "crypto/portable/rsa.h"
#include "crypto/provider.h"

#ifdef __SIZEOF_INT128__
#define QUOLL_RSA_TARGET
#include "crypto/x86/rsa_ifma_engine.inc.h"
#endif

namespace quoll::tests {

using namespace crypto;

#ifdef __SIZEOF_INT128__
/// What vpmadd52luq and its like do, lane by lane.
template <size_t kCount>
struct EmulatedVector {
  using Vector = std::array<uint64_t, kCount>;
  static constexpr size_t kLanes = kCount;
  static constexpr uint64_t kMask = (uint64_t{1} << 52) - 1;

  template <class F>
  static Vector each(F f) {
    Vector v;
    for (size_t i = 0; i < kCount; i++) v[i] = f(i);
    return v;
  }
  template <class F>
  static uint64_t bits(F f) {
    uint64_t mask = 0;
    for (size_t i = 0; i < kCount; i++) mask |= static_cast<uint64_t>(f(i)) << i;
    return mask;
  }

  static Vector zero() { return {}; }
  static Vector broadcast(uint64_t x) {
    return each([&](size_t) { return x; });
  }
  static Vector load(const uint64_t* from) {
    return each([&](size_t i) { return from[i]; });
  }
  static void store(uint64_t* to, const Vector& v) { std::copy(v.begin(), v.end(), to); }
  static Vector add(const Vector& a, const Vector& b) {
    return each([&](size_t i) { return a[i] + b[i]; });
  }
  static Vector multiply_add_low(const Vector& s, const Vector& a, const Vector& b) {
    return each([&](size_t i) {
      return s[i] + (bignum::Multiplier::multiply_add(a[i] & kMask, b[i] & kMask, 0, 0).low & kMask);
    });
  }
  static Vector multiply_add_high(const Vector& s, const Vector& a, const Vector& b) {
    return each([&](size_t i) {
      const bignum::Wide product = bignum::Multiplier::multiply_add(a[i] & kMask, b[i] & kMask, 0, 0);
      return s[i] + ((product.high << 12) | (product.low >> 52));
    });
  }
  static Vector shift_down(const Vector& high, const Vector& low) {
    return each([&](size_t i) { return i + 1 < kCount ? low[i + 1] : high[0]; });
  }
  static Vector shift_up(const Vector& high, const Vector& low) {
    return each([&](size_t i) { return i > 0 ? high[i - 1] : low[kCount - 1]; });
  }
  static Vector carries(const Vector& v) {
    return each([&](size_t i) { return v[i] >> 52; });
  }
  static Vector low_bits(const Vector& v) {
    return each([&](size_t i) { return v[i] & kMask; });
  }
  static uint64_t lowest(const Vector& v) { return v[0]; }
  static Vector replace_lowest(Vector v, uint64_t x) {
    v[0] = x;
    return v;
  }
  static uint64_t above(const Vector& v) {
    return bits([&](size_t i) { return v[i] > kMask; });
  }
  static uint64_t full(const Vector& v) {
    return bits([&](size_t i) { return v[i] == kMask; });
  }
  static Vector increment(const Vector& v, uint64_t mask) {
    return each([&](size_t i) { return v[i] + ((mask >> i) & 1); });
  }
  static Vector choose(const Vector& wanted, const Vector& entry, const Vector& a, const Vector& b) {
    return each([&](size_t i) { return wanted[i] == entry[i] ? a[i] : b[i]; });
  }
};
#endif

inline std::span<const Rsa* const> all_rsa_kernels() {
  using Split = PortableRsaKernel<bignum::SplitMultiplier>;
  static constexpr Rsa split{{.implementation = "portable without 128-bit integers"},
                             Split::montgomery_multiply,
                             Split::montgomery_square,
                             Split::exponentiate};
#ifdef __SIZEOF_INT128__
  using Native = PortableRsaKernel<bignum::Multiplier>;
  static constexpr Rsa emulated{{.implementation = "emulated ifma"},
                                Native::montgomery_multiply,
                                Native::montgomery_square,
                                ifma_exponentiate<EmulatedVector<4>, EmulatedVector<8>>};
  static constexpr Rsa exchanged{{.implementation = "emulated ifma, widths exchanged"},
                                 Native::montgomery_multiply,
                                 Native::montgomery_square,
                                 ifma_exponentiate<EmulatedVector<8>, EmulatedVector<4>>};
#endif
  static const std::vector<const Rsa*> list = [] {
    std::vector<const Rsa*> found;
    for (const Rsa* rsa : native_catalogue().rsas) {
      if (rsa->runs_on(cpu::features(), cpu::cap())) found.push_back(rsa);
    }
    for (const Rsa* rsa : portable_catalogue().rsas) found.push_back(rsa);
    found.push_back(&split);
#ifdef __SIZEOF_INT128__
    found.push_back(&emulated);
    found.push_back(&exchanged);
#endif
    return found;
  }();
  return list;
}

}  // namespace quoll::tests
