// What X25519 and Ed25519 need of the field modulo p = 2^255 - 19 beyond a field's own operations: encodings, powers,
// roots.
//
// Everything here is a template over a field F, which gives the types Tight and Loose (a Tight is a Loose), and
//   small, from_words, to_words, mul, square, mul_small, add, sub, sub_wide, select, and maybe invert.
// Fields: Field51 and Field25 (portable), and those of the architecture's folder. All functions are constant-time.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "crypto/ct.h"

namespace quoll::crypto::field25519 {

/// The element that 32 little-endian bytes encode; bit 255 is ignored, values of p and above are taken modulo p.
template <class F>
typename F::Tight decode(const uint8_t bytes[32]) {
  uint64_t words[4];
  for (int i = 0; i < 4; i++) words[i] = load_le<uint64_t>(bytes + 8 * i);
  return F::from_words(words);
}

/// The canonical encoding.
template <class F>
void encode(uint8_t bytes[32], const typename F::Tight& a) {
  uint64_t words[4];
  F::to_words(words, a);
  for (int i = 0; i < 4; i++) store_le(bytes + 8 * i, words[i]);
}

/// All ones when the elements are equal, else zero.
template <class F>
uint64_t mask_equal(const typename F::Tight& a, const typename F::Tight& b) {
  uint64_t x[4], y[4];
  F::to_words(x, a);
  F::to_words(y, b);
  return ct::mask_zero((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]));
}

/// a^(2^times), times > 0.
template <class F>
[[gnu::noinline]] typename F::Tight square_times(const typename F::Loose& a, int times) {
  typename F::Tight r = F::square(a);
  for (int i = 1; i < times; i++) r = F::square(r);
  return r;
}

/// The common start of both exponentiations below: a^(2^250 - 1) and a^11.
template <class F>
struct PowerChain {
  typename F::Tight all_ones_250;
  typename F::Tight eleventh;

  explicit PowerChain(const typename F::Tight& a) {
    using Tight = typename F::Tight;
    const Tight a2 = F::square(a);
    const Tight a9 = F::mul(square_times<F>(a2, 2), a);
    eleventh = F::mul(a9, a2);
    // From here ones_n is a^(2^n - 1), and ones_(n+m) = ones_n^(2^m) * ones_m.
    const Tight ones_5 = F::mul(F::square(eleventh), a9);
    const Tight ones_10 = F::mul(square_times<F>(ones_5, 5), ones_5);
    const Tight ones_20 = F::mul(square_times<F>(ones_10, 10), ones_10);
    const Tight ones_40 = F::mul(square_times<F>(ones_20, 20), ones_20);
    const Tight ones_50 = F::mul(square_times<F>(ones_40, 10), ones_10);
    const Tight ones_100 = F::mul(square_times<F>(ones_50, 50), ones_50);
    const Tight ones_200 = F::mul(square_times<F>(ones_100, 100), ones_100);
    all_ones_250 = F::mul(square_times<F>(ones_200, 50), ones_50);
  }
};

/// 1 / a, and 0 for 0: by the field's own inversion if it has one, else as a^(p-2).
template <class F>
typename F::Tight invert(const typename F::Tight& a) {
  if constexpr (requires { F::invert(a); }) {
    return F::invert(a);
  } else {
    const PowerChain<F> chain(a);
    return F::mul(square_times<F>(chain.all_ones_250, 5), chain.eleventh);  // 2^255 - 2^5 + 11 = p - 2
  }
}

/// a^((p-5)/8), the heart of a square root (RFC 8032 §5.1.3).
template <class F>
typename F::Tight power_for_root(const typename F::Tight& a) {
  const PowerChain<F> chain(a);
  return F::mul(square_times<F>(chain.all_ones_250, 2), a);  // 2^252 - 2^2 + 1 = (p - 5) / 8
}

}  // namespace quoll::crypto::field25519
