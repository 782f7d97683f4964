// Arithmetic modulo L = 2^252 + 27742317777372353535851937790883648493, the order of Ed25519's base point (RFC 8032
// §5.1), and the recodings of scalars into digits.
//
// ScalarArithmetic is a template over the limb: 64 bits where products of 128 bits exist, else 32. Scalars are 32
// bytes, little-endian. Reduction and multiply_add are constant-time; is_reduced and the wNAF recoding take public data
// only.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"
#include "crypto/ct.h"

namespace quoll::crypto {

template <class Limb, class Wide>
struct ScalarArithmetic {
  /// out = in mod L.
  static void reduce(uint8_t out[32], const uint8_t in[64]) {
    Number<512> x = load<512>(in);
    reduce(out, x);
    ct::wipe(x);
  }

  /// out = (a * b + c) mod L, for any a, b, c below 2^256.
  static void multiply_add(uint8_t out[32], const uint8_t a[32], const uint8_t b[32], const uint8_t c[32]) {
    Number<256> x = load<256>(a), y = load<256>(b), z = load<256>(c);
    Number<512> sum = multiply(x, y);
    add(sum, z);  // at most (2^256 - 1)^2 + 2^256 - 1: no carry is lost
    reduce(out, sum);
    ct::wipe(x);
    ct::wipe(y);
    ct::wipe(z);
    ct::wipe(sum);
  }

 private:
  static constexpr int kBits = 8 * sizeof(Limb);

  template <int kNumberBits>
  using Number = std::array<Limb, kNumberBits / kBits>;

  /// The limbs of 128-bit halves, least significant first.
  static constexpr Number<128> halves(uint64_t low, uint64_t high) {
    Number<128> r{};
    for (size_t i = 0; i < r.size(); i++) {
      const int at = static_cast<int>(i) * kBits;
      r[i] = static_cast<Limb>((at < 64 ? low : high) >> at % 64);
    }
    return r;
  }

  /// L - 2^252, below 2^125.
  static constexpr Number<128> kExcess = halves(0x5812631a5cf5d3ed, 0x14def9dea2f79cd6);

  /// L * 2^shift, shift < 3.
  static constexpr Number<256> order(int shift) {
    Number<256> r{};
    for (size_t i = 0; i < kExcess.size(); i++) r[i] = kExcess[i];
    r.back() = Limb{1} << (kBits - 4);
    for (size_t i = r.size() - 1; i > 0 && shift; i--) {
      r[i] = static_cast<Limb>(r[i] << shift | r[i - 1] >> (kBits - shift));
    }
    r[0] = static_cast<Limb>(r[0] << shift);
    return r;
  }

  template <int kNumberBits>
  static Number<kNumberBits> load(const uint8_t* from) {
    Number<kNumberBits> r;
    for (size_t i = 0; i < r.size(); i++) r[i] = load_le<Limb>(from + i * sizeof(Limb));
    return r;
  }

  template <size_t N, size_t M>
  static std::array<Limb, N + M> multiply(const std::array<Limb, N>& a, const std::array<Limb, M>& b) {
    std::array<Limb, N + M> r{};
    for (size_t i = 0; i < N; i++) {
      Limb carry = 0;
      for (size_t j = 0; j < M; j++) {
        const Wide sum = Wide{a[i]} * b[j] + r[i + j] + carry;
        r[i + j] = static_cast<Limb>(sum);
        carry = static_cast<Limb>(sum >> kBits);
      }
      r[i + M] = carry;
    }
    return r;
  }

  /// a += b, modulo the size of a.
  template <size_t N, size_t M>
  static void add(std::array<Limb, N>& a, const std::array<Limb, M>& b) {
    Limb carry = 0;
    for (size_t i = 0; i < N; i++) {
      const Wide sum = Wide{a[i]} + (i < M ? b[i] : Limb{0}) + carry;
      a[i] = static_cast<Limb>(sum);
      carry = static_cast<Limb>(sum >> kBits);
    }
  }

  /// a -= b, modulo the size of a; the borrow, 0 or 1.
  template <size_t N, size_t M>
  static Limb subtract(std::array<Limb, N>& a, const std::array<Limb, M>& b) {
    Limb borrow = 0;
    for (size_t i = 0; i < N; i++) {
      const Wide difference = Wide{a[i]} - (i < M ? b[i] : Limb{0}) - borrow;
      a[i] = static_cast<Limb>(difference);
      borrow = static_cast<Limb>(difference >> kBits) & 1;
    }
    return borrow;
  }

  /// Splits x into x mod 2^252 (in 256 bits) and x / 2^252.
  template <size_t N>
  static auto split(const std::array<Limb, N>& x, Number<256>& low) {
    constexpr size_t kAt = 252 / kBits;
    constexpr int kShift = 252 % kBits;
    std::array<Limb, N - kAt> high;
    for (size_t i = 0; i < high.size(); i++) {
      high[i] = static_cast<Limb>(x[kAt + i] >> kShift);
      if (kAt + i + 1 < N) high[i] |= static_cast<Limb>(x[kAt + i + 1] << (kBits - kShift));
    }
    for (size_t i = 0; i < low.size(); i++) low[i] = x[i];
    low[kAt] &= (Limb{1} << kShift) - 1;
    return high;
  }

  /// With c = L - 2^252, 2^252 is -c modulo L. Folding the part above bit 252 three times gives numbers of 385, 258 and
  /// 131 bits, of alternating sign: x = low0 - low1 + low2 - low3 modulo L, the first three below 2^252, the last below
  /// 2^131.
  static void reduce(uint8_t out[32], const Number<512>& x) {
    Number<256> low0, low1, low2;
    const auto product1 = multiply(split(x, low0), kExcess);
    const auto product2 = multiply(split(product1, low1), kExcess);
    const auto product3 = multiply(split(product2, low2), kExcess);
    Number<256> low3{};
    for (size_t i = 0; i < low3.size() && i < product3.size(); i++) low3[i] = product3[i];
    // low1 + low3 < 2L, so the sum below is in (0, 4L), and 4L < 2^255.
    Number<256> sum = order(1);
    add(sum, low0);
    add(sum, low2);
    subtract(sum, low1);
    subtract(sum, low3);
    for (const int shift : {1, 0}) {
      const Limb borrow = subtract(sum, order(shift));
      const Limb mask = ct::barrier(static_cast<Limb>(0 - borrow));
      Number<256> back = order(shift);
      for (Limb& limb : back) limb &= mask;
      add(sum, back);
    }
    for (size_t i = 0; i < sum.size(); i++) store_le(out + i * sizeof(Limb), sum[i]);
    ct::wipe(low0);
    ct::wipe(low1);
    ct::wipe(low2);
    ct::wipe(low3);
    ct::wipe(sum);
  }
};

using ScalarArithmetic32 = ScalarArithmetic<uint32_t, uint64_t>;
#ifdef __SIZEOF_INT128__
__extension__ using ScalarArithmetic64 = ScalarArithmetic<uint64_t, unsigned __int128>;
using Scalar25519 = ScalarArithmetic64;
#else
using Scalar25519 = ScalarArithmetic32;
#endif

/// Whether a public scalar is below L (RFC 8032 §5.1.7).
inline bool is_reduced_scalar25519(const uint8_t scalar[32]) {
  constexpr uint64_t kOrder[4] = {0x5812631a5cf5d3ed, 0x14def9dea2f79cd6, 0, 0x1000000000000000};
  for (int i = 3; i >= 0; i--) {
    const uint64_t word = load_le<uint64_t>(scalar + 8 * i);
    if (word != kOrder[i]) return word < kOrder[i];
  }
  return false;
}

/// Digits in [-16, 15] with scalar = sum of digit[i] * 2^(5 i), for a scalar below 2^255. Constant-time.
using Radix32Digits = std::array<int8_t, 52>;

inline Radix32Digits radix32_digits(const uint8_t scalar[32]) {
  Radix32Digits digits;
  int carry = 0;
  for (int i = 0; i < 52; i++) {
    const int at = 5 * i / 8, shift = 5 * i % 8;
    unsigned bits = scalar[at];
    if (at + 1 < 32) bits |= static_cast<unsigned>(scalar[at + 1]) << 8;
    const int window = static_cast<int>(bits >> shift & 31) + carry;  // at most 32
    carry = (window + 16) >> 5;
    digits[static_cast<size_t>(i)] = static_cast<int8_t>(window - 32 * carry);
  }
  return digits;  // bits 255 to 259 are zero, so the last digit is the carry
}

/// The width-w non-adjacent form of a public scalar below 2^255: scalar = sum of digit[i] * 2^i, every digit zero or
/// odd and below 2^(w-1) in size, at most one of w neighbours not zero. Variable time.
using NonAdjacentForm = std::array<int8_t, 256>;

inline NonAdjacentForm non_adjacent_form(const uint8_t scalar[32], int width) {
  NonAdjacentForm digits{};
  uint64_t words[5] = {};
  for (int i = 0; i < 4; i++) words[i] = load_le<uint64_t>(scalar + 8 * i);
  const int window_size = 1 << width;
  int carry = 0;
  for (int i = 0; i < 256;) {
    const int at = i / 64, shift = i % 64;
    uint64_t bits = words[at] >> shift;
    if (shift + width > 64) bits |= words[at + 1] << (64 - shift);
    const int window = static_cast<int>(bits & static_cast<uint64_t>(window_size - 1)) + carry;
    if (window % 2 == 0) {  // this digit is zero, and the carry (if any) goes on
      i++;
      continue;
    }
    carry = window > window_size / 2;
    digits[static_cast<size_t>(i)] = static_cast<int8_t>(window - carry * window_size);
    i += width;
  }
  return digits;
}

}  // namespace quoll::crypto
